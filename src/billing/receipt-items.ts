import { finished } from "node:stream/promises";
import type { Transaction } from "../db/database.ts";
import type { ChargeLine } from "../rating/charge.ts";
import { copyText, storedChargeOf } from "../usage/import/copy-line.ts";
import type { BilledJob } from "./bill-jobs.ts";

const COLUMNS = [
  "receipt_id", "cluster", "raw_job_id", "submit_at", "active", "job_id", "job_name", "account", "partition", "state",
  "end_at", "elapsed_seconds", "tier", "charge_kind", "free_reason", "rate_id", "rule_set_id", "cpu_minor", "gpu_minor",
  "mem_minor", "lines",
]; // prettier-ignore

const NULL = "\\N";

/** Writes the receipt's snapshot of each job: what it was, and how it was priced. */
export async function copyItems(tx: Transaction, receiptId: bigint, billed: readonly BilledJob[]): Promise<void> {
  const copy = tx.copyFrom(`COPY receipt_items (${COLUMNS.join(", ")}) FROM STDIN`);
  const done = finished(copy);
  copy.end(billed.map((item) => itemLine(receiptId, item)).join(""));
  await done;
}

function itemLine(receiptId: bigint, { job, charge }: BilledJob): string {
  const stored = storedChargeOf(charge);
  const lines = charge.kind === "priced" ? charge.lines.map(snapshotOf) : [];
  const fields = [
    receiptId,
    copyText(job.cluster),
    copyText(job.rawJobId),
    instant(job.submitAt),
    "t",
    copyText(job.jobId),
    copyText(job.jobName),
    copyText(job.account),
    copyText(job.partition),
    copyText(job.state),
    job.endAt === null ? NULL : instant(job.endAt),
    job.elapsedSeconds,
    stored.tier,
    stored.kind,
    stored.freeReason === null ? NULL : copyText(stored.freeReason),
    stored.rateId ?? NULL,
    stored.ruleSetId ?? NULL,
    stored.cpuMinor,
    stored.gpuMinor,
    stored.memMinor,
    copyText(JSON.stringify(lines)),
  ];
  return `${fields.join("\t")}\n`;
}

function instant(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}

/** A charge line as the item keeps it; bigints as decimal text. */
function snapshotOf(line: ChargeLine): Record<string, string | number | null> {
  return {
    resource: line.resource,
    gpu_type: line.gpuType,
    allocated: line.allocated,
    base: line.quantity.base.toString(),
    base_per_hour: line.quantity.basePerHour.toString(),
    rate_micro: line.rateMicro.toString(),
    share_millionths: line.shareMillionths.toString(),
    amount_minor: line.amountMinor.toString(),
  };
}

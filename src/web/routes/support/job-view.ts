/** From a stored job and its explanation to what a row, a panel and the job's page say. */
import type { Explanation } from "../../../billing/explain.ts";
import type { StoredJob } from "../../../usage/jobs.ts";
import { fromEpochSeconds } from "../../format.ts";
import {
  memoryText,
  quantityText,
  rateText,
  resourceText,
  shareText,
  signedMoney,
  tierText,
} from "../../pages/me/words.ts";
import type { BillingMark, JobView, WhyView } from "../../pages/me/job-model.ts";
import type { WhyLine } from "../../pages/ui/index.ts";
import type { Reader } from "./reader.ts";

/** The address of a job's own page. */
export function jobPath(job: Pick<StoredJob, "cluster" | "rawJobId" | "submitAt">): string {
  return `/me/jobs/${encodeURIComponent(job.cluster)}/${encodeURIComponent(job.rawJobId)}/${job.submitAt}`;
}

export function jobView(reader: Reader, job: StoredJob, explanation: Explanation, now: Date): JobView {
  const isRunning = job.phase === "active";
  const runningSeconds =
    isRunning && job.startAt !== null ? Math.max(0, Math.floor(now.getTime() / 1000) - job.startAt) : null;
  return {
    rowId: `job-${job.cluster}-${job.rawJobId}-${job.submitAt}`.replaceAll(/[^\w-]/gu, "_"),
    jobId: job.jobId,
    href: jobPath(job),
    name: job.jobName,
    account: job.account,
    userName: job.user,
    state: job.state,
    endedAt: job.phase === "finished" && job.endAt !== null ? fromEpochSeconds(job.endAt) : null,
    runningSeconds,
    allocated: allocatedText(reader, job),
    elapsedSeconds: job.state === "RUNNING" && runningSeconds !== null ? runningSeconds : job.elapsedSeconds,
    // The amount that totals and files hold; what a receipt says instead, and why, is in the panel.
    amountMinor: job.phase === "finished" ? job.costMinor : explanation.totalMinor,
    isSoFar: isRunning,
    billing: billingOf(reader, job, explanation),
    why: whyView(reader, job, explanation),
  };
}

/** `16 cores · 2 × a100 · 64 GiB`. */
export function allocatedText(
  { t, fmt }: Reader,
  job: Pick<StoredJob, "allocCpus" | "allocGpus" | "gpuTypes" | "allocMemMib">,
): string {
  const untyped = job.allocGpus - job.gpuTypes.reduce((sum, { count }) => sum + count, 0);
  const parts = [
    ...(job.allocCpus > 0 ? [t("job.cores", { count: job.allocCpus })] : []),
    ...job.gpuTypes.map(({ type, count }) => `${fmt.integer(count)} × ${type}`),
    ...(untyped > 0 ? [`${fmt.integer(untyped)} × GPU`] : []),
    ...(job.allocMemMib > 0 ? [memoryText(fmt, job.allocMemMib)] : []),
  ];
  return parts.join(" · ");
}

function billingOf(reader: Reader, job: StoredJob, explanation: Explanation): BillingMark {
  if (job.receiptId !== null)
    return {
      kind: "receipt",
      number: job.receiptNumber ?? String(job.receiptId),
      href: `/me/receipts/${job.receiptId}`,
    };
  if (explanation.kind === "accruing") return { kind: "running" };
  const text = freeText(reader, explanation);
  return text === null ? { kind: "open" } : { kind: "reason", text };
}

/** Why nothing is asked for; null for a job that has a price. */
function freeText({ t }: Reader, { kind, reason }: Explanation): string | null {
  if (kind === "free") return t("job.free", { reason: reason ?? "" });
  if (kind === "nothing") return t("job.nothing");
  if (kind === "held") return reason === "no_rate" ? t("job.held.noRate") : t("job.held.unknownState");
  return null;
}

export function whyView(reader: Reader, job: Pick<StoredJob, "gpuTypes">, explanation: Explanation): WhyView {
  const { t, fmt } = reader;
  const { share, openCorrectionsMinor, settledCorrectionsMinor } = explanation;
  return {
    amount: fmt.money(explanation.totalMinor),
    terms: termsOf(reader, explanation),
    lines: explanation.lines.map((line) => whyLine(reader, job, line, share?.millionths ?? 1_000_000n)),
    free: freeText(reader, explanation),
    notes: [
      ...(share === null ? [] : [t("job.share", { share: shareText(fmt, share.millionths), reason: share.reason })]),
      ...(openCorrectionsMinor === 0n
        ? []
        : [t("job.correction", { difference: signedMoney(fmt, openCorrectionsMinor) })]),
      ...(settledCorrectionsMinor === 0n
        ? []
        : [t("job.corrected", { difference: signedMoney(fmt, settledCorrectionsMinor) })]),
    ],
  };
}

function termsOf({ t, fmt }: Reader, { tier, rate, basis, isBilled }: Explanation): string {
  const parts = [t("job.tier", { tier: tierText(t, tier) })];
  if (rate !== null) {
    const since = rate.effectiveFrom === null ? null : fmt.date(fromEpochSeconds(rate.effectiveFrom));
    parts.push(
      since !== null ? t("job.ratesSince", { day: since }) : isBilled ? t("job.ratesOfReceipt") : t("job.ratesForAll"),
    );
  }
  if (basis !== null) parts.push(basis === "allocated" ? t("job.basis.allocated") : t("job.basis.used"));
  return parts.join(" · ");
}

type Line = Explanation["lines"][number];

function whyLine(reader: Reader, job: Pick<StoredJob, "gpuTypes">, line: Line, shareMillionths: bigint): WhyLine {
  const { t, fmt } = reader;
  return {
    resource: resourceText(t, line.resource, line.gpuType ?? (line.resource === "gpu" ? unpricedTypes(job) : null)),
    counted: countedText(reader, line),
    quantity: quantityText(t, fmt, line.resource, line.quantity),
    rate: rateText(fmt, line.rateMicro, shareMillionths),
    amount: fmt.money(line.amountMinor),
  };
}

/** A mix of GPU types under one price names them all. */
function unpricedTypes(job: Pick<StoredJob, "gpuTypes">): string | null {
  return job.gpuTypes.length > 1 ? `(${job.gpuTypes.map(({ type }) => type).join(", ")})` : null;
}

/** `16 cores × 12,015 s`: the very numbers that were multiplied. */
export function countedText(
  { t, fmt }: Reader,
  { resource, allocated, quantity }: Pick<Line, "resource" | "allocated" | "quantity">,
): string {
  if (allocated === null) return resource === "cpu" ? t("job.counted.cpuTime") : t("job.counted.memoryUse");
  const seconds = allocated === 0 ? 0n : quantity.base / BigInt(allocated);
  const amount =
    resource === "cpu"
      ? t("job.cores", { count: allocated })
      : resource === "gpu"
        ? fmt.integer(allocated)
        : allocated % 1024 === 0
          ? memoryText(fmt, allocated)
          : `${fmt.integer(allocated)} MiB`;
  return `${amount} × ${fmt.integer(seconds)} ${t("unit.seconds")}`;
}

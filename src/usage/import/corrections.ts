import { z } from "zod";
import { sql, type Transaction } from "../../db/database.ts";
import { chargeFor } from "../../rating/charge.ts";
import type { JobRecord } from "../../slurm/job-record.ts";
import { bookAsOf, tierSchema, type StoredPriceBook } from "../prices/book.ts";
import { jobKey, type ImportContext } from "./context.ts";
import { storedChargeOf } from "./copy-line.ts";

const billedSchema = z.object({
  cluster: z.string(),
  raw_job_id: z.string(),
  submit_epoch: z.bigint(),
  job_id: z.string(),
  start_epoch: z.bigint().nullable(),
  receipt_id: z.bigint(),
  price_version: z.bigint(),
  item_tier: tierSchema,
  before_minor: z.bigint(),
  before: z.unknown(),
});

/**
 * Jobs in `job_before` that stand on a receipt: the receipt keeps what it says, and the difference is recorded to be
 * settled later. The new record is priced by the tier, rates and rules the receipt was priced by, and those prices are
 * put into `job_staging` so that usage shows what Slurm now says.
 */
export async function correctBilledJobs(
  context: ImportContext,
  tx: Transaction,
  jobs: ReadonlyMap<string, JobRecord>,
  book: StoredPriceBook,
): Promise<void> {
  const billed = await tx.rows(
    billedSchema,
    sql`SELECT b.cluster, b.raw_job_id, extract(epoch FROM b.submit_at)::bigint AS submit_epoch, b.job_id,
               extract(epoch FROM b.start_at)::bigint AS start_epoch, b.receipt_id, r.price_version, i.tier AS item_tier, b.cpu_minor + b.gpu_minor + b.mem_minor AS before_minor,
               to_jsonb(b) AS before
        FROM job_before b
        JOIN receipts r ON r.id = b.receipt_id
        JOIN receipt_items i ON i.receipt_id = b.receipt_id AND i.cluster = b.cluster
          AND i.raw_job_id = b.raw_job_id AND i.submit_at = b.submit_at
        WHERE b.receipt_id IS NOT NULL`,
  );
  for (const row of billed) {
    const submitAt = Number(row.submit_epoch);
    const job = jobs.get(jobKey({ cluster: row.cluster, rawJobId: row.raw_job_id, submitAt })) ?? sameRun(jobs, row);
    if (job === undefined) throw new Error(`no record in the batch for job ${row.cluster}/${row.raw_job_id}`);
    const charge = storedChargeOf(chargeFor(job, row.item_tier, bookAsOf(book, row.price_version)));
    const afterMinor = charge.cpuMinor + charge.gpuMinor + charge.memMinor;
    const key = sql`cluster = ${row.cluster} AND raw_job_id = ${row.raw_job_id} AND submit_at = to_timestamp(${submitAt}::bigint)`;
    await tx.run(
      sql`UPDATE job_staging SET tier = ${charge.tier}, charge_kind = ${charge.kind}, free_reason = ${charge.freeReason},
            rate_id = ${charge.rateId}::integer, rule_set_id = ${charge.ruleSetId}::integer, cpu_minor = ${charge.cpuMinor},
            gpu_minor = ${charge.gpuMinor}, mem_minor = ${charge.memMinor}
          WHERE ${key}`,
    );
    await tx.run(
      sql`INSERT INTO corrections (cluster, raw_job_id, submit_at, user_name, receipt_id, recorded_at, before, after,
                                   before_minor, after_minor)
          SELECT s.cluster, s.raw_job_id, s.submit_at, ${z.object({ user_name: z.string() }).parse(row.before).user_name},
                 ${row.receipt_id}::bigint, ${context.clock.now()}::timestamptz, ${JSON.stringify(row.before)}::jsonb,
                 to_jsonb(s) - 'was_known', ${row.before_minor}::bigint, ${afterMinor}::bigint
          FROM job_staging s WHERE ${key}`,
    );
    tx.audit({
      actor: "slurm",
      action: "correction.recorded",
      subject: `job:${row.cluster}/${row.raw_job_id}/${submitAt}`,
      details: { receipt_id: row.receipt_id, before_minor: row.before_minor, after_minor: afterMinor },
    });
  }
}

/** The record of a run that is known under another key than the record's own (see `adoptKnownKeys`). */
function sameRun(jobs: ReadonlyMap<string, JobRecord>, row: z.output<typeof billedSchema>): JobRecord | undefined {
  const startAt = row.start_epoch === null ? null : Number(row.start_epoch);
  for (const job of jobs.values()) {
    if (job.cluster === row.cluster && job.jobId === row.job_id && job.startAt === startAt) return job;
  }
  return undefined;
}

import { z } from "zod";
import { sql, type Sql, type Transaction } from "../../db/database.ts";
import { chargeFor } from "../../rating/charge.ts";
import type { JobRecord } from "../../slurm/job-record.ts";
import { bookAsOf, tierSchema, type StoredPriceBook } from "../prices/book.ts";
import { jobKey, type ImportContext } from "./context.ts";
import { storedChargeOf, type StoredCharge } from "./copy-line.ts";

const billedSchema = z.object({
  cluster: z.string(),
  raw_job_id: z.string(),
  submit_epoch: z.bigint(),
  job_id: z.string(),
  start_epoch: z.bigint().nullable(),
  receipt_id: z.bigint(),
  receipt_user: z.string(),
  owed_minor: z.bigint(),
  price_version: z.bigint(),
  item_tier: tierSchema,
  before_minor: z.bigint(),
  /** JSON of the row as it was; kept as text, so that large integers stay exact. */
  before: z.string(),
});

type BilledJob = z.output<typeof billedSchema>;

/**
 * Jobs in `job_before` that stand on a receipt: the receipt keeps what it says, and the change is recorded with both
 * versions, to be settled on the next receipt of the person who got this one. A change that costs nothing is settled at
 * once; one that takes back the others settles them too. The new record is priced by the tier, rates and rules the receipt
 * was priced by, and those prices are put into `job_staging` so that usage shows what Slurm now says.
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
               extract(epoch FROM b.start_at)::bigint AS start_epoch, b.receipt_id, r.user_name AS receipt_user, r.price_version,
               i.tier AS item_tier, b.cpu_minor + b.gpu_minor + b.mem_minor AS before_minor,
               owed_minor(b.cluster, b.raw_job_id, b.submit_at, r.user_name) AS owed_minor, to_jsonb(b)::text AS before
        FROM job_before b
        JOIN receipts r ON r.id = b.receipt_id
        JOIN receipt_items i ON i.receipt_id = b.receipt_id AND i.cluster = b.cluster
          AND i.raw_job_id = b.raw_job_id AND i.submit_at = b.submit_at
        WHERE b.receipt_id IS NOT NULL`,
  );
  if (billed.length === 0) return;
  const corrected = billed.map((row): CorrectedJob => {
    const key = { cluster: row.cluster, rawJobId: row.raw_job_id, submitAt: Number(row.submit_epoch) };
    const job = jobs.get(jobKey(key)) ?? sameRun(jobs, row);
    if (job === undefined) throw new Error(`no record in the batch for job ${row.cluster}/${row.raw_job_id}`);
    const charge = storedChargeOf(chargeFor(job, row.item_tier, bookAsOf(book, row.price_version)));
    const afterMinor = charge.cpuMinor + charge.gpuMinor + charge.memMinor;
    const differenceMinor = afterMinor - row.before_minor;
    // `job_before` was read with a lock on the jobs, so that what is owed changes by this difference and by nothing else.
    const owesNothing = row.owed_minor + differenceMinor === 0n;
    const status = differenceMinor === 0n || owesNothing ? "settled" : "open";
    return { row, charge, afterMinor, owesNothing, status };
  });
  await stagePrices(tx, corrected);
  await settleWhatIsTakenBack(tx, corrected);
  await recordCorrections(context, tx, corrected);
}

interface CorrectedJob {
  readonly row: BilledJob;
  /** By the receipt's own prices. */
  readonly charge: StoredCharge;
  readonly afterMinor: bigint;
  /** All that changed since the job was billed comes to nothing, or is settled. */
  readonly owesNothing: boolean;
  readonly status: "open" | "settled";
}

/** Arrays of the jobs' keys, as `unnest` takes them. */
function keyArrays(corrected: readonly CorrectedJob[]): Sql {
  return sql`${corrected.map(({ row }) => row.cluster)}::text[], ${corrected.map(({ row }) => row.raw_job_id)}::text[],
    ${corrected.map(({ row }) => row.submit_epoch.toString())}::bigint[]`;
}

async function stagePrices(tx: Transaction, corrected: readonly CorrectedJob[]): Promise<void> {
  await tx.run(
    sql`UPDATE job_staging s
        SET tier = c.tier, charge_kind = c.charge_kind, free_reason = c.free_reason, rate_id = c.rate_id,
            rule_set_id = c.rule_set_id, cpu_minor = c.cpu_minor, gpu_minor = c.gpu_minor, mem_minor = c.mem_minor
        FROM unnest(${keyArrays(corrected)}, ${corrected.map(({ charge }) => charge.tier)}::text[],
                    ${corrected.map(({ charge }) => charge.kind)}::text[],
                    ${corrected.map(({ charge }) => charge.freeReason)}::text[],
                    ${corrected.map(({ charge }) => charge.rateId)}::integer[],
                    ${corrected.map(({ charge }) => charge.ruleSetId)}::integer[],
                    ${corrected.map(({ charge }) => charge.cpuMinor.toString())}::bigint[],
                    ${corrected.map(({ charge }) => charge.gpuMinor.toString())}::bigint[],
                    ${corrected.map(({ charge }) => charge.memMinor.toString())}::bigint[])
          AS c (cluster, raw_job_id, submit_epoch, tier, charge_kind, free_reason, rate_id, rule_set_id, cpu_minor, gpu_minor,
                mem_minor)
        WHERE s.cluster = c.cluster AND s.raw_job_id = c.raw_job_id AND s.submit_at = to_timestamp(c.submit_epoch)`,
  );
}

/** Corrections that wait, of jobs for which nothing is owed any more. */
async function settleWhatIsTakenBack(tx: Transaction, corrected: readonly CorrectedJob[]): Promise<void> {
  const done = corrected.filter(({ owesNothing }) => owesNothing);
  if (done.length === 0) return;
  await tx.run(
    sql`UPDATE corrections o SET status = 'settled'
        FROM unnest(${keyArrays(done)}, ${done.map(({ row }) => row.receipt_user)}::text[])
          AS c (cluster, raw_job_id, submit_epoch, user_name)
        WHERE o.cluster = c.cluster AND o.raw_job_id = c.raw_job_id AND o.submit_at = to_timestamp(c.submit_epoch)
          AND o.user_name = c.user_name AND o.status = 'open'`,
  );
}

async function recordCorrections(
  context: ImportContext,
  tx: Transaction,
  corrected: readonly CorrectedJob[],
): Promise<void> {
  await tx.run(
    sql`INSERT INTO corrections (cluster, raw_job_id, submit_at, user_name, receipt_id, recorded_at, before, after,
                                 before_minor, after_minor, status)
        SELECT s.cluster, s.raw_job_id, s.submit_at, c.user_name, c.receipt_id, ${context.clock.now()}::timestamptz,
               c.before::jsonb, to_jsonb(s) - 'was_known', c.before_minor, c.after_minor, c.status
        FROM unnest(${keyArrays(corrected)}, ${corrected.map(({ row }) => row.receipt_user)}::text[],
                    ${corrected.map(({ row }) => row.receipt_id.toString())}::bigint[],
                    ${corrected.map(({ row }) => row.before)}::text[],
                    ${corrected.map(({ row }) => row.before_minor.toString())}::bigint[],
                    ${corrected.map(({ afterMinor }) => afterMinor.toString())}::bigint[],
                    ${corrected.map(({ status }) => status)}::text[])
          AS c (cluster, raw_job_id, submit_epoch, user_name, receipt_id, before, before_minor, after_minor, status)
        JOIN job_staging s
          ON s.cluster = c.cluster AND s.raw_job_id = c.raw_job_id AND s.submit_at = to_timestamp(c.submit_epoch)`,
  );
  for (const { row, afterMinor, status } of corrected) {
    tx.audit({
      actor: "slurm",
      action: "correction.recorded",
      subject: `job:${row.cluster}/${row.raw_job_id}/${row.submit_epoch}`,
      details: { receipt_id: row.receipt_id, before_minor: row.before_minor, after_minor: afterMinor, status },
    });
  }
}

/** The record of a run that is known under another key than the record's own (see `adoptKnownKeys`). */
function sameRun(jobs: ReadonlyMap<string, JobRecord>, row: BilledJob): JobRecord | undefined {
  const startAt = row.start_epoch === null ? null : Number(row.start_epoch);
  for (const job of jobs.values()) {
    if (job.cluster === row.cluster && job.jobId === row.job_id && job.startAt === startAt) return job;
  }
  return undefined;
}

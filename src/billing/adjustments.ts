import { z } from "zod";
import { sql, type Sql, type Transaction } from "../db/database.ts";
import { jobKey } from "../usage/import/context.ts";
import { JOB_KEY_COLUMNS, jobKeyRows, jobKeySchema, type JobKey } from "./job-keys.ts";

/** What a receipt says about jobs that were billed before. */
export interface Adjustments {
  readonly count: number;
  /** Charges less credits, in minor units. */
  readonly sumMinor: bigint;
  readonly accounts: readonly string[];
}

/** The receipt being issued, once its own jobs are on it. */
interface AdjustedReceipt {
  readonly id: bigint;
  readonly userName: string;
  /** What its own jobs come to. */
  readonly linesMinor: bigint;
}

/**
 * Puts what a user still owes, and is owed, for jobs billed earlier on the receipt being issued: all charges; of the
 * credits those recorded first before the others, down to a subtotal of zero. What is left of them waits for the next
 * receipt.
 */
export async function adjustReceipt(tx: Transaction, receipt: AdjustedReceipt): Promise<Adjustments> {
  const jobs = await lockCorrectedJobs(tx, receipt.userName);
  if (jobs.length === 0) return { count: 0, sumMinor: 0n, accounts: [] };
  const written = await tx.rows(writtenSchema, adjustmentsOf(receipt, jobs));
  await closeSettled(tx, receipt.userName, written);
  return {
    count: written.length,
    sumMinor: written.reduce((sum, one) => sum + one.amount_minor, 0n),
    accounts: [...new Set(written.map(({ account }) => account))],
  };
}

const keySchema = z.object({
  cluster: z.string(),
  raw_job_id: z.string(),
  submit_epoch: z.bigint().transform(Number),
});

const openSchema = keySchema.extend({ id: z.bigint() });

const writtenSchema = keySchema.extend({
  account: z.string(),
  amount_minor: z.bigint(),
  /** False for a credit of which a part waits for the next receipt. */
  is_whole: z.boolean(),
});

/** Corrections of jobs for which nothing is owed any more. By id: tables that just grew are no place for joins. */
async function closeSettled(
  tx: Transaction,
  userName: string,
  written: readonly z.output<typeof writtenSchema>[],
): Promise<void> {
  const settled = new Set(written.filter((one) => one.is_whole).map(keyOf));
  const open = await tx.rows(
    openSchema,
    sql`SELECT id, cluster, raw_job_id, extract(epoch FROM submit_at)::bigint AS submit_epoch
        FROM corrections WHERE user_name = ${userName} AND status = 'open'`,
  );
  const ids = open.filter((one) => settled.has(keyOf(one))).map(({ id }) => id.toString());
  await tx.run(sql`UPDATE corrections SET status = 'settled' WHERE id = ANY (${ids}::bigint[])`);
}

function keyOf(row: { readonly cluster: string; readonly raw_job_id: string; readonly submit_epoch: number }): string {
  return jobKey({ cluster: row.cluster, rawJobId: row.raw_job_id, submitAt: row.submit_epoch });
}

/** The jobs a user has open corrections of; from here on nobody changes their records or what was settled of them. */
function lockCorrectedJobs(tx: Transaction, userName: string): Promise<JobKey[]> {
  return tx.rows(
    jobKeySchema,
    sql`SELECT ${JOB_KEY_COLUMNS} FROM jobs j
        WHERE (j.cluster, j.raw_job_id, j.submit_at) IN
              (SELECT cluster, raw_job_id, submit_at FROM corrections WHERE user_name = ${userName} AND status = 'open')
        ORDER BY j.cluster, j.raw_job_id, j.submit_at FOR UPDATE OF j`,
  );
}

/** One statement, however many jobs a repair of the accounting has touched; the running sum of credits is cut at zero. */
function adjustmentsOf({ id, userName, linesMinor }: AdjustedReceipt, jobs: readonly JobKey[]): Sql {
  return sql`
    WITH corrected AS (
      SELECT k.cluster, k.raw_job_id, k.submit_at, min(c.id) AS oldest, max(c.id) AS newest
      FROM ${jobKeyRows(jobs)}
      JOIN corrections c ON c.cluster = k.cluster AND c.raw_job_id = k.raw_job_id AND c.submit_at = k.submit_at
        AND c.user_name = ${userName} AND c.status = 'open'
      GROUP BY 1, 2, 3
    ), owing AS (
      SELECT corrected.*, owed_minor(cluster, raw_job_id, submit_at, ${userName}) AS owed FROM corrected
    ), placed AS (
      SELECT o.*, ${linesMinor}::bigint + coalesce(sum(o.owed) FILTER (WHERE o.owed > 0) OVER (), 0) AS billable,
             coalesce(sum(-o.owed) FILTER (WHERE o.owed < 0) OVER earlier, 0) AS credited_before
      FROM owing o
      WINDOW earlier AS (ORDER BY o.oldest ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), settled AS (
      SELECT p.*, CASE WHEN p.owed > 0 THEN p.owed
                       ELSE -least(-p.owed, greatest(p.billable - p.credited_before, 0))::bigint END AS amount
      FROM placed p
    )
    INSERT INTO receipt_adjustments (receipt_id, position, user_name, cluster, raw_job_id, submit_at, job_id, job_name,
                                     account, correction_id, original_receipt_id, billed_minor, correct_minor, amount_minor)
    SELECT ${id}::bigint, row_number() OVER (ORDER BY s.oldest), ${userName}, s.cluster, s.raw_job_id, s.submit_at, j.job_id,
           j.job_name, coalesce(i.account, j.account), s.newest, coalesce(i.receipt_id, c.receipt_id),
           CASE WHEN i.receipt_id IS NULL THEN 0 ELSE j.cpu_minor + j.gpu_minor + j.mem_minor END - s.owed,
           CASE WHEN i.receipt_id IS NULL THEN 0 ELSE j.cpu_minor + j.gpu_minor + j.mem_minor END,
           s.amount
    FROM settled s
    JOIN corrections c ON c.id = s.newest
    JOIN jobs j ON j.cluster = s.cluster AND j.raw_job_id = s.raw_job_id AND j.submit_at = s.submit_at
    LEFT JOIN receipt_items i
      ON i.cluster = s.cluster AND i.raw_job_id = s.raw_job_id AND i.submit_at = s.submit_at AND i.active
        AND EXISTS (SELECT FROM receipts r WHERE r.id = i.receipt_id AND r.user_name = ${userName})
    WHERE s.amount <> 0
    RETURNING cluster, raw_job_id, extract(epoch FROM submit_at)::bigint AS submit_epoch, account, amount_minor,
              amount_minor = correct_minor - billed_minor AS is_whole`;
}

/** Jobs of a receipt that turned out to cost less, and the credit note that settles it. */
import { z } from "zod";
import { sql, type Queries, type Transaction } from "../db/database.ts";

const creditedJobSchema = z
  .object({
    cluster: z.string(),
    raw_job_id: z.string(),
    submit_epoch: z.bigint().transform(Number),
    job_id: z.string(),
    job_name: z.string(),
    correction_id: z.bigint(),
    owed_back: z.bigint(),
  })
  .transform((row) => ({
    cluster: row.cluster,
    rawJobId: row.raw_job_id,
    submitAt: row.submit_epoch,
    jobId: row.job_id,
    jobName: row.job_name,
    correctionId: row.correction_id,
    /** Positive, in minor units. */
    amountMinor: row.owed_back,
    /** False where only a part of what is owed back is settled. */
    isWhole: true,
  }));

export type CreditedJob = z.output<typeof creditedJobSchema>;

/**
 * Jobs billed by a receipt of which something is owed back, those corrected first before the others. With `lock` nobody
 * changes their records, or what was settled of them, until the transaction ends.
 */
export async function owedBackOn(
  queries: Queries,
  receipt: { readonly id: bigint; readonly userName: string },
  { lock }: { readonly lock: boolean },
): Promise<CreditedJob[]> {
  const ofReceipt = sql`SELECT cluster, raw_job_id, submit_at FROM corrections
                        WHERE receipt_id = ${receipt.id} AND user_name = ${receipt.userName} AND status = 'open'`;
  if (lock) {
    await queries.rows(
      z.object({ one: z.number() }),
      sql`SELECT 1 AS one FROM jobs j WHERE (j.cluster, j.raw_job_id, j.submit_at) IN (${ofReceipt})
          ORDER BY j.cluster, j.raw_job_id, j.submit_at FOR UPDATE OF j`,
    );
  }
  return queries.rows(
    creditedJobSchema,
    sql`SELECT * FROM (
          SELECT i.cluster, i.raw_job_id, extract(epoch FROM i.submit_at)::bigint AS submit_epoch, i.job_id, i.job_name,
                 c.newest AS correction_id, -owed_minor(i.cluster, i.raw_job_id, i.submit_at, ${receipt.userName}) AS owed_back,
                 c.oldest
          FROM (SELECT cluster, raw_job_id, submit_at, min(id) AS oldest, max(id) AS newest FROM corrections
                WHERE receipt_id = ${receipt.id} AND user_name = ${receipt.userName} AND status = 'open'
                GROUP BY 1, 2, 3) c
          JOIN receipt_items i ON i.receipt_id = ${receipt.id} AND i.cluster = c.cluster AND i.raw_job_id = c.raw_job_id
            AND i.submit_at = c.submit_at AND i.active
        ) owing WHERE owed_back > 0 ORDER BY oldest`,
  );
}

/** Writes down what a credit note gives back for each job; corrections of which nothing is left are settled. */
export async function settleCorrections(
  tx: Transaction,
  note: { readonly id: bigint; readonly userName: string },
  jobs: readonly CreditedJob[],
): Promise<void> {
  for (const [index, job] of jobs.entries()) {
    await tx.run(
      sql`INSERT INTO credit_note_jobs (credit_note_id, position, user_name, cluster, raw_job_id, submit_at, job_id, job_name,
                                        correction_id, amount_minor)
          VALUES (${note.id}, ${index + 1}, ${note.userName}, ${job.cluster}, ${job.rawJobId},
                  to_timestamp(${job.submitAt}::bigint), ${job.jobId}, ${job.jobName}, ${job.correctionId}, ${job.amountMinor})`,
    );
    if (!job.isWhole) continue;
    await tx.run(
      sql`UPDATE corrections SET status = 'settled'
          WHERE cluster = ${job.cluster} AND raw_job_id = ${job.rawJobId} AND submit_at = to_timestamp(${job.submitAt}::bigint)
            AND user_name = ${note.userName} AND status = 'open'`,
    );
  }
}

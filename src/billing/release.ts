import { z } from "zod";
import { sql, type Actor, type Sql, type Transaction } from "../db/database.ts";
import { jobColumns, jobSchema, type StoredJob } from "../usage/jobs.ts";
import type { Pricing } from "../usage/prices/book.ts";
import { repriceJobs } from "../usage/prices/reprice.ts";
import { addToRollup } from "../usage/rollup.ts";

/** The keys of all jobs that a receipt bills or corrects. */
function jobsOn(receiptId: bigint): Sql {
  return sql`SELECT cluster, raw_job_id, submit_at FROM receipt_items WHERE receipt_id = ${receiptId}
             UNION SELECT cluster, raw_job_id, submit_at FROM receipt_adjustments WHERE receipt_id = ${receiptId}`;
}

/** Locks them, in the order everybody does: until the end their records and what was settled of them stay as they are. */
export async function lockJobsOf(tx: Transaction, receiptId: bigint): Promise<void> {
  await tx.one(
    z.object({ jobs: z.bigint() }),
    sql`WITH locked AS (
          SELECT 1 FROM jobs j WHERE (j.cluster, j.raw_job_id, j.submit_at) IN (${jobsOn(receiptId)})
          ORDER BY j.cluster, j.raw_job_id, j.submit_at FOR UPDATE OF j
        ) SELECT count(*) AS jobs FROM locked`,
  );
}

/** Takes the jobs off a receipt that is void: unbilled again, and priced by what holds now. */
export async function releaseJobs(tx: Transaction, receiptId: bigint, pricing: Pricing): Promise<void> {
  await tx.run(sql`UPDATE receipt_items SET active = false WHERE receipt_id = ${receiptId}`);
  const items = sql`receipt_items i JOIN jobs j ON j.cluster = i.cluster AND j.raw_job_id = i.raw_job_id
                      AND j.submit_at = i.submit_at AND i.receipt_id = ${receiptId}`;
  await addToRollup(tx, items, -1);
  await tx.run(
    sql`UPDATE jobs j SET receipt_id = NULL FROM receipt_items i
        WHERE i.receipt_id = ${receiptId} AND j.cluster = i.cluster AND j.raw_job_id = i.raw_job_id
          AND j.submit_at = i.submit_at AND j.receipt_id = ${receiptId}`,
  );
  await addToRollup(tx, items, 1);
  await repriceReleased(tx, receiptId, pricing);
}

const PAGE_JOBS = 5_000;

async function repriceReleased(tx: Transaction, receiptId: bigint, pricing: Pricing): Promise<void> {
  for (let after: StoredJob | undefined; ;) {
    const from =
      after === undefined
        ? sql`true`
        : sql`(i.cluster, i.raw_job_id, i.submit_at) > (${after.cluster}::text, ${after.rawJobId}::text,
               to_timestamp(${after.submitAt}::bigint))`;
    const jobs = await tx.rows(
      jobSchema,
      sql`SELECT ${jobColumns("j")}
          FROM receipt_items i JOIN jobs j ON j.cluster = i.cluster AND j.raw_job_id = i.raw_job_id AND j.submit_at = i.submit_at
          WHERE i.receipt_id = ${receiptId} AND ${from}
          ORDER BY i.cluster, i.raw_job_id, i.submit_at LIMIT ${PAGE_JOBS}`,
    );
    await repriceJobs(tx, jobs, pricing);
    after = jobs.at(-1);
    if (jobs.length < PAGE_JOBS) return;
  }
}

/**
 * Takes back what a receipt that is void settled of jobs billed earlier, and sees to it that each job for which something
 * is owed now, by or to its user, has an open correction, and no other one has.
 */
export async function releaseAdjustments(
  tx: Transaction,
  receipt: { readonly id: bigint; readonly userName: string },
  at: Date,
  by: Actor,
): Promise<void> {
  await tx.run(sql`UPDATE receipt_adjustments SET active = false WHERE receipt_id = ${receipt.id}`);
  // Released jobs are priced anew from their newest record, so an open correction of them has nothing left to correct.
  await tx.run(
    sql`UPDATE corrections SET status = 'superseded'
        WHERE user_name = ${receipt.userName} AND status = 'open'
          AND (receipt_id = ${receipt.id} OR owed_minor(cluster, raw_job_id, submit_at, user_name) = 0)`,
  );
  await tx.run(
    sql`UPDATE corrections c SET status = 'open' FROM receipt_adjustments a
        WHERE a.receipt_id = ${receipt.id} AND c.id = a.correction_id
          AND owed_minor(c.cluster, c.raw_job_id, c.submit_at, c.user_name) <> 0`,
  );
  await recordWhatIsLeft(tx, receipt, at, by);
}

/** Jobs of the void receipt that later receipts have corrected: what those settled stands against nothing now. */
async function recordWhatIsLeft(
  tx: Transaction,
  receipt: { readonly id: bigint; readonly userName: string },
  at: Date,
  by: Actor,
): Promise<void> {
  const recorded = await tx.rows(
    z.object({ cluster: z.string(), raw_job_id: z.string(), submit_epoch: z.bigint(), before_minor: z.bigint() }),
    sql`INSERT INTO corrections (cluster, raw_job_id, submit_at, user_name, receipt_id, recorded_at, reason, before, after,
                                 before_minor, after_minor)
        SELECT j.cluster, j.raw_job_id, j.submit_at, ${receipt.userName}, ${receipt.id}::bigint, ${at}::timestamptz,
               'receipt_voided', to_jsonb(j), to_jsonb(j),
               adjusted_minor(j.cluster, j.raw_job_id, j.submit_at, ${receipt.userName}), 0
        FROM (${jobsOn(receipt.id)}) k
        JOIN jobs j ON j.cluster = k.cluster AND j.raw_job_id = k.raw_job_id AND j.submit_at = k.submit_at
        WHERE owed_minor(j.cluster, j.raw_job_id, j.submit_at, ${receipt.userName}) <> 0
          AND NOT EXISTS (SELECT FROM corrections c
                          WHERE c.cluster = j.cluster AND c.raw_job_id = j.raw_job_id AND c.submit_at = j.submit_at
                            AND c.user_name = ${receipt.userName} AND c.status = 'open')
        RETURNING cluster, raw_job_id, extract(epoch FROM submit_at)::bigint AS submit_epoch, before_minor`,
  );
  for (const { cluster, raw_job_id, submit_epoch, before_minor } of recorded) {
    tx.audit({
      ...by,
      action: "correction.recorded",
      subject: `job:${cluster}/${raw_job_id}/${submit_epoch}`,
      details: { receipt_id: receipt.id, reason: "receipt_voided", before_minor, after_minor: 0n, status: "open" },
    });
  }
}

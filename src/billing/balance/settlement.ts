/** Third link of the chain: every charge stands on exactly one receipt, or on none and waits to be billed. */
import { sql, type Queries } from "../../db/database.ts";
import { endedOn, JOB_COLUMNS, jobBreaks, type BooksDay, type Found } from "./window.ts";

/** `jobs j` with its item `i` on a receipt that holds, that receipt `r`, and what corrections have settled (`a.settled`). */
export const SETTLED_JOBS = sql`jobs j
  LEFT JOIN receipt_items i ON i.cluster = j.cluster AND i.raw_job_id = j.raw_job_id AND i.submit_at = j.submit_at AND i.active
  LEFT JOIN receipts r ON r.id = j.receipt_id
  LEFT JOIN LATERAL (
    SELECT (coalesce((SELECT sum(amount_minor) FROM receipt_adjustments
                      WHERE cluster = j.cluster AND raw_job_id = j.raw_job_id AND submit_at = j.submit_at AND active), 0)
          - coalesce((SELECT sum(amount_minor) FROM credit_note_jobs
                      WHERE cluster = j.cluster AND raw_job_id = j.raw_job_id AND submit_at = j.submit_at AND active), 0))::bigint
      AS settled
  ) a ON true`;

export const COST = sql`(j.cpu_minor + j.gpu_minor + j.mem_minor)`;
export const ITEM_COST = sql`coalesce(i.cpu_minor + i.gpu_minor + i.mem_minor, 0)`;

/** What is still owed for a job: its cost now, less what it was billed for and what corrections have settled. */
export const OWED = sql`(CASE WHEN j.receipt_id IS NULL THEN 0 ELSE ${COST} - ${ITEM_COST} END - a.settled)`;

/** Jobs that say they are billed and are not, or the other way round. */
export function checkBilledOnce(queries: Queries, day: BooksDay): Promise<Found> {
  return jobBreaks(
    queries,
    { kind: "settlement", day: day.day },
    sql`SELECT ${JOB_COLUMNS}, 'receipt' AS what,
               coalesce('receipt ' || j.receipt_id || coalesce(' (' || r.status || ')', ' (unknown)'), 'not billed') AS ours,
               coalesce('item on receipt ' || i.receipt_id, 'no item') AS theirs
        FROM ${SETTLED_JOBS}
        WHERE ${endedOn(day)}
          AND (i.receipt_id IS DISTINCT FROM j.receipt_id OR (j.receipt_id IS NOT NULL AND r.status IS DISTINCT FROM 'pending'
               AND r.status IS DISTINCT FROM 'paid'))`,
  );
}

/** Billed jobs whose charge is not that of their receipt, and no correction says why or waits to be settled. */
export function checkCorrections(queries: Queries, day: BooksDay): Promise<Found> {
  const known = sql`SELECT FROM corrections c WHERE c.cluster = j.cluster AND c.raw_job_id = j.raw_job_id AND c.submit_at = j.submit_at`;
  return jobBreaks(
    queries,
    { kind: "settlement", day: day.day },
    sql`SELECT ${JOB_COLUMNS}, 'amount_minor' AS what,
               j.charge_kind || ' ' || j.cpu_minor || ' + ' || j.gpu_minor || ' + ' || j.mem_minor AS ours,
               coalesce(i.charge_kind || ' ' || i.cpu_minor || ' + ' || i.gpu_minor || ' + ' || i.mem_minor, 'not billed')
                 || ', corrections settled ' || a.settled AS theirs
        FROM ${SETTLED_JOBS}
        WHERE ${endedOn(day)} AND i.receipt_id IS NOT DISTINCT FROM j.receipt_id
          AND ((${OWED} <> 0 AND NOT EXISTS (${known} AND c.status = 'open'))
               OR ((j.charge_kind, j.cpu_minor, j.gpu_minor, j.mem_minor) IS DISTINCT FROM
                   (i.charge_kind, i.cpu_minor, i.gpu_minor, i.mem_minor) AND j.receipt_id IS NOT NULL
                   AND NOT EXISTS (${known} AND c.status <> 'superseded')))`,
  );
}

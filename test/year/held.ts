/** What the product holds in the end, read from its tables. */
import { z } from "zod";
import { sql, type Queries } from "../../src/db/database.ts";

const integer = z.string().transform((text) => BigInt(text));
const epoch = z.bigint().transform(Number);

const heldRunSchema = z.object({
  raw_job_id: z.string(),
  submit_epoch: epoch,
  phase: z.string(),
  state: z.string(),
  user_name: z.string(),
  account: z.string(),
  end_epoch: epoch.nullable(),
  elapsed_seconds: epoch,
  cost_minor: z.bigint(),
  /** On how many receipts that hold it stands, since when, and for how much. */
  items: z.bigint(),
  item_minor: integer,
  issued_epoch: epoch.nullable(),
  /** When a receipt was voided that it stood on. */
  voided_epoch: epoch.nullable(),
  adjusted_minor: integer,
  /** Still owed by all who were billed for it. */
  owed_minor: integer,
});

export type HeldRun = z.output<typeof heldRunSchema>;

export function heldRuns(queries: Queries): Promise<HeldRun[]> {
  return queries.rows(
    heldRunSchema,
    sql`WITH items AS (
          SELECT i.cluster, i.raw_job_id, i.submit_at, count(*) FILTER (WHERE r.status <> 'void') AS items,
                 sum(i.cpu_minor + i.gpu_minor + i.mem_minor) FILTER (WHERE r.status <> 'void') AS minor,
                 max(r.issued_at) FILTER (WHERE r.status <> 'void') AS issued_at, max(r.voided_at) AS voided_at
          FROM receipt_items i JOIN receipts r ON r.id = i.receipt_id GROUP BY 1, 2, 3
        ), adjusted AS (
          SELECT a.cluster, a.raw_job_id, a.submit_at, sum(a.amount_minor) AS minor
          FROM receipt_adjustments a JOIN receipts r ON r.id = a.receipt_id WHERE r.status <> 'void' GROUP BY 1, 2, 3
        ), owed AS (
          SELECT cluster, raw_job_id, submit_at, sum(owed_minor(cluster, raw_job_id, submit_at, user_name)) AS minor
          FROM (SELECT DISTINCT cluster, raw_job_id, submit_at, user_name FROM corrections) c GROUP BY 1, 2, 3
        )
        SELECT raw_job_id, extract(epoch FROM submit_at)::bigint AS submit_epoch, phase, state, user_name, account,
               extract(epoch FROM end_at)::bigint AS end_epoch, elapsed_seconds, cpu_minor + gpu_minor + mem_minor AS cost_minor,
               coalesce(items, 0) AS items, coalesce(items.minor, 0)::text AS item_minor,
               extract(epoch FROM issued_at)::bigint AS issued_epoch, extract(epoch FROM voided_at)::bigint AS voided_epoch,
               coalesce(adjusted.minor, 0)::text AS adjusted_minor, coalesce(owed.minor, 0)::text AS owed_minor
        FROM jobs LEFT JOIN items USING (cluster, raw_job_id, submit_at)
        LEFT JOIN adjusted USING (cluster, raw_job_id, submit_at) LEFT JOIN owed USING (cluster, raw_job_id, submit_at)`,
  );
}

const heldReceiptSchema = z.object({
  number: z.string(),
  status: z.string(),
  jobs: z.bigint(),
  subtotal_minor: z.bigint(),
  tax_minor: z.bigint(),
  total_minor: z.bigint(),
  items: z.bigint(),
  items_minor: integer,
  lines_minor: integer,
  adjustments_minor: integer,
});

export type HeldReceipt = z.output<typeof heldReceiptSchema>;

/** All receipts, each with the sums of its parts. */
export function heldReceipts(queries: Queries): Promise<HeldReceipt[]> {
  return queries.rows(
    heldReceiptSchema,
    sql`SELECT number, status, jobs, subtotal_minor, tax_minor, total_minor,
               (SELECT count(*) FROM receipt_items WHERE receipt_id = r.id) AS items,
               (SELECT coalesce(sum(cpu_minor + gpu_minor + mem_minor), 0) FROM receipt_items WHERE receipt_id = r.id)::text AS items_minor,
               (SELECT coalesce(sum(amount_minor), 0) FROM receipt_lines WHERE receipt_id = r.id)::text AS lines_minor,
               (SELECT coalesce(sum(amount_minor), 0) FROM receipt_adjustments WHERE receipt_id = r.id)::text AS adjustments_minor
        FROM receipts r ORDER BY id`,
  );
}

/** How often things happened that make a life worth playing. */
export function heldEvents(queries: Queries): Promise<{ corrections: bigint; adjustments: bigint; vanished: bigint }> {
  return queries.one(
    z.object({ corrections: z.bigint(), adjustments: z.bigint(), vanished: z.bigint() }),
    sql`SELECT (SELECT count(*) FROM corrections) AS corrections, (SELECT count(*) FROM receipt_adjustments) AS adjustments,
               (SELECT count(*) FROM jobs WHERE state = 'VANISHED') AS vanished`,
  );
}

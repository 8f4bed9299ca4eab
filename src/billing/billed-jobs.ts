import { z } from "zod";
import { sql, type Queries, type Sql } from "../db/database.ts";
import { ITEM_COLUMNS, itemSchema, type ReceiptItem } from "./queries.ts";

/** Which job on which receipt. */
export interface BilledKey {
  readonly receiptId: bigint;
  readonly cluster: string;
  readonly rawJobId: string;
  readonly submitAt: number;
}

/** The snapshots that billed jobs were priced by, in no particular order. */
export function receiptItemsOf(queries: Queries, keys: readonly BilledKey[]): Promise<ReceiptItem[]> {
  if (keys.length === 0) return Promise.resolve([]);
  return queries.rows(
    itemSchema,
    sql`SELECT ${ITEM_COLUMNS} FROM receipt_items i JOIN ${billedKeys(keys)}
          ON i.receipt_id = k.receipt_id AND i.cluster = k.cluster AND i.raw_job_id = k.raw_job_id
            AND i.submit_at = to_timestamp(k.submit_epoch)`,
  );
}

/** What became of the difference between a billed job's record and its receipt, in minor units. */
export interface BilledDifference extends Omit<BilledKey, "receiptId"> {
  /** Still owed (negative: to be credited) by whoever got the receipt. */
  readonly owedMinor: bigint;
  /** Settled on later receipts. */
  readonly adjustedMinor: bigint;
}

/** The differences of billed jobs that were corrected; jobs without any are left out. */
export async function differencesOf(queries: Queries, keys: readonly BilledKey[]): Promise<BilledDifference[]> {
  if (keys.length === 0) return [];
  return queries.rows(
    differenceSchema,
    sql`SELECT k.cluster, k.raw_job_id, k.submit_epoch,
               owed_minor(c.cluster, c.raw_job_id, c.submit_at, c.user_name) AS owed,
               adjusted_minor(c.cluster, c.raw_job_id, c.submit_at, c.user_name) AS adjusted
        FROM ${billedKeys(keys)} JOIN receipts r ON r.id = k.receipt_id
        JOIN LATERAL (SELECT c.* FROM corrections c
                      WHERE c.cluster = k.cluster AND c.raw_job_id = k.raw_job_id
                        AND c.submit_at = to_timestamp(k.submit_epoch) AND c.user_name = r.user_name
                      LIMIT 1) c ON true`,
  );
}

const differenceSchema = z
  .object({
    cluster: z.string(),
    raw_job_id: z.string(),
    submit_epoch: z.bigint().transform(Number),
    owed: z.bigint(),
    adjusted: z.bigint(),
  })
  .transform((row): BilledDifference => ({
    cluster: row.cluster,
    rawJobId: row.raw_job_id,
    submitAt: row.submit_epoch,
    owedMinor: row.owed,
    adjustedMinor: row.adjusted,
  }));

function billedKeys(keys: readonly BilledKey[]): Sql {
  return sql`unnest(${keys.map((key) => key.receiptId.toString())}::bigint[], ${keys.map((key) => key.cluster)}::text[],
    ${keys.map((key) => key.rawJobId)}::text[], ${keys.map((key) => key.submitAt)}::bigint[])
    AS k (receipt_id, cluster, raw_job_id, submit_epoch)`;
}

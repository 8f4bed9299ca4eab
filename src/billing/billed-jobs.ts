import { z } from "zod";
import { raw, sql, type Queries, type Sql } from "../db/database.ts";
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
    sql`SELECT ${ITEM_COLUMNS} FROM receipt_items i JOIN ${billedKeys(keys)} ON ${sameJob("i")}`,
  );
}

/** Open corrections of billed jobs, summed per job: what Slurm says now less what was billed. */
export async function openCorrectionsOf(
  queries: Queries,
  keys: readonly BilledKey[],
): Promise<(Omit<BilledKey, "receiptId"> & { readonly differenceMinor: bigint })[]> {
  if (keys.length === 0) return [];
  const rows = await queries.rows(
    z.object({
      cluster: z.string(),
      raw_job_id: z.string(),
      submit_epoch: z.bigint().transform(Number),
      difference: z.string().transform(BigInt),
    }),
    sql`SELECT c.cluster, c.raw_job_id, k.submit_epoch, sum(c.after_minor - c.before_minor)::text AS difference
        FROM corrections c JOIN ${billedKeys(keys)} ON ${sameJob("c")}
        WHERE c.status = 'open' GROUP BY 1, 2, 3`,
  );
  return rows.map((row) => ({
    cluster: row.cluster,
    rawJobId: row.raw_job_id,
    submitAt: row.submit_epoch,
    differenceMinor: row.difference,
  }));
}

function billedKeys(keys: readonly BilledKey[]): Sql {
  return sql`unnest(${keys.map((key) => key.receiptId.toString())}::bigint[], ${keys.map((key) => key.cluster)}::text[],
    ${keys.map((key) => key.rawJobId)}::text[], ${keys.map((key) => key.submitAt)}::bigint[])
    AS k (receipt_id, cluster, raw_job_id, submit_epoch)`;
}

function sameJob(alias: "i" | "c"): Sql {
  return raw(`${alias}.receipt_id = k.receipt_id AND ${alias}.cluster = k.cluster AND ${alias}.raw_job_id = k.raw_job_id
    AND ${alias}.submit_at = to_timestamp(k.submit_epoch)`);
}

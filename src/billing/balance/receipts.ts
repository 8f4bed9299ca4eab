/** Last link of the chain: a receipt is the sum of its parts, and is paid, waited for, or void. */
import { z } from "zod";
import { join, sql, type Queries } from "../../db/database.ts";
import type { Break } from "../../usage/reconcile/breaks.ts";
import type { BooksDay } from "./window.ts";

/** Receipts that were issued on the day, or bill jobs that ended on it. */
export async function receiptsOfDay(queries: Queries, { from, to }: BooksDay): Promise<bigint[]> {
  const start = sql`to_timestamp(${from}::bigint)`;
  const end = sql`to_timestamp(${to}::bigint)`;
  const rows = await queries.rows(
    z.object({ id: z.bigint() }),
    sql`SELECT DISTINCT j.receipt_id AS id FROM jobs j
        WHERE j.end_at >= ${start} AND j.end_at < ${end} AND j.receipt_id IS NOT NULL
        UNION
        SELECT id FROM receipts WHERE issued_at >= ${start} AND issued_at < ${end}`,
  );
  return rows.map(({ id }) => id);
}

const minor = z.string().transform((text) => BigInt(text));

const receiptSchema = z.object({
  id: z.bigint(),
  number: z.string(),
  user_name: z.string(),
  status: z.enum(["pending", "paid", "void"]),
  paid_method: z.string().nullable(),
  currency: z.string(),
  jobs: z.bigint(),
  subtotal_minor: z.bigint(),
  adjustments_minor: z.bigint(),
  tax_minor: z.bigint(),
  tax_inclusive: z.boolean(),
  total_minor: z.bigint(),
  lines: minor,
  adjustments: minor,
  items: minor,
  item_count: z.bigint(),
  /** Items and adjustments that count although the receipt is void, or do not although it holds. */
  wrongly_active: z.bigint(),
  /** Items of jobs that we do not have, or that say they are on another receipt. */
  strays: z.bigint(),
  succeeded: z.bigint(),
  matching: z.bigint(),
  received: minor,
});

type CheckedReceipt = z.output<typeof receiptSchema>;

/** Reads some receipts with the sums of their parts. */
export function receiptsWithParts(queries: Queries, ids: readonly bigint[]): Promise<CheckedReceipt[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return queries.rows(
    receiptSchema,
    sql`SELECT r.id, r.number, r.user_name, r.status, r.paid_method, r.currency, r.jobs, r.subtotal_minor, r.adjustments_minor,
               r.tax_minor, r.tax_inclusive, r.total_minor, l.sum AS lines, a.sum AS adjustments, i.sum AS items,
               i.count AS item_count, i.wrongly_active + a.wrongly_active AS wrongly_active, i.strays, p.succeeded, p.matching,
               p.received
        FROM receipts r
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0)::text AS sum FROM receipt_lines WHERE receipt_id = r.id) l
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(amount_minor), 0)::text AS sum, count(*) FILTER (WHERE active = (r.status = 'void')) AS wrongly_active
          FROM receipt_adjustments WHERE receipt_id = r.id
        ) a
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(i.cpu_minor + i.gpu_minor + i.mem_minor), 0)::text AS sum, count(*) AS count,
                 count(*) FILTER (WHERE i.active = (r.status = 'void')) AS wrongly_active,
                 count(*) FILTER (WHERE i.active AND j.receipt_id IS DISTINCT FROM r.id) AS strays
          FROM receipt_items i
          LEFT JOIN jobs j ON j.cluster = i.cluster AND j.raw_job_id = i.raw_job_id AND j.submit_at = i.submit_at
          WHERE i.receipt_id = r.id
        ) i
        CROSS JOIN LATERAL (
          SELECT count(*) AS succeeded, coalesce(sum(amount_minor), 0)::text AS received,
                 count(*) FILTER (WHERE amount_minor = r.total_minor AND currency = r.currency AND provider = r.paid_method) AS matching
          FROM payments WHERE receipt_id = r.id AND status = 'succeeded'
        ) p
        WHERE r.id IN (${join(ids)}) ORDER BY r.id`,
  );
}

/** What does not add up in one receipt. */
export function breaksOfReceipt(receipt: CheckedReceipt): Break[] {
  const about = { receipt: { id: receipt.id, number: receipt.number }, userName: receipt.user_name };
  const taxOnTop = receipt.tax_inclusive ? 0n : receipt.tax_minor;
  const equal: readonly (readonly [what: string, stored: bigint, parts: bigint])[] = [
    ["subtotal_minor", receipt.subtotal_minor, receipt.lines + receipt.adjustments_minor],
    ["adjustments_minor", receipt.adjustments_minor, receipt.adjustments],
    ["lines_minor", receipt.lines, receipt.items],
    ["jobs", receipt.jobs, receipt.item_count],
    ["total_minor", receipt.total_minor, receipt.subtotal_minor + taxOnTop],
    ["items_of_other_receipts", receipt.strays, 0n],
    ["items_wrongly_counted", receipt.wrongly_active, 0n],
  ];
  const parts = equal.flatMap(([what, stored, sum]): Break[] =>
    stored === sum ? [] : [{ kind: "receipt", ...about, what, ours: String(stored), theirs: String(sum) }],
  );
  return isPaidAsItSays(receipt)
    ? parts
    : [
        ...parts,
        {
          kind: "payment",
          ...about,
          what: `payment of ${receipt.total_minor} ${receipt.currency}`,
          ours: `${receipt.status}${receipt.paid_method === null ? "" : ` (${receipt.paid_method})`}`,
          theirs: `${receipt.succeeded} payments succeeded, ${receipt.received} received`,
        },
      ];
}

/** Settled by hand, or without anything to pay: then no provider took money for it. */
const WITHOUT_PROVIDER: readonly (string | null)[] = ["manual", "nothing_to_pay"];

function isByProvider({ status, paid_method }: CheckedReceipt): boolean {
  return status === "paid" && !WITHOUT_PROVIDER.includes(paid_method);
}

function isPaidAsItSays(receipt: CheckedReceipt): boolean {
  if (isByProvider(receipt)) return receipt.succeeded === 1n && receipt.matching === 1n;
  return receipt.succeeded === 0n;
}

/** Receipts = payments + settled by hand + receivable + void, in minor units. */
export interface ReceiptSums {
  readonly count: bigint;
  readonly totalMinor: bigint;
  readonly paymentsMinor: bigint;
  readonly byHandMinor: bigint;
  readonly receivableMinor: bigint;
  readonly voidMinor: bigint;
}

export const NO_RECEIPTS: ReceiptSums = {
  count: 0n,
  totalMinor: 0n,
  paymentsMinor: 0n,
  byHandMinor: 0n,
  receivableMinor: 0n,
  voidMinor: 0n,
};

/** Payments count with what was received, so that the equation shows when that is not what was asked for. */
export function withReceipt(sums: ReceiptSums, receipt: CheckedReceipt): ReceiptSums {
  const { status, total_minor: total } = receipt;
  return {
    count: sums.count + 1n,
    totalMinor: sums.totalMinor + total,
    paymentsMinor: sums.paymentsMinor + receipt.received,
    byHandMinor: sums.byHandMinor + (status === "paid" && !isByProvider(receipt) ? total : 0n),
    receivableMinor: sums.receivableMinor + (status === "pending" ? total : 0n),
    voidMinor: sums.voidMinor + (status === "void" ? total : 0n),
  };
}

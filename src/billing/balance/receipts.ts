/** Last link of the chain: a receipt is the sum of its parts, and is paid, waited for, or void. */
import { z } from "zod";
import { join, sql, type Queries } from "../../db/database.ts";
import type { Break } from "../../usage/reconcile/breaks.ts";
import { dueMinor, statusByMoney, type ReceiptMoney } from "../states.ts";
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
  /** Items and adjustments that count although the receipt took them back, or do not although it holds. */
  wrongly_active: z.bigint(),
  /** Items of jobs that we do not have, or that say they are on another receipt. */
  strays: z.bigint(),
  received_minor: z.bigint(),
  credited_minor: z.bigint(),
  /** Of the movements of money: through providers, and recorded by hand. */
  by_provider: minor,
  by_hand: minor,
  /** Payments that succeeded, and what movements say of payments. */
  succeeded: minor,
  paid_in: minor,
  credit_notes: minor,
});

type CheckedReceipt = z.output<typeof receiptSchema>;

/** Reads some receipts with the sums of their parts. */
export function receiptsWithParts(queries: Queries, ids: readonly bigint[]): Promise<CheckedReceipt[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return queries.rows(
    receiptSchema,
    sql`SELECT r.id, r.number, r.user_name, r.status, r.currency, r.jobs, r.subtotal_minor, r.adjustments_minor, r.tax_minor,
               r.tax_inclusive, r.total_minor, l.sum AS lines, a.sum AS adjustments, i.sum AS items, i.count AS item_count,
               i.wrongly_active + a.wrongly_active AS wrongly_active, i.strays, r.received_minor, r.credited_minor,
               m.by_provider, m.by_hand, m.paid_in, p.succeeded, n.credit_notes
        FROM receipts r
        CROSS JOIN LATERAL (SELECT r.status = 'void' OR r.jobs_released AS was_taken_back) t
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0)::text AS sum FROM receipt_lines WHERE receipt_id = r.id) l
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(amount_minor), 0)::text AS sum, count(*) FILTER (WHERE active = t.was_taken_back) AS wrongly_active
          FROM receipt_adjustments WHERE receipt_id = r.id
        ) a
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(i.cpu_minor + i.gpu_minor + i.mem_minor), 0)::text AS sum, count(*) AS count,
                 count(*) FILTER (WHERE i.active = t.was_taken_back) AS wrongly_active,
                 count(*) FILTER (WHERE i.active AND j.receipt_id IS DISTINCT FROM r.id) AS strays
          FROM receipt_items i
          LEFT JOIN jobs j ON j.cluster = i.cluster AND j.raw_job_id = i.raw_job_id AND j.submit_at = i.submit_at
          WHERE i.receipt_id = r.id
        ) i
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(m.amount_minor) FILTER (WHERE b.is_by_provider), 0)::text AS by_provider,
                 coalesce(sum(m.amount_minor) FILTER (WHERE NOT b.is_by_provider), 0)::text AS by_hand,
                 coalesce(sum(m.amount_minor) FILTER (WHERE m.kind = 'payment'), 0)::text AS paid_in
          FROM money_movements m LEFT JOIN refunds f ON f.id = m.refund_id
          CROSS JOIN LATERAL (SELECT m.payment_id IS NOT NULL OR m.dispute_id IS NOT NULL OR f.payment_id IS NOT NULL AS is_by_provider) b
          WHERE m.receipt_id = r.id
        ) m
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(amount_minor), 0)::text AS succeeded FROM payments WHERE receipt_id = r.id AND status = 'succeeded'
        ) p
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(total_minor), 0)::text AS credit_notes FROM credit_notes WHERE receipt_id = r.id
        ) n
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
    ["received_minor", receipt.received_minor, receipt.by_provider + receipt.by_hand],
    ["credited_minor", receipt.credited_minor, receipt.credit_notes],
  ];
  const parts = equal.flatMap(([what, stored, sum]): Break[] =>
    stored === sum ? [] : [{ kind: "receipt", ...about, what, ours: String(stored), theirs: String(sum) }],
  );
  return [...parts, ...paymentBreaks(receipt).map((one): Break => ({ kind: "payment", ...about, ...one }))];
}

/** A receipt says it is paid exactly when nothing is due, and what providers took for it is in its books. */
function paymentBreaks(receipt: CheckedReceipt): Pick<Break, "what" | "ours" | "theirs">[] {
  const { status, currency, total_minor: total, succeeded, paid_in: paidIn } = receipt;
  const due = dueMinor(moneyOf(receipt), status);
  const right = statusByMoney(moneyOf(receipt), status);
  return [
    ...(status === right
      ? []
      : [{ what: `payment of ${total} ${currency}`, ours: status, theirs: `${right}: ${due} is due` }]),
    ...(succeeded === paidIn
      ? []
      : [{ what: `payment of ${total} ${currency}`, ours: `${paidIn} received`, theirs: `${succeeded} in payments` }]),
  ];
}

function moneyOf(receipt: CheckedReceipt): ReceiptMoney {
  return {
    totalMinor: receipt.total_minor,
    creditedMinor: receipt.credited_minor,
    receivedMinor: receipt.received_minor,
  };
}

/** Receipts = payments + by hand + credited + receivable − to pay back + void, in minor units. */
export interface ReceiptSums {
  readonly count: bigint;
  readonly totalMinor: bigint;
  /** Through providers, less what they paid back. */
  readonly paymentsMinor: bigint;
  /** Recorded by hand or from bank statements, less what was paid back by hand. */
  readonly byHandMinor: bigint;
  readonly creditedMinor: bigint;
  readonly receivableMinor: bigint;
  readonly toPayBackMinor: bigint;
  readonly voidMinor: bigint;
}

export const NO_RECEIPTS: ReceiptSums = {
  count: 0n,
  totalMinor: 0n,
  paymentsMinor: 0n,
  byHandMinor: 0n,
  creditedMinor: 0n,
  receivableMinor: 0n,
  toPayBackMinor: 0n,
  voidMinor: 0n,
};

/** Money counts as it moved, so that the equation shows when the receipt says something else. */
export function withReceipt(sums: ReceiptSums, receipt: CheckedReceipt): ReceiptSums {
  const { status, total_minor: total } = receipt;
  const due = dueMinor(moneyOf(receipt), status);
  return {
    count: sums.count + 1n,
    totalMinor: sums.totalMinor + total,
    paymentsMinor: sums.paymentsMinor + receipt.by_provider,
    byHandMinor: sums.byHandMinor + receipt.by_hand,
    creditedMinor: sums.creditedMinor + receipt.credit_notes,
    receivableMinor: sums.receivableMinor + (due > 0n ? due : 0n),
    toPayBackMinor: sums.toPayBackMinor + (due < 0n ? -due : 0n),
    voidMinor: sums.voidMinor + (status === "void" ? total : 0n),
  };
}

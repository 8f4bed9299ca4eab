import { z } from "zod";
import { sql, type Actor, type Transaction } from "../db/database.ts";
import { ConflictError, UserError } from "../errors.ts";
import { jobColumns, jobSchema, type StoredJob } from "../usage/jobs.ts";
import { readPricing, type Pricing } from "../usage/prices/book.ts";
import { repriceJobs } from "../usage/prices/reprice.ts";
import { addToRollup } from "../usage/rollup.ts";
import type { BillingContext } from "./issue.ts";

const lockedReceiptSchema = z.object({
  id: z.bigint(),
  number: z.string(),
  user_name: z.string(),
  status: z.enum(["pending", "paid", "void"]),
  total_minor: z.bigint(),
  currency: z.string(),
});

export type LockedReceipt = z.output<typeof lockedReceiptSchema>;

/** Reads a receipt and holds it until the transaction ends: every change of its status goes through this row. */
export function lockReceipt(tx: Transaction, id: bigint): Promise<LockedReceipt | undefined> {
  return tx.maybeOne(
    lockedReceiptSchema,
    sql`SELECT id, number, user_name, status, total_minor, currency FROM receipts WHERE id = ${id} FOR UPDATE`,
  );
}

/** Settles a locked, pending receipt. Part of a larger transaction: a payment, or `markPaid`. */
export async function settleReceipt(
  tx: Transaction,
  receipt: LockedReceipt,
  settlement: { readonly at: Date; readonly method: string; readonly reference: string },
  by: Actor,
): Promise<void> {
  if (receipt.status !== "pending") throw new ConflictError(`receipt ${receipt.number} is ${receipt.status} already`);
  await tx.run(
    sql`UPDATE receipts SET status = 'paid', paid_at = ${settlement.at}, paid_method = ${settlement.method},
          paid_reference = ${settlement.reference}
        WHERE id = ${receipt.id}`,
  );
  tx.audit({
    ...by,
    action: "receipt.paid",
    subject: `receipt:${receipt.number}`,
    details: {
      method: settlement.method,
      reference: settlement.reference,
      total_minor: receipt.total_minor,
      currency: receipt.currency,
      before: "pending",
      after: "paid",
    },
  });
}

async function requirePending(tx: Transaction, id: bigint, what: string): Promise<LockedReceipt> {
  const receipt = await lockReceipt(tx, id);
  if (receipt === undefined) throw new UserError("there is no such receipt", { status: 404 });
  if (receipt.status !== "pending") {
    throw new ConflictError(
      `receipt ${receipt.number} is ${receipt.status} already; only one that waits for payment can be ${what}`,
    );
  }
  return receipt;
}

/** An admin states that a receipt was paid outside of the platform. Open checkouts of it are canceled. */
export async function markPaid(context: BillingContext, id: bigint, reference: string, by: Actor): Promise<void> {
  const text = reference.trim();
  if (text === "" || text.length > 200) {
    throw new UserError(
      "a reference is needed (1 to 200 characters): the bank's transfer number, a voucher, a journal line",
    );
  }
  await context.db.transaction(async (tx) => {
    const receipt = await requirePending(tx, id, "marked as paid");
    await cancelOpenCheckouts(tx, receipt, by);
    await settleReceipt(tx, receipt, { at: context.clock.now(), method: "manual", reference: text }, by);
  });
}

/** Takes back an unpaid receipt: its number stays, marked void, and its jobs are offered for billing again. */
export async function voidReceipt(context: BillingContext, id: bigint, reason: string, by: Actor): Promise<void> {
  const text = reason.trim();
  if (text === "" || text.length > 500)
    throw new UserError("a reason is needed (1 to 500 characters): it stays with the receipt");
  await context.db.transaction(async (tx) => {
    const pricing = await readPricing(tx, context.currency, { hold: true });
    const receipt = await requirePending(tx, id, "voided");
    await cancelOpenCheckouts(tx, receipt, by);
    await tx.run(
      sql`UPDATE receipts SET status = 'void', voided_at = ${context.clock.now()}, voided_by = ${by.actor}, void_reason = ${text}
          WHERE id = ${id}`,
    );
    await releaseJobs(tx, id, pricing);
    tx.audit({
      ...by,
      action: "receipt.voided",
      subject: `receipt:${receipt.number}`,
      details: { reason: text, total_minor: receipt.total_minor, before: "pending", after: "void" },
    });
  });
}

async function releaseJobs(tx: Transaction, receiptId: bigint, pricing: Pricing): Promise<void> {
  await tx.run(sql`UPDATE receipt_items SET active = false WHERE receipt_id = ${receiptId}`);
  // Released jobs are priced anew from their newest record, so an open correction of them has nothing left to correct.
  await tx.run(sql`UPDATE corrections SET status = 'superseded' WHERE receipt_id = ${receiptId} AND status = 'open'`);
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

async function cancelOpenCheckouts(tx: Transaction, receipt: LockedReceipt, by: Actor): Promise<void> {
  const canceled = await tx.rows(
    z.object({ external_payment_id: z.string() }),
    sql`UPDATE payments SET status = 'canceled' WHERE receipt_id = ${receipt.id} AND status = 'pending' RETURNING external_payment_id`,
  );
  for (const payment of canceled) {
    tx.audit({
      ...by,
      action: "payment.canceled",
      subject: `payment:${payment.external_payment_id}`,
      details: { receipt: receipt.number, before: "pending", after: "canceled" },
    });
  }
}

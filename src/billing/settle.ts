import { z } from "zod";
import { sql, type Actor, type Transaction } from "../db/database.ts";
import { ConflictError, UserError } from "../errors.ts";
import { readPricing } from "../usage/prices/book.ts";
import type { BillingContext } from "./issue.ts";
import { lockJobsOf, releaseAdjustments, releaseJobs } from "./release.ts";

const lockedReceiptSchema = z.object({
  id: z.bigint(),
  number: z.string(),
  user_name: z.string(),
  status: z.enum(["pending", "paid", "void"]),
  total_minor: z.bigint(),
  currency: z.string(),
});

export type LockedReceipt = z.output<typeof lockedReceiptSchema>;

/**
 * Reads a receipt and holds it until the transaction ends: every change of its status goes through this row. A new receipt
 * may refer to it meanwhile.
 */
export function lockReceipt(tx: Transaction, id: bigint): Promise<LockedReceipt | undefined> {
  return tx.maybeOne(
    lockedReceiptSchema,
    sql`SELECT id, number, user_name, status, total_minor, currency FROM receipts WHERE id = ${id} FOR NO KEY UPDATE`,
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

/**
 * Takes back an unpaid receipt: its number stays, marked void, its jobs are offered for billing again, and what it settled
 * of other jobs is owed again.
 */
export async function voidReceipt(context: BillingContext, id: bigint, reason: string, by: Actor): Promise<void> {
  const text = reason.trim();
  if (text === "" || text.length > 500)
    throw new UserError("a reason is needed (1 to 500 characters): it stays with the receipt");
  await context.db.transaction(async (tx) => {
    const pricing = await readPricing(tx, context.currency, { hold: true });
    const receipt = await requirePending(tx, id, "voided");
    await cancelOpenCheckouts(tx, receipt, by);
    const at = context.clock.now();
    await lockJobsOf(tx, id);
    await tx.run(
      sql`UPDATE receipts SET status = 'void', voided_at = ${at}, voided_by = ${by.actor}, void_reason = ${text}
          WHERE id = ${id}`,
    );
    await releaseJobs(tx, id, pricing);
    await releaseAdjustments(tx, { id, userName: receipt.user_name }, at, by);
    tx.audit({
      ...by,
      action: "receipt.voided",
      subject: `receipt:${receipt.number}`,
      details: { reason: text, total_minor: receipt.total_minor, before: "pending", after: "void" },
    });
  });
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

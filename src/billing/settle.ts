/** What an admin does to a receipt's money by hand, and voiding. */
import { z } from "zod";
import { sql, type Actor, type Transaction } from "../db/database.ts";
import { ConflictError, UserError } from "../errors.ts";
import { readPricing } from "../usage/prices/book.ts";
import type { BillingContext } from "./issue.ts";
import { requireReceipt, type LockedReceipt } from "./locked-receipt.ts";
import { moveMoney, movementsOf, type Movement } from "./money-movements.ts";
import { cancelOpenCheckouts } from "./open-checkouts.ts";
import { lockJobsOf, releaseAdjustments, releaseJobs } from "./release.ts";
import { dueMinor } from "./states.ts";

export const REFERENCE_LONGEST = 200;
export const REASON_LONGEST = 500;

/** @throws {UserError} for a text that is empty or too long. */
export function requireReason(text: string): string {
  const reason = text.trim();
  if (reason === "" || reason.length > REASON_LONGEST)
    throw new UserError(`a reason is needed (1 to ${REASON_LONGEST} characters): it stays with the receipt`);
  return reason;
}

/** @throws {UserError} for a text that is empty or too long. */
export function requireReference(text: string): string {
  const reference = text.trim();
  if (reference === "" || reference.length > REFERENCE_LONGEST) {
    throw new UserError(
      `a reference is needed (1 to ${REFERENCE_LONGEST} characters): the bank's transfer number, a voucher, a journal line`,
    );
  }
  return reference;
}

/**
 * An admin states that money for a receipt came in outside of the platform: what is due, unless another amount is given. Less
 * leaves the rest to be paid; more is owed back.
 */
export async function markPaid(
  context: BillingContext,
  id: bigint,
  reference: string,
  by: Actor,
  amountMinor?: bigint,
): Promise<void> {
  const text = requireReference(reference);
  await context.db.transaction(async (tx) => {
    const receipt = await requirePending(tx, id, "marked as paid");
    const amount = amountMinor ?? dueMinor(receipt, receipt.status);
    if (amount <= 0n) throw new UserError("the amount that was paid must be more than zero");
    const movement = { amountMinor: amount, currency: receipt.currency, at: context.clock.now(), reference: text };
    await moveMoney(tx, receipt, { source: { kind: "manual" }, ...movement }, by);
  });
}

async function requirePending(tx: Transaction, id: bigint, what: string): Promise<LockedReceipt> {
  const receipt = await requireReceipt(tx, id);
  if (receipt.status !== "pending") {
    throw new ConflictError(
      `receipt ${receipt.number} is ${receipt.status} already; only one that waits for payment can be ${what}`,
    );
  }
  return receipt;
}

/**
 * Takes back the newest thing that was recorded by hand: a payment, or a bank transfer matched to the receipt, which is
 * open again then.
 *
 * @throws {ConflictError} when there is none, or something later rests on it.
 */
export async function revertManual(context: BillingContext, id: bigint, reason: string, by: Actor): Promise<void> {
  const text = requireReason(reason);
  await context.db.transaction(async (tx) => {
    const receipt = await requireReceipt(tx, id);
    const last = revertible(await movementsOf(tx, id));
    if (last === undefined)
      throw new ConflictError(`receipt ${receipt.number} has no payment recorded by hand that could be taken back`);
    await refuseIfNeeded(tx, receipt, last);
    await moveMoney(
      tx,
      receipt,
      {
        source: { kind: "revert", reversesId: last.id },
        amountMinor: -last.amountMinor,
        currency: receipt.currency,
        at: context.clock.now(),
        reference: text,
      },
      by,
    );
    if (last.bankLineId !== null) {
      await tx.run(
        sql`UPDATE bank_lines SET status = 'open', receipt_id = NULL, decided_by = ${by.actor}, decided_at = ${context.clock.now()},
              note = ${text}
            WHERE id = ${last.bankLineId}`,
      );
    }
  });
}

/** The newest movement of a receipt, if a person recorded it; what was taken back already does not count. */
export function revertible(movements: readonly Movement[]): Movement | undefined {
  const last = movements.findLast(({ isReverted, kind }) => !isReverted && kind !== "revert");
  return last?.kind === "manual" || last?.kind === "transfer" ? last : undefined;
}

/** Credit notes and refunds since then were made for a receipt that was paid. */
async function refuseIfNeeded(tx: Transaction, receipt: LockedReceipt, movement: Movement): Promise<void> {
  const later = await tx.maybeOne(
    z.object({ what: z.string() }),
    sql`SELECT 'credit note ' || number AS what FROM credit_notes WHERE receipt_id = ${receipt.id} AND issued_at >= ${movement.at}
        UNION ALL
        SELECT 'refund ' || id FROM refunds
        WHERE receipt_id = ${receipt.id} AND requested_at >= ${movement.at} AND status <> 'failed'
        LIMIT 1`,
  );
  if (later !== undefined)
    throw new ConflictError(
      `this payment of ${receipt.number} cannot be taken back: ${later.what} came after it and rests on it`,
    );
}

/**
 * Takes back an unpaid receipt: its number stays, marked void, its jobs are offered for billing again, and what it settled
 * of other jobs is owed again.
 *
 * @throws {ConflictError} when money came in for it, or a credit note corrected it: then a credit note takes back the rest.
 */
export async function voidReceipt(context: BillingContext, id: bigint, reason: string, by: Actor): Promise<void> {
  const text = requireReason(reason);
  await context.db.transaction(async (tx) => {
    const pricing = await readPricing(tx, context.currency, { hold: true });
    const receipt = await requirePending(tx, id, "voided");
    if (receipt.receivedMinor !== 0n || receipt.creditedMinor !== 0n) {
      throw new ConflictError(
        `receipt ${receipt.number} cannot be voided: a part of it was paid or credited; issue a credit note for the rest`,
      );
    }
    await cancelOpenCheckouts(tx, receipt, by);
    const at = context.clock.now();
    await lockJobsOf(tx, id);
    await tx.run(
      sql`UPDATE receipts SET status = 'void', voided_at = ${at}, voided_by = ${by.actor}, void_reason = ${text}
          WHERE id = ${id}`,
    );
    await releaseJobs(tx, id, pricing);
    await releaseAdjustments(tx, receipt, at, by);
    tx.audit({
      ...by,
      action: "receipt.voided",
      subject: `receipt:${receipt.number}`,
      details: { reason: text, total_minor: receipt.totalMinor, before: "pending", after: "void" },
    });
  });
}

/**
 * Pays (a part of) one receipt with what is owed back on another of the same person.
 *
 * @returns the amount, in minor units: what is owed back, up to what is due.
 * @throws {ConflictError} when nothing is owed or due, or the receipts are of different people or currencies.
 */
export async function moveCredit(
  context: BillingContext,
  { fromId, toId }: { readonly fromId: bigint; readonly toId: bigint },
  by: Actor,
): Promise<bigint> {
  if (fromId === toId) throw new UserError("a receipt cannot be paid with its own money: name another one");
  return context.db.transaction(async (tx) => {
    // Always in the same order, so that two that cross do not wait for each other.
    const locked = new Map<bigint, LockedReceipt>();
    for (const id of fromId < toId ? [fromId, toId] : [toId, fromId]) locked.set(id, await requireReceipt(tx, id));
    const [from, to] = [locked.get(fromId), locked.get(toId)];
    if (from === undefined || to === undefined) throw new Error("a locked receipt has vanished");
    if (from.userName !== to.userName)
      throw new ConflictError(`${from.number} is of ${from.userName} and ${to.number} of ${to.userName}`);
    const credit = await freeCredit(tx, from);
    const due = to.status === "pending" ? dueMinor(to, to.status) : 0n;
    const amount = credit < due ? credit : due;
    if (credit <= 0n) throw new ConflictError(`nothing is owed back on ${from.number}`);
    if (amount <= 0n) throw new ConflictError(`nothing is to be paid on ${to.number}`);
    const shared = { currency: from.currency, at: context.clock.now() };
    const out = { kind: "moved_out", otherReceiptId: to.id } as const;
    await moveMoney(tx, from, { ...shared, source: out, amountMinor: -amount, reference: to.number }, by);
    const into = { kind: "moved_in", otherReceiptId: from.id } as const;
    await moveMoney(tx, to, { ...shared, source: into, amountMinor: amount, reference: from.number }, by);
    return amount;
  });
}

/** What is owed back on a locked receipt and not yet on its way back, in minor units. */
export async function freeCredit(tx: Transaction, receipt: LockedReceipt): Promise<bigint> {
  const { open } = await tx.one(
    z.object({ open: z.bigint() }),
    sql`SELECT coalesce(sum(amount_minor), 0)::bigint AS open FROM refunds
        WHERE receipt_id = ${receipt.id} AND status IN ('requested', 'pending')`,
  );
  return -dueMinor(receipt, receipt.status) - open;
}

/** Money in and out of receipts: each movement is a row that stays, and the receipt's state follows from their sum. */
import { z } from "zod";
import { sql, type Actor, type Queries, type Transaction } from "../db/database.ts";
import { ConflictError } from "../errors.ts";
import type { LockedReceipt } from "./locked-receipt.ts";
import { cancelOpenCheckouts } from "./open-checkouts.ts";
import { dueMinor, statusByMoney } from "./states.ts";

/** What moved the money, with what it belongs to. Amounts are in minor units; positive came in, negative went out. */
export type MovementSource =
  | { readonly kind: "payment"; readonly paymentId: bigint; readonly provider: string }
  | { readonly kind: "transfer"; readonly bankLineId: bigint }
  | { readonly kind: "manual" }
  | { readonly kind: "revert"; readonly reversesId: bigint }
  | { readonly kind: "refund" | "refund_returned"; readonly refundId: bigint }
  | { readonly kind: "chargeback" | "chargeback_returned"; readonly disputeId: bigint }
  | { readonly kind: "moved_out" | "moved_in"; readonly otherReceiptId: bigint };

export interface NewMovement {
  readonly source: MovementSource;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly at: Date;
  /** What finance finds it by. */
  readonly reference: string;
}

/**
 * Writes down that money moved for a locked receipt, and lets its status follow. Part of a larger transaction.
 *
 * @returns the receipt as it stands then.
 * @throws {ConflictError} for another currency than the receipt's.
 */
export async function moveMoney(
  tx: Transaction,
  receipt: LockedReceipt,
  movement: NewMovement,
  by: Actor,
): Promise<LockedReceipt> {
  if (movement.currency !== receipt.currency) {
    throw new ConflictError(`receipt ${receipt.number} is in ${receipt.currency}, not in ${movement.currency}`);
  }
  const { source, amountMinor, at, reference } = movement;
  await tx.run(
    sql`INSERT INTO money_movements (receipt_id, kind, amount_minor, currency, at, recorded_by, reference, payment_id, refund_id,
                                     dispute_id, bank_line_id, reverses_id, other_receipt_id)
        VALUES (${receipt.id}, ${source.kind}, ${amountMinor}, ${receipt.currency}, ${at}, ${by.actor}, ${reference},
                ${"paymentId" in source ? source.paymentId : null}, ${"refundId" in source ? source.refundId : null},
                ${"disputeId" in source ? source.disputeId : null}, ${"bankLineId" in source ? source.bankLineId : null},
                ${"reversesId" in source ? source.reversesId : null},
                ${"otherReceiptId" in source ? source.otherReceiptId : null})`,
  );
  const after = { ...receipt, receivedMinor: receipt.receivedMinor + amountMinor };
  tx.audit({
    ...by,
    action: `money.${source.kind}`,
    subject: `receipt:${receipt.number}`,
    details: {
      amount_minor: amountMinor,
      currency: receipt.currency,
      reference,
      due_before: dueMinor(receipt, receipt.status),
      due_after: dueMinor(after, receipt.status),
    },
  });
  const method = source.kind === "payment" ? source.provider : source.kind;
  return settle(tx, receipt, after, { at, method, reference }, by);
}

/** How a receipt came to be paid, if it did. */
interface Settlement {
  readonly at: Date;
  readonly method: string;
  readonly reference: string;
}

/** Writes the receipt's new sums, and the status that follows from them. Checkouts of the former amount are called off. */
export async function settle(
  tx: Transaction,
  before: LockedReceipt,
  after: LockedReceipt,
  { at, method, reference }: Settlement,
  by: Actor,
): Promise<LockedReceipt> {
  const status = statusByMoney(after, before.status);
  await cancelOpenCheckouts(tx, before, by);
  const sums = sql`received_minor = ${after.receivedMinor}, credited_minor = ${after.creditedMinor}`;
  if (status === before.status) {
    await tx.run(sql`UPDATE receipts SET ${sums} WHERE id = ${before.id}`);
    return after;
  }
  const isPaid = status === "paid";
  await tx.run(
    sql`UPDATE receipts SET ${sums}, status = ${status}, paid_at = ${isPaid ? at : null}, paid_method = ${isPaid ? method : null},
          paid_reference = ${isPaid ? reference : null}
        WHERE id = ${before.id}`,
  );
  tx.audit({
    ...by,
    action: isPaid ? "receipt.paid" : "receipt.reopened",
    subject: `receipt:${before.number}`,
    details: {
      method,
      reference,
      total_minor: before.totalMinor,
      due_minor: dueMinor(after, status),
      currency: before.currency,
      before: before.status,
      after: status,
    },
  });
  return { ...after, status };
}

const movementSchema = z
  .object({
    id: z.bigint(),
    kind: z.enum([
      "payment",
      "transfer",
      "manual",
      "revert",
      "refund",
      "refund_returned",
      "chargeback",
      "chargeback_returned",
      "moved_out",
      "moved_in",
    ]),
    amount_minor: z.bigint(),
    at: z.date(),
    recorded_by: z.string(),
    reference: z.string(),
    reverses_id: z.bigint().nullable(),
    bank_line_id: z.bigint().nullable(),
    is_reverted: z.boolean(),
    other_receipt_id: z.bigint().nullable(),
    other_number: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    kind: row.kind,
    amountMinor: row.amount_minor,
    at: row.at,
    recordedBy: row.recorded_by,
    reference: row.reference,
    reversesId: row.reverses_id,
    bankLineId: row.bank_line_id,
    isReverted: row.is_reverted,
    otherReceipt:
      row.other_receipt_id === null ? null : { id: row.other_receipt_id, number: row.other_number ?? "unknown" },
  }));

/** One movement of money as it was written down. */
export type Movement = z.output<typeof movementSchema>;

/** All that moved for a receipt, oldest first. */
export function movementsOf(queries: Queries, receiptId: bigint): Promise<Movement[]> {
  return queries.rows(
    movementSchema,
    sql`SELECT m.id, m.kind, m.amount_minor, m.at, m.recorded_by, m.reference, m.reverses_id, m.bank_line_id,
               EXISTS (SELECT FROM money_movements v WHERE v.reverses_id = m.id) AS is_reverted, m.other_receipt_id,
               o.number AS other_number
        FROM money_movements m LEFT JOIN receipts o ON o.id = m.other_receipt_id
        WHERE m.receipt_id = ${receiptId} ORDER BY m.id`,
  );
}

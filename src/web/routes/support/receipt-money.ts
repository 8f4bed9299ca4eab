/** Reads everything about a receipt's money that its pages show. */
import { remainingSubtotal } from "../../../billing/credit-note-amounts.ts";
import { creditableOf, creditNotesOf } from "../../../billing/credit-note-queries.ts";
import { movementsOf } from "../../../billing/money-movements.ts";
import type { Receipt } from "../../../billing/queries.ts";
import { revertible } from "../../../billing/settle.ts";
import type { Queries } from "../../../db/database.ts";
import type { PaymentContext } from "../../../payments/context.ts";
import { disputesOf } from "../../../payments/disputes.ts";
import { refundablePayments, refundsOf } from "../../../payments/refunds.ts";
import type { MoneyOptions, ReceiptMoney } from "../../pages/receipts/money-model.ts";

export async function moneyOf(queries: Queries, { id }: Receipt): Promise<ReceiptMoney> {
  const [movements, creditNotes, refunds, disputes] = await Promise.all([
    movementsOf(queries, id),
    creditNotesOf(queries, id),
    refundsOf(queries, id),
    disputesOf(queries, id),
  ]);
  return { movements, creditNotes, refunds, disputes };
}

export async function optionsOf(
  payments: PaymentContext,
  receipt: Receipt,
  { movements, creditNotes, refunds }: Omit<ReceiptMoney, "disputes">,
): Promise<MoneyOptions> {
  const { creditable, owedJobs } = await creditableOf(payments.db, receipt, { lock: false });
  const underWay = refunds
    .filter(({ status }) => status === "requested" || status === "pending")
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  const isUntouched = receipt.receivedMinor === 0n && receipt.creditedMinor === 0n;
  const hasRest = remainingSubtotal(creditable) > 0n && receipt.creditedMinor < receipt.totalMinor;
  const last = revertible(movements);
  // What came after it was made for a receipt that was paid: `revertManual` would refuse.
  const isNeeded =
    last !== undefined &&
    (creditNotes.some(({ issuedAt }) => issuedAt >= last.at) ||
      refunds.some(({ requestedAt, status }) => requestedAt >= last.at && status !== "failed"));
  return {
    canVoid: receipt.status === "pending" && isUntouched,
    creditable: receipt.status !== "void" && hasRest ? creditable : null,
    correctionsMinor: owedJobs.reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
    freeCreditMinor: -receipt.dueMinor - underWay,
    refundable: receipt.dueMinor < 0n ? await refundablePayments(payments, receipt.id) : [],
    revertible: isNeeded ? undefined : last,
  };
}

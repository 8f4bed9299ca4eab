/** What pages show of a receipt's money. */
import type { Creditable } from "../../../billing/credit-note-amounts.ts";
import type { CreditNote } from "../../../billing/credit-note-queries.ts";
import type { Movement } from "../../../billing/money-movements.ts";
import type { Dispute } from "../../../payments/disputes.ts";
import type { Refund, RefundablePayment } from "../../../payments/refunds.ts";

/** What moved for a receipt, and what corrected it. */
export interface ReceiptMoney {
  readonly movements: readonly Movement[];
  readonly creditNotes: readonly CreditNote[];
  readonly refunds: readonly Refund[];
  readonly disputes: readonly Dispute[];
}

/** What an admin can do about a receipt's money now. */
export interface MoneyOptions {
  readonly canVoid: boolean;
  /** What a credit note could give back; null when nothing is left. */
  readonly creditable: Creditable | null;
  /** Owed back by corrections of its jobs, which a credit note can settle; in minor units. */
  readonly correctionsMinor: bigint;
  /** Owed back and not on its way yet. */
  readonly freeCreditMinor: bigint;
  readonly refundable: readonly RefundablePayment[];
  readonly revertible: Movement | undefined;
}

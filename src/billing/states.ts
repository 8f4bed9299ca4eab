/**
 * The states of receipts, payments and refunds, and every move between them. The database refuses the others
 * (migrations/0007_money.sql); `docs/payments.md` shows the same as a diagram.
 */

/** What a receipt's state rests on, in minor units. */
export interface ReceiptMoney {
  readonly totalMinor: bigint;
  /** By credit notes. */
  readonly creditedMinor: bigint;
  /** Received less paid back. */
  readonly receivedMinor: bigint;
}

export type ReceiptStatus = "pending" | "paid" | "void";

/** What a receipt still asks for; below zero, what is owed to its payer. A void one asks for nothing. */
export function dueMinor({ totalMinor, creditedMinor, receivedMinor }: ReceiptMoney, status: ReceiptStatus): bigint {
  return status === "void" ? -receivedMinor : totalMinor - creditedMinor - receivedMinor;
}

/**
 * A receipt's status follows its money and is never set by itself:
 *
 *     pending ──── nothing is due any more ────► paid
 *        ▲                                        │
 *        └──── money went back, or bounced ───────┘
 *     pending ──── voided, untouched by money ──► void (for good)
 */
export function statusByMoney(money: ReceiptMoney, status: ReceiptStatus): ReceiptStatus {
  if (status === "void") return "void";
  return dueMinor(money, status) > 0n ? "pending" : "paid";
}

/** Where a payment may go from each of its states. What a bank reports late is true all the same. */
export const PAYMENT_MOVES = {
  pending: ["processing", "succeeded", "failed", "canceled", "expired"],
  processing: ["succeeded", "failed", "canceled"],
  succeeded: [],
  failed: ["succeeded"],
  canceled: ["succeeded"],
  expired: ["succeeded"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type PaymentStatus = keyof typeof PAYMENT_MOVES;

/** The states that a payment in state `From` may go to. */
export type PaymentMove<From extends PaymentStatus> = (typeof PAYMENT_MOVES)[From][number];

/** Whether a payment may go there; then the compiler knows it, too. */
export function mayMove<From extends PaymentStatus>(from: From, to: PaymentStatus): to is PaymentMove<From> {
  return PAYMENT_MOVES[from].some((state) => state === to);
}

/** Where a refund may go. A bank can return one that had succeeded, as when the card's account is closed. */
export const REFUND_MOVES = {
  requested: ["pending", "succeeded", "failed"],
  pending: ["succeeded", "failed"],
  succeeded: ["failed"],
  failed: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type RefundStatus = keyof typeof REFUND_MOVES;

export function mayRefundMove(from: RefundStatus, to: RefundStatus): boolean {
  return REFUND_MOVES[from].some((state) => state === to);
}

export type DisputeStatus = "open" | "won" | "lost";

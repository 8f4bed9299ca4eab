/**
 * What a way to be paid has to do. A centre adds its own in one file that exports a function returning a
 * `PaymentProvider`, and names it in `src/payment-providers.ts`; `docs/payments.md` goes through it step by step.
 *
 * A provider only translates: it knows no database, and nothing it says is believed without the core's own checks of
 * payment, amount and currency.
 */
import type { Currency } from "../rating/money.ts";

/** What a provider is asked to collect. */
export interface CheckoutRequest {
  readonly receiptId: bigint;
  readonly receiptNumber: string;
  readonly amountMinor: bigint;
  readonly currency: Currency;
  /** Asking again with the same key must lead to the same checkout, never to a second one that can be paid. */
  readonly idempotencyKey: string;
  /** Absolute address to which the payer comes back, paid or not. */
  readonly returnUrl: string;
  readonly lang: "en" | "th";
}

/** A checkout at the provider: where to send the payer, and the id its events will name. */
export interface Checkout {
  readonly externalPaymentId: string;
  readonly url: string;
}

/**
 * How a payment can end, and what it can be before:
 * - `pending`: nobody has paid yet;
 * - `processing`: the payer has done their part and the bank takes its time;
 * - `succeeded`: the money is there;
 * - `failed`: it was declined, and this checkout cannot be tried again;
 * - `canceled`: it was called off, by the payer or by us;
 * - `expired`: nobody paid in time.
 */
export type PaymentStatus = "pending" | "processing" | "succeeded" | "failed" | "canceled" | "expired";

/** An event whose signature was right, in our words. */
export interface PaymentEvent {
  readonly eventId: string;
  /**
   * What became of the payment; or `changed` where something was paid back or disputed, which `fetchPayment` will tell;
   * or `other` for what does not matter here.
   */
  readonly outcome: Exclude<PaymentStatus, "pending"> | "changed" | "other";
  readonly eventType: string;
  /** The checkout's id, or the reference that the provider gave the payment later. */
  readonly externalPaymentId: string;
  readonly amountMinor: bigint;
  /** ISO 4217, upper case. */
  readonly currency: string;
  /** The id under which the provider speaks of refunds and disputes of this payment, once it is known. */
  readonly reference?: string | undefined;
}

/** What was made of a webhook's bytes before anything is looked up. */
export type ParsedEvent =
  | { readonly kind: "event"; readonly event: PaymentEvent }
  | { readonly kind: "bad_signature" }
  /** Signed, but not something we can read. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** Money that the provider pays back, or has paid back. */
export interface ProviderRefund {
  readonly externalRefundId: string;
  /** Our own id of it, as given with the request; null for one that was made elsewhere, as in the provider's dashboard. */
  readonly refundId: bigint | null;
  readonly status: "pending" | "succeeded" | "failed";
  readonly amountMinor: bigint;
}

/** A payer's bank takes a payment back, or tries to. */
export interface ProviderDispute {
  readonly externalDisputeId: string;
  /** `lost`: the money is gone. */
  readonly status: "open" | "won" | "lost";
  readonly amountMinor: bigint;
}

/** What a provider says of a payment when it is asked. */
export interface ProviderPayment {
  readonly status: PaymentStatus;
  readonly amountMinor: bigint;
  /** ISO 4217, upper case. */
  readonly currency: string;
  readonly reference?: string | undefined;
  readonly refunds: readonly ProviderRefund[];
  readonly disputes: readonly ProviderDispute[];
}

/** What a provider is asked to pay back: all of a payment or a part. */
export interface RefundRequest {
  readonly externalPaymentId: string;
  /** Ours; it comes back in `ProviderRefund.refundId`. */
  readonly refundId: bigint;
  readonly amountMinor: bigint;
  readonly currency: Currency;
  /** Asking again with the same key must never pay back twice. */
  readonly idempotencyKey: string;
  readonly receiptNumber: string;
}

/** A way to be paid. */
export interface PaymentProvider {
  /** As in PAYMENT_PROVIDER, in addresses and in the database. */
  readonly name: string;
  /** False where nobody can be sent anywhere to pay: pages then say how else to. */
  readonly takesPayments: boolean;
  /** True where an event is only a hint: what it says counts once `fetchPayment` has said the same. */
  readonly confirmsByFetching: boolean;
  /** False where the payer has to come back by themselves. */
  readonly sendsBack: boolean;
  /** True where `fetchPayment` can say something: the provider keeps what was asked of it. */
  readonly keepsPayments: boolean;
  /** Headers that `parseEvent` looks at, in lower case: they are kept with an event, so that it can be read again. */
  readonly signatureHeaders: readonly string[];
  /** @throws {UpstreamError} when the provider does not answer, or refuses; nothing can be paid then. */
  createCheckout(request: CheckoutRequest): Promise<Checkout>;
  /**
   * Sees to it that a checkout cannot be paid any more; one that has ended already is left as it is.
   * @throws {UpstreamError} when the provider does not answer: it is asked again later.
   */
  cancelCheckout(externalPaymentId: string): Promise<void>;
  /** Checks the signature over the raw bytes first, in constant time, and only then reads them. */
  parseEvent(rawBody: Buffer, header: (name: string) => string | undefined): ParsedEvent;
  /** Reads bytes whose signature was checked when they came, however long ago: `parseEvent` without that check. */
  readEvent(rawBody: Buffer): ParsedEvent;
  /**
   * Asks the provider how a payment stands; null when it knows no such payment.
   * @throws {UpstreamError} when it does not answer.
   */
  fetchPayment(externalPaymentId: string): Promise<ProviderPayment | null>;
  /**
   * Pays back; undefined where the provider cannot, and it is done by hand.
   * @throws {UserError} when the provider refuses for good: nothing was paid back, and asking again does not help.
   * @throws {UpstreamError} when it is not known whether it was done: asking again with the same key tells.
   */
  readonly refund?: ((request: RefundRequest) => Promise<ProviderRefund>) | undefined;
}

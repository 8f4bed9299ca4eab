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

/** An event whose signature was right, in our words. */
export interface PaymentEvent {
  readonly eventId: string;
  readonly outcome: "succeeded" | "failed" | "canceled" | "other";
  readonly eventType: string;
  readonly externalPaymentId: string;
  readonly amountMinor: bigint;
  /** ISO 4217, upper case. */
  readonly currency: string;
}

/** What was made of a webhook's bytes before anything is looked up. */
export type ParsedEvent =
  | { readonly kind: "event"; readonly event: PaymentEvent }
  | { readonly kind: "bad_signature" }
  /** Signed, but not something we can read. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** What a provider says of a payment when it is asked. */
export interface ProviderPayment {
  readonly status: "pending" | "succeeded" | "failed" | "canceled";
  readonly amountMinor: bigint;
  /** ISO 4217, upper case. */
  readonly currency: string;
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
  /** @throws {UpstreamError} when the provider does not answer, or refuses; nothing can be paid then. */
  createCheckout(request: CheckoutRequest): Promise<Checkout>;
  /** Checks the signature over the raw bytes first, in constant time, and only then reads them. */
  parseEvent(rawBody: Buffer, header: (name: string) => string | undefined): ParsedEvent;
  /**
   * Asks the provider how a payment stands; null when it knows no such payment.
   * @throws {UpstreamError} when it does not answer.
   */
  fetchPayment(externalPaymentId: string): Promise<ProviderPayment | null>;
}

import type { Currency } from "../rating/money.ts";

/** What a provider is asked to collect. */
export interface CheckoutRequest {
  readonly receiptId: bigint;
  readonly receiptNumber: string;
  readonly amountMinor: bigint;
  readonly currency: Currency;
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

/** A way to be paid. */
export interface PaymentProvider {
  readonly name: string;
  /** False where nobody can be sent anywhere to pay: pages then say how else to. */
  readonly takesPayments: boolean;
  createCheckout(request: CheckoutRequest): Promise<Checkout>;
  /** Checks the signature over the raw bytes first, in constant time, and only then reads them. */
  parseEvent(rawBody: Buffer, header: (name: string) => string | undefined): ParsedEvent;
}

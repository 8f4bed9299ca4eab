import { afterAll, beforeAll } from "vitest";
import type { CheckoutRequest, PaymentProvider, RefundRequest } from "../../../src/payments/provider.ts";
import { currencyOf, type Currency } from "../../../src/rating/money.ts";
import { stripeProvider } from "../../../src/payments/stripe/stripe-provider.ts";
import { TestClock } from "../../support/context.ts";
import { startStripeDouble, STRIPE_KEY, STRIPE_WEBHOOK_SECRET, type StripeDouble } from "./double.ts";

export const NOW = "2026-11-01T02:00:00Z";

/** The secret of the webhook endpoint after it is rolled. */
export const NEXT_SECRET = "whsec_TheSecondSecret";

/** The currency of a code that is known. */
export function currency(code: string): Currency {
  const known = currencyOf(code);
  if (known === undefined) throw new Error(`${code} is no currency`);
  return known;
}

/** A checkout of 357.92 baht, but for what is given. */
export function aCheckout(change: Partial<CheckoutRequest> = {}): CheckoutRequest {
  return {
    receiptId: 7n,
    receiptNumber: "R-2026-000007",
    amountMinor: 35_792n,
    currency: currency("THB"),
    idempotencyKey: "payment-7-1",
    returnUrl: "https://hpc.example.ac.th/payments/thanks?rid=7",
    lang: "en",
    ...change,
  };
}

/** A refund of 100 baht of a checkout, but for what is given. */
export function aRefund(externalPaymentId: string, change: Partial<RefundRequest> = {}): RefundRequest {
  return {
    externalPaymentId,
    refundId: 41n,
    amountMinor: 10_000n,
    currency: currency("THB"),
    idempotencyKey: `refund-${externalPaymentId}-${change.refundId ?? 41n}`,
    receiptNumber: "R-2026-000007",
    ...change,
  };
}

/** The payment intent of a checkout that somebody paid. */
export function intentOf(double: StripeDouble, sessionId: string): string {
  const intent = double.sessions.kept(sessionId).session.payment_intent;
  if (typeof intent !== "string") throw new Error(`nobody has paid ${sessionId}`);
  return intent;
}

export interface StripeSetup {
  readonly clock: TestClock;
  readonly double: StripeDouble;
  readonly provider: PaymentProvider;
  /** With other keys than the double's, which it shows as a provider of its own. */
  providerWith(change: { secretKey?: string; webhookSecrets?: readonly string[] }): PaymentProvider;
}

/** One double for the tests of a file, with a provider that speaks to it. */
export function useStripeDouble(): () => StripeSetup {
  let setup: StripeSetup | undefined;
  beforeAll(async () => {
    const clock = new TestClock(NOW);
    const double = await startStripeDouble({ clock });
    const providerWith: StripeSetup["providerWith"] = (change) =>
      stripeProvider({
        secretKey: STRIPE_KEY,
        webhookSecrets: [STRIPE_WEBHOOK_SECRET],
        clock,
        baseUrl: double.baseUrl,
        ...change,
      });
    setup = { clock, double, provider: providerWith({}), providerWith };
  });
  afterAll(async () => setup?.double.stop());
  return () => {
    if (setup === undefined) throw new Error("the double has not started");
    return setup;
  };
}

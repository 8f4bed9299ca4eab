import { afterEach, beforeEach } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { omiseProvider } from "../../../src/payments/omise/omise-provider.ts";
import type { PaymentProvider, ProviderPayment, RefundRequest } from "../../../src/payments/provider.ts";
import { currencyOf } from "../../../src/rating/money.ts";
import { OmiseDouble } from "./double.ts";
import type { DoubleCharge, DoubleLink } from "./double-books.ts";

/** A link of 99 baht that somebody paid, at a double of its own. */
export interface PaidLink {
  readonly omise: OmiseDouble;
  readonly provider: PaymentProvider;
  readonly link: DoubleLink;
  readonly charge: DoubleCharge;
}

/** A new one for each test of a file. */
export function usePaidLink(): () => PaidLink {
  let paid: PaidLink | undefined;
  beforeEach(async () => {
    const omise = await OmiseDouble.start();
    const { secretKey, url: baseUrl } = omise;
    const provider = omiseProvider({ secretKey, webhookSecrets: [], clock: systemClock, baseUrl });
    const asked = { amount: 9_900, currency: "THB", title: "R-1", description: "R-1 (k)", multiple: false };
    const link = omise.books.addLink(asked);
    omise.press(link, "card");
    paid = { omise, provider, link, charge: omise.paidCharge(link.id) };
  });
  afterEach(() => paid?.omise.close());
  return () => {
    if (paid === undefined) throw new Error("the double has not started");
    return paid;
  };
}

/** A refund of 10 baht of a link, but for what is given. */
export function aRefund(
  externalPaymentId: string,
  { code = "THB", ...change }: Partial<RefundRequest> & { readonly code?: string } = {},
): RefundRequest {
  const currency = currencyOf(code);
  if (currency === undefined) throw new Error(`${code} is no currency`);
  return {
    externalPaymentId,
    refundId: 41n,
    amountMinor: 1_000n,
    currency,
    idempotencyKey: `refund-${change.refundId ?? 41n}`,
    receiptNumber: "R-1",
    ...change,
  };
}

export async function fetched({ provider, link }: PaidLink): Promise<ProviderPayment> {
  const payment = await provider.fetchPayment(link.id);
  if (payment === null) throw new Error(`${link.id} is unknown`);
  return payment;
}

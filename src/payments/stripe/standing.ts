/** How a payment stands at Stripe. Source: docs.stripe.com/payments/checkout/fulfillment. */
import type { PaymentStatus, ProviderPayment } from "../provider.ts";
import { disputesOf } from "./disputes.ts";
import { refundsOf } from "./refunds.ts";
import { retrieveSession, type StripeAccount, type StripeSession } from "./session.ts";

/** A session's payment with its refunds and disputes; null when Stripe knows no such session. */
export async function standingOfSession(account: StripeAccount, id: string): Promise<ProviderPayment | null> {
  const what = `tell how payment ${id} stands`;
  const session = await retrieveSession(account, id, what);
  if (session === null) return null;
  const { amountMinor, currency, intentId } = session;
  const standing = { status: statusOf(session), amountMinor, currency };
  if (intentId === null) return { ...standing, refunds: [], disputes: [] };
  const paid = { id: intentId, currency };
  const [refunds, disputes] = await Promise.all([refundsOf(account, paid, what), disputesOf(account, paid, what)]);
  return { ...standing, reference: intentId, refunds, disputes };
}

/** A session whose delayed payment failed stays complete and unpaid for good; only its payment intent tells. */
function statusOf({ status, isPaid, intentStatus }: StripeSession): PaymentStatus {
  if (status === "expired") return "expired";
  if (status !== "complete") return "pending";
  if (isPaid) return "succeeded";
  return intentStatus === "requires_payment_method" || intentStatus === "canceled" ? "failed" : "processing";
}

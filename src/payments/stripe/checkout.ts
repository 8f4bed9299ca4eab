/** Opening and closing Checkout Sessions. Source: docs.stripe.com/api/checkout/sessions. */
import type { Stripe } from "stripe";
import { UpstreamError } from "../../errors.ts";
import type { Checkout, CheckoutRequest } from "../provider.ts";
import { toStripeAmount } from "./amount.ts";
import { askStripe, isMissing, isRefusal } from "./failure.ts";
import { readSession, retrieveSession, type StripeAccount } from "./session.ts";

/** Opens a session over the receipt's exact amount, or finds the one that was opened with the same key. */
export async function openSession(account: StripeAccount, request: CheckoutRequest): Promise<Checkout> {
  const params = sessionParams(request);
  const what = `open a checkout for receipt ${request.receiptNumber}`;
  const answer = await askStripe(what, () =>
    account.client.checkout.sessions.create(params, { idempotencyKey: request.idempotencyKey }),
  );
  const session = readSession(account, answer, what);
  if (session.url === null) throw new UpstreamError(`Stripe could not ${what}: it gave no address to pay at`);
  if (session.amountMinor !== request.amountMinor || session.currency !== request.currency.code) {
    throw new UpstreamError(`Stripe could not ${what}: it asks for another amount than the receipt's`);
  }
  return { externalPaymentId: session.id, url: session.url };
}

/** Payment methods are those switched on in the dashboard, and a session expires after 24 hours. */
function sessionParams(request: CheckoutRequest): Stripe.Checkout.SessionCreateParams {
  const metadata = { receipt: request.receiptNumber };
  return {
    mode: "payment",
    line_items: [
      {
        quantity: 1,
        price_data: {
          currency: request.currency.code.toLowerCase(),
          unit_amount: toStripeAmount(request.amountMinor, request.currency),
          product_data: { name: request.receiptNumber },
        },
      },
    ],
    // The payer pays what the receipt says, in the receipt's currency.
    adaptive_pricing: { enabled: false },
    client_reference_id: request.receiptNumber,
    metadata,
    // So that charges, refunds and disputes name the receipt, too.
    payment_intent_data: { metadata },
    locale: request.lang,
    success_url: request.returnUrl,
    cancel_url: request.returnUrl,
  };
}

/** Expires a session, so that it cannot be paid any more; one that is over, or unknown, is left as it is. */
export async function closeSession(account: StripeAccount, id: string): Promise<void> {
  const what = `close checkout ${id}`;
  await askStripe(what, async () => {
    try {
      await account.client.checkout.sessions.expire(id);
    } catch (error) {
      if (isMissing(error)) return;
      // Stripe refuses this for sessions that are not open, and has no error code of its own for it.
      if (!isRefusal(error)) throw error;
      const session = await retrieveSession(account, id, what);
      if (session?.status === "open") throw error;
    }
  });
}

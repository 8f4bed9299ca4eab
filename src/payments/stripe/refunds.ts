/** Money paid back. Source: docs.stripe.com/refunds and /api/refunds. */
import { z } from "zod";
import { UpstreamError, UserError } from "../../errors.ts";
import { formatMinor } from "../../rating/money.ts";
import type { ProviderRefund, RefundRequest } from "../provider.ts";
import { toStripeAmount } from "./amount.ts";
import { askStripe, requestOfStripe } from "./failure.ts";
import { readAmount, readAnswer, stripeId } from "./objects.ts";
import { retrieveSession, type StripeAccount } from "./session.ts";

/** The newest are listed first: those beyond are old ones, which the books know. */
export const MOST_LISTED = 1000;

/** A payment intent, and the currency in which it was paid (ISO 4217, upper case). */
export interface PaidIntent {
  readonly id: string;
  readonly currency: string;
}

const STATUSES: ReadonlyMap<string, ProviderRefund["status"]> = new Map([
  ["succeeded", "succeeded"],
  ["failed", "failed"],
  ["canceled", "failed"],
]);

const refundSchema = z
  .object({
    object: z.literal("refund"),
    id: stripeId,
    amount: z.int().nonnegative(),
    currency: z.string(),
    status: z.string().nullish(),
    /** What was made in the dashboard has none, or other people's. */
    metadata: z
      .object({ refund: z.string().regex(/^\d{1,18}$/u) })
      .nullish()
      .catch(null),
  })
  .transform((refund, issues) => ({
    currency: refund.currency.toUpperCase(),
    refund: {
      externalRefundId: refund.id,
      refundId: refund.metadata ? BigInt(refund.metadata.refund) : null,
      // Others are on their way (`pending`) or wait for the payer to say where the money shall go (`requires_action`).
      status: STATUSES.get(refund.status ?? "") ?? "pending",
      amountMinor: readAmount(refund.amount, refund.currency, issues),
    } satisfies ProviderRefund,
  }));

/** All refunds of a payment, newest first. */
export async function refundsOf(account: StripeAccount, paid: PaidIntent, what: string): Promise<ProviderRefund[]> {
  const listed = await askStripe(what, () =>
    account.client.refunds.list({ payment_intent: paid.id, limit: 100 }).autoPagingToArray({ limit: MOST_LISTED }),
  );
  return listed.map((answer) => readRefund(answer, paid, what));
}

function readRefund(answer: unknown, paid: PaidIntent, what: string): ProviderRefund {
  const { refund, currency } = readAnswer(refundSchema, answer, what);
  if (currency === paid.currency) return refund;
  throw new UpstreamError(
    `Stripe could not ${what}: refund ${refund.externalRefundId} is in ${currency}, not ${paid.currency}`,
  );
}

/**
 * Pays back. Stripe forgets an idempotency key after a day or so, which is less than we may go on asking: one that was
 * made before is therefore looked for first.
 */
export async function payBack(account: StripeAccount, request: RefundRequest): Promise<ProviderRefund> {
  const { currency, receiptNumber, refundId } = request;
  const what = `pay back ${formatMinor(request.amountMinor, currency)} ${currency.code} of receipt ${receiptNumber}`;
  const amount = toStripeAmount(request.amountMinor, currency);
  const paid = await paidIntent(account, request, what);
  const earlier = (await refundsOf(account, paid, what)).find((refund) => refund.refundId === refundId);
  if (earlier !== undefined) return earlier;
  const metadata = { receipt: receiptNumber, refund: refundId.toString() };
  const answer = await requestOfStripe(what, () =>
    account.client.refunds.create(
      { payment_intent: paid.id, amount, metadata },
      { idempotencyKey: request.idempotencyKey },
    ),
  );
  return readRefund(answer, paid, what);
}

async function paidIntent(
  account: StripeAccount,
  { externalPaymentId, currency }: RefundRequest,
  what: string,
): Promise<PaidIntent> {
  const session = await retrieveSession(account, externalPaymentId, what);
  if (session === null || session.intentId === null || session.currency !== currency.code) {
    throw new UserError(`Stripe could not ${what}: checkout ${externalPaymentId} took no ${currency.code}`, {
      status: 422,
    });
  }
  return { id: session.intentId, currency: session.currency };
}

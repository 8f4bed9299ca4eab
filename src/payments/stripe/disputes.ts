/** Payments that a payer's bank takes back, or tries to. Source: docs.stripe.com/api/disputes. */
import { z } from "zod";
import { UpstreamError } from "../../errors.ts";
import type { ProviderDispute } from "../provider.ts";
import { askStripe } from "./failure.ts";
import { readAmount, readAnswer, stripeId } from "./objects.ts";
import { MOST_LISTED, type PaidIntent } from "./refunds.ts";
import type { StripeAccount } from "./session.ts";

/** An inquiry that came to nothing, and a dispute that was averted, leave the money where it is. */
const STATUSES: ReadonlyMap<string, ProviderDispute["status"]> = new Map([
  ["lost", "lost"],
  ["won", "won"],
  ["warning_closed", "won"],
  ["prevented", "won"],
]);

const disputeSchema = z
  .object({
    object: z.literal("dispute"),
    id: stripeId,
    amount: z.int().nonnegative(),
    currency: z.string(),
    status: z.string(),
  })
  .transform((dispute, issues) => ({
    currency: dispute.currency.toUpperCase(),
    dispute: {
      externalDisputeId: dispute.id,
      status: STATUSES.get(dispute.status) ?? "open",
      amountMinor: readAmount(dispute.amount, dispute.currency, issues),
    } satisfies ProviderDispute,
  }));

/** All disputes of a payment, newest first. */
export async function disputesOf(account: StripeAccount, paid: PaidIntent, what: string): Promise<ProviderDispute[]> {
  const listed = await askStripe(what, () =>
    account.client.disputes.list({ payment_intent: paid.id, limit: 100 }).autoPagingToArray({ limit: MOST_LISTED }),
  );
  return listed.map((answer) => {
    const { dispute, currency } = readAnswer(disputeSchema, answer, what);
    if (currency === paid.currency) return dispute;
    throw new UpstreamError(
      `Stripe could not ${what}: dispute ${dispute.externalDisputeId} is in ${currency}, not ${paid.currency}`,
    );
  });
}

/** The Checkout Session, of which only what counts here is read. Source: docs.stripe.com/api/checkout/sessions/object. */
import type { Stripe } from "stripe";
import { z } from "zod";
import { UpstreamError } from "../../errors.ts";
import { otherModeOfAnswer } from "../event-body.ts";
import { askStripe, isMissing } from "./failure.ts";
import { readAmount, readAnswer, stripeId } from "./objects.ts";

/** Who asks Stripe. */
export interface StripeAccount {
  readonly client: Stripe;
  /** Whether the secret key is for live money. */
  readonly isLive: boolean;
}

/** A checkout in our words. */
export const sessionSchema = z
  .object({
    object: z.literal("checkout.session"),
    id: stripeId,
    livemode: z.boolean(),
    status: z.enum(["open", "complete", "expired"]).nullish(),
    payment_status: z.enum(["paid", "unpaid", "no_payment_required"]),
    amount_total: z.int().nonnegative(),
    currency: z.string(),
    url: z.url({ protocol: /^https?$/u }).nullish(),
    /** An id, unless it was asked to be expanded. */
    payment_intent: z.union([stripeId, z.object({ id: stripeId, status: z.string() })]).nullish(),
  })
  .transform((session, issues) => {
    const intent = session.payment_intent ?? null;
    return {
      id: session.id,
      isLive: session.livemode,
      status: session.status ?? null,
      isPaid: session.payment_status !== "unpaid",
      amountMinor: readAmount(session.amount_total, session.currency, issues),
      currency: session.currency.toUpperCase(),
      url: session.url ?? null,
      /** Null until somebody begins to pay. */
      intentId: typeof intent === "string" ? intent : (intent?.id ?? null),
      /** Null where the payment intent was not asked for, or does not exist yet. */
      intentStatus: typeof intent === "string" ? null : (intent?.status ?? null),
    };
  });

export type StripeSession = z.output<typeof sessionSchema>;

/** @throws {UpstreamError} for an answer that is no session, or one of the other mode. */
export function readSession({ isLive }: StripeAccount, answer: unknown, what: string): StripeSession {
  const session = readAnswer(sessionSchema, answer, what);
  const problem = otherModeOfAnswer({ isLive: session.isLive, isLiveKey: isLive });
  if (problem !== undefined) throw new UpstreamError(`Stripe could not ${what}: ${problem}`);
  return session;
}

/** A session with its payment intent; null when Stripe knows none of this id. */
export async function retrieveSession(account: StripeAccount, id: string, what: string): Promise<StripeSession | null> {
  const answer = await askStripe(what, async () => {
    try {
      return await account.client.checkout.sessions.retrieve(id, { expand: ["payment_intent"] });
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  });
  return answer === null ? null : readSession(account, answer, what);
}

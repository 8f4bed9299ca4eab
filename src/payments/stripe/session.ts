/** The Checkout Session, of which only what counts here is read. Source: docs.stripe.com/api/checkout/sessions/object. */
import { z } from "zod";
import { fromStripeAmount } from "./amount.ts";

/** Ids of Stripe's objects; nothing else may come near our tables and pages. */
export const stripeId = z.string().regex(/^\w{1,255}$/u, "not an id of Stripe");

/** A checkout in our words. */
export const sessionSchema = z
  .object({
    object: z.literal("checkout.session"),
    id: stripeId,
    status: z.enum(["open", "complete", "expired"]).nullish(),
    payment_status: z.enum(["paid", "unpaid", "no_payment_required"]),
    amount_total: z.int().nonnegative(),
    currency: z.string(),
    url: z.url({ protocol: /^https?$/u }).nullish(),
    /** An id, unless it was asked to be expanded. */
    payment_intent: z.union([z.string(), z.object({ status: z.string() })]).nullish(),
  })
  .transform((session, context) => {
    const amountMinor = fromStripeAmount(session.amount_total, session.currency);
    if (amountMinor === undefined) {
      context.addIssue({
        code: "custom",
        message: `there is no amount ${session.amount_total} in ${session.currency}`,
      });
      return z.NEVER;
    }
    const intent = typeof session.payment_intent === "string" ? null : (session.payment_intent ?? null);
    return {
      id: session.id,
      status: session.status ?? null,
      isPaid: session.payment_status !== "unpaid",
      amountMinor,
      currency: session.currency.toUpperCase(),
      url: session.url ?? null,
      /** Null where the payment intent was not asked for, or does not exist yet. */
      intentStatus: intent?.status ?? null,
    };
  });

export type StripeSession = z.output<typeof sessionSchema>;

/** The first thing that did not fit, for people. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  const path = issue?.path.join(".") ?? "";
  return `${path === "" ? "" : `${path}: `}${issue?.message ?? "not as expected"}`;
}

/** Stripe's events in our words. Source: docs.stripe.com/api/events/types. */
import { z } from "zod";
import { eventOfOtherMode, readJsonEvent, type Modes } from "../event-body.ts";
import type { ParsedEvent, PaymentEvent } from "../provider.ts";
import { fromStripeAmount } from "./amount.ts";
import { firstIssue, stripeId } from "./objects.ts";
import { sessionSchema, type StripeSession } from "./session.ts";

const eventSchema = z.object({
  object: z.literal("event"),
  id: stripeId,
  livemode: z.boolean(),
  type: z.string().regex(/^[\w.]{1,255}$/u, "not a type of event"),
  data: z.object({ object: z.looseObject({}) }),
});

type StripeEvent = z.output<typeof eventSchema>;

/** Reads a body whose signature was right; an event of the other mode than our secret key's does not count. */
export function readEvent(rawBody: Buffer, { isLiveKey }: Pick<Modes, "isLiveKey">): ParsedEvent {
  return readJsonEvent(rawBody, (json) => {
    const event = eventSchema.safeParse(json);
    if (!event.success) return { kind: "unreadable", reason: firstIssue(event.error) };
    const { type, livemode } = event.data;
    if (livemode !== isLiveKey) return eventOfOtherMode("Stripe", { isLive: livemode });
    return type.startsWith("checkout.session.")
      ? readSessionEvent(event.data)
      : { kind: "event", event: otherEvent(event.data) };
  });
}

function readSessionEvent({ id, type, data }: StripeEvent): ParsedEvent {
  const session = sessionSchema.safeParse(data.object);
  if (!session.success) return { kind: "unreadable", reason: `${type}: ${firstIssue(session.error)}` };
  const event: PaymentEvent = {
    eventId: id,
    eventType: type,
    outcome: outcomeOf(type, session.data),
    externalPaymentId: session.data.id,
    amountMinor: session.data.amountMinor,
    currency: session.data.currency,
    reference: session.data.intentId ?? undefined,
  };
  return { kind: "event", event };
}

function outcomeOf(type: string, session: StripeSession): PaymentEvent["outcome"] {
  switch (type) {
    case "checkout.session.completed":
      // Not paid yet: by a method that takes days, and another event will tell how it ended.
      return session.isPaid ? "succeeded" : "processing";
    case "checkout.session.async_payment_succeeded":
      return "succeeded";
    case "checkout.session.async_payment_failed":
      return "failed";
    case "checkout.session.expired":
      return "expired";
    default:
      return "other";
  }
}

/** Those that tell of money paid back or disputed. */
const CHANGES = /^(charge\.refunded|charge\.refund\.updated|refund\.(created|updated|failed)|charge\.dispute\.\w+)$/u;

const amount = z.int().nonnegative().optional().catch(undefined);

/** Charges, refunds, disputes and whatever else: every field may be missing. */
const otherSchema = z.object({
  id: stripeId.optional().catch(undefined),
  payment_intent: stripeId.optional().catch(undefined),
  amount,
  amount_refunded: amount,
  currency: z
    .string()
    .regex(/^[A-Za-z]{3}$/u)
    .optional()
    .catch(undefined),
});

/** Named by the payment intent where there is one, else by the object, else by the event itself. */
function otherEvent({ id, type, data }: StripeEvent): PaymentEvent {
  const object = otherSchema.parse(data.object);
  const amount = type === "charge.refunded" ? object.amount_refunded : object.amount;
  const currency = object.currency ?? "";
  return {
    eventId: id,
    eventType: type,
    // Charges that were not made through a payment intent are not ours.
    outcome: CHANGES.test(type) && object.payment_intent !== undefined ? "changed" : "other",
    externalPaymentId: object.payment_intent ?? object.id ?? id,
    amountMinor: fromStripeAmount(amount ?? 0, currency) ?? 0n,
    currency: currency.toUpperCase(),
  };
}

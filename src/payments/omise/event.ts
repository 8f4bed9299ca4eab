import { eventOfOtherMode, readJsonEvent, type Modes } from "../event-body.ts";
import type { ParsedEvent, PaymentEvent } from "../provider.ts";
import { chargeSchema, eventSchema, subjectSchema } from "./api.ts";

type Outcome = PaymentEvent["outcome"];

/** `charge.complete` comes when a charge that waited for the payer (PromptPay, 3-D Secure) has ended. */
const ENDED: ReadonlyMap<string, Outcome> = new Map([
  ["successful", "succeeded"],
  ["failed", "failed"],
  ["expired", "expired"],
]);

/** A card without 3-D Secure is charged at once, and `charge.create` is all that comes. */
const CREATED: ReadonlyMap<string, Outcome> = new Map([["successful", "succeeded"]]);

const CHARGE_EVENTS: ReadonlyMap<string, ReadonlyMap<string, Outcome>> = new Map([
  ["charge.complete", ENDED],
  ["charge.create", CREATED],
]);

/** Those that tell of money paid back or disputed; they are about a charge. */
const CHANGES = /^(refund|dispute)\./u;

/** ISO 4217: no currency is involved. */
const NO_CURRENCY = "XXX";

/**
 * Reads an event, whose signature was checked where there is a secret (https://docs.omise.co/api-webhooks). The payment
 * it is about is the link through which the charge was made; events that tell of no charge's end change nothing.
 */
export function readEvent(rawBody: Buffer, { isLiveKey }: Pick<Modes, "isLiveKey">): ParsedEvent {
  return readJsonEvent(rawBody, (json) => {
    const read = eventSchema.safeParse(json);
    if (!read.success) return { kind: "unreadable", reason: `not an event of Omise: ${placeOf(read.error)}` };
    const { id: eventId, key: eventType, livemode, data } = read.data;
    if (livemode !== isLiveKey) return eventOfOtherMode("Omise", { isLive: livemode });
    const outcomes = CHARGE_EVENTS.get(eventType);
    return outcomes === undefined
      ? { kind: "event", event: { eventId, eventType, ...readSubject(eventId, eventType, data) } }
      : readChargeEvent({ eventId, eventType }, data, outcomes);
  });
}

function readChargeEvent(
  names: Pick<PaymentEvent, "eventId" | "eventType">,
  data: unknown,
  outcomes: ReadonlyMap<string, Outcome>,
): ParsedEvent {
  const charge = chargeSchema.safeParse(data);
  if (!charge.success) return { kind: "unreadable", reason: `not a charge of Omise: ${placeOf(charge.error)}` };
  const { id, link, status, amountMinor, currency } = charge.data;
  const outcome = outcomes.get(status) ?? "other";
  // A link has a charge for each attempt; refunds and disputes are of the one that succeeded.
  const reference = outcome === "succeeded" ? id : undefined;
  return {
    kind: "event",
    event: { ...names, outcome, externalPaymentId: link ?? id, amountMinor, currency, reference },
  };
}

function readSubject(eventId: string, eventType: string, data: unknown): Omit<PaymentEvent, "eventId" | "eventType"> {
  const { id, charge, link, amount, currency } = subjectSchema.parse(data);
  const money = { amountMinor: amount ?? 0n, currency: currency ?? NO_CURRENCY };
  if (charge !== undefined && CHANGES.test(eventType))
    return { outcome: "changed", externalPaymentId: charge, ...money };
  return { outcome: "other", externalPaymentId: link ?? charge ?? id ?? eventId, ...money };
}

function placeOf({ issues }: { readonly issues: readonly { readonly path: readonly PropertyKey[] }[] }): string {
  const place = issues[0]?.path.map(String).join(".") ?? "";
  return place === "" ? "it is no object" : `${place} is missing or not as expected`;
}

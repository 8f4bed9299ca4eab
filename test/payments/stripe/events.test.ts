import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ParsedEvent } from "../../../src/payments/provider.ts";
import type { SentEvent } from "./outbox.ts";
import { aCheckout, currency, intentOf, useStripeDouble } from "./setup.ts";

const stripe = useStripeDouble();

let keys = 0;
async function aSession(code = "THB", amountMinor = 35_792n): Promise<string> {
  const request = aCheckout({ idempotencyKey: `key-${++keys}`, currency: currency(code), amountMinor });
  return (await stripe().provider.createCheckout(request)).externalPaymentId;
}

/** What is made of an event that Stripe signs now; the same as when it is read again later. */
function received(event: unknown, provider = stripe().provider): ParsedEvent {
  const { body, header } = stripe().double.outbox.sign(event);
  const parsed = provider.parseEvent(body, (name) => (name === "stripe-signature" ? header : undefined));
  expect(provider.readEvent(body)).toEqual(parsed);
  return parsed;
}

/** The events that something makes. */
function eventsOf(act: () => void): SentEvent[] {
  const { events } = stripe().double.outbox;
  const before = events.length;
  act();
  return events.slice(before);
}

function reasonFor(event: unknown): string {
  const parsed = received(event);
  return parsed.kind === "unreadable" ? parsed.reason : parsed.kind;
}

describe("Events of a session", () => {
  it("say that a payment succeeded, failed, has expired or takes its time", async () => {
    const { sessions } = stripe().double;
    const [paid, good, bad, expired] = [await aSession(), await aSession(), await aSession(), await aSession()];
    const events = [
      [sessions.pay(paid), paid, "succeeded"],
      [sessions.payLater(good), good, "processing"],
      [sessions.finish(good, "succeeded"), good, "succeeded"],
      [sessions.payLater(bad), bad, "processing"],
      [sessions.finish(bad, "failed"), bad, "failed"],
      [sessions.expire(expired), expired, "expired"],
    ] as const;
    for (const [event, externalPaymentId, outcome] of events) {
      expect(received(event)).toEqual({
        kind: "event",
        event: {
          eventId: event.id,
          eventType: event.type,
          outcome,
          externalPaymentId,
          amountMinor: 35_792n,
          currency: "THB",
          reference: outcome === "expired" ? undefined : intentOf(stripe().double, externalPaymentId),
        },
      });
    }
  });

  it("count what needed no payment as paid", async () => {
    const event = stripe().double.sessions.pay(await aSession());
    const free = { ...event, data: { object: { ...event.data.object, payment_status: "no_payment_required" } } };
    expect(received(free)).toMatchObject({ event: { outcome: "succeeded" } });
  });

  it.each([
    ["JPY", 500n],
    ["KWD", 5_120n],
    ["UGX", 900n],
  ])("give amounts of %s as we count them", async (code, amountMinor) => {
    const event = stripe().double.sessions.pay(await aSession(code, amountMinor));
    expect(received(event)).toMatchObject({ event: { amountMinor, currency: code } });
  });
});

describe("Events of refunds and disputes", () => {
  it("say that something changed, under the id that the payment's own event gave as its reference", async () => {
    const { sessions, refunds, disputes } = stripe().double;
    const id = await aSession();
    const paid = received(sessions.pay(id));
    const intent = intentOf(stripe().double, id);
    expect(paid).toMatchObject({ event: { reference: intent } });
    const events = eventsOf(() => {
      const refund = refunds.make(id, 1_000);
      refunds.end(refund.id, "failed");
      refunds.end(refund.id, "pending");
      const dispute = disputes.open(id);
      disputes.move(dispute, "under_review");
      disputes.move(dispute, "won");
    });
    expect(events.map(({ type }) => type)).toEqual([
      "refund.created",
      "charge.refunded",
      "refund.failed",
      "charge.refund.updated",
      "refund.updated",
      "charge.refund.updated",
      "charge.dispute.created",
      "charge.dispute.funds_withdrawn",
      "charge.dispute.updated",
      "charge.dispute.closed",
      "charge.dispute.funds_reinstated",
    ]);
    for (const event of events) {
      const isDispute = event.type.startsWith("charge.dispute.");
      expect(received(event)).toMatchObject({
        event: {
          eventType: event.type,
          outcome: "changed",
          externalPaymentId: intent,
          amountMinor: isDispute ? 35_792n : 1_000n,
          currency: "THB",
        },
      });
    }
  });

  it("change nothing where no payment intent is named: the charge is not ours", async () => {
    const id = await aSession();
    stripe().double.sessions.pay(id);
    for (const event of eventsOf(() => stripe().double.refunds.make(id, 1_000))) {
      const foreign = { ...event, data: { object: { ...event.data.object, payment_intent: null } } };
      expect(received(foreign)).toMatchObject({ event: { outcome: "other" } });
    }
  });
});

describe("Events of the other mode", () => {
  const live = () => stripe().providerWith({ secretKey: "rk_live_1" });

  it("are not read, and say what to do", async () => {
    const event = stripe().double.sessions.pay(await aSession());
    expect(received({ ...event, livemode: true })).toEqual({
      kind: "unreadable",
      reason:
        "Stripe sent a live event, and the secret key here is a test one: point the live webhook at the live site, or set the live secret key here",
    });
    expect(received(event, live())).toEqual({
      kind: "unreadable",
      reason:
        "Stripe sent a test event, and the secret key here is a live one: point the test webhook at a test site, or remove it",
    });
    expect(received({ ...event, livemode: true }, live())).toMatchObject({ event: { outcome: "succeeded" } });
  });

  it("are told apart for events that do not matter, too, and for those that do not say", () => {
    const other = { id: "evt_1", object: "event", type: "ping", data: { object: {} } };
    expect(reasonFor({ ...other, livemode: true })).toContain("Stripe sent a live event");
    expect(reasonFor(other)).toContain("livemode: ");
    expect(reasonFor({ ...other, livemode: "false" })).toContain("livemode: ");
  });
});

describe("Other events", () => {
  it("are named by their object, or by themselves, and need no amount", () => {
    const event = { id: "evt_1", object: "event", livemode: false, type: "customer.created" };
    const other = { eventId: "evt_1", eventType: "customer.created", outcome: "other", amountMinor: 0n, currency: "" };
    expect(received({ ...event, data: { object: { id: "cus_1", currency: null } } })).toEqual({
      kind: "event",
      event: { ...other, externalPaymentId: "cus_1" },
    });
    expect(received({ ...event, data: { object: { id: 5, amount: -1, payment_intent: {} } } })).toEqual({
      kind: "event",
      event: { ...other, externalPaymentId: "evt_1" },
    });
  });
});

describe("Signed, but not readable", () => {
  it("is told with its reason", () => {
    const session = {
      object: "checkout.session",
      id: "cs_1",
      livemode: false,
      payment_status: "paid",
      amount_total: 5,
      currency: "thb",
    };
    const completed = (change: object) => ({
      id: "evt_1",
      object: "event",
      livemode: false,
      type: "checkout.session.completed",
      data: { object: { ...session, ...change } },
    });
    expect(reasonFor("no JSON")).toBe("the body is not JSON");
    expect(reasonFor("null")).toContain("expected object");
    expect(reasonFor({ object: "v2.core.event", id: "evt_1", type: "v1.billing" })).toContain("object: ");
    expect(reasonFor(completed({ amount_total: null }))).toContain("checkout.session.completed: amount_total: ");
    expect(reasonFor(completed({ currency: "ugx", amount_total: 50_050 }))).toContain(
      "there is no amount 50050 in ugx",
    );
    expect(reasonFor(completed({ id: "cs 1" }))).toContain("id: not an id of Stripe");
    expect(reasonFor(completed({}))).toBe("event");
  });

  it("does not make anything crash, whatever was signed", () => {
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom("evt_1", "thb", 5, "checkout.session", "paid", "open"));
    const names = [
      "object",
      "id",
      "livemode",
      "payment_status",
      "amount_total",
      "amount",
      "currency",
      "payment_intent",
      "url",
    ];
    const anObject = fc.record(Object.fromEntries(names.map((name) => [name, field])), { requiredKeys: [] });
    const anEvent = fc.record({
      id: fc.oneof(fc.constant("evt_1"), field),
      object: fc.constantFrom("event", "v2.core.event"),
      livemode: fc.constantFrom(false, true),
      type: fc.constantFrom(
        "checkout.session.completed",
        "checkout.session.expired",
        "charge.refunded",
        "charge.dispute.closed",
        "a b",
      ),
      data: fc.oneof(fc.record({ object: anObject }), field),
    });
    fc.assert(
      fc.property(fc.oneof(anEvent, fc.jsonValue()), (event) => {
        expect(["event", "unreadable"]).toContain(received(event).kind);
      }),
      { numRuns: 1000 },
    );
  });
});

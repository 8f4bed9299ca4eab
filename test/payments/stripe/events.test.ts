import fc from "fast-check";
import { Stripe } from "stripe";
import { afterEach, describe, expect, it } from "vitest";
import type { ParsedEvent } from "../../../src/payments/provider.ts";
import { STRIPE_WEBHOOK_SECRET } from "./double.ts";
import { aCheckout, currency, NEXT_SECRET, NOW, useStripeDouble } from "./setup.ts";

const stripe = useStripeDouble();

afterEach(() => {
  stripe().clock.set(NOW);
  stripe().double.outbox.secrets = [STRIPE_WEBHOOK_SECRET];
});

let keys = 0;
async function aSession(code = "THB", amountMinor = 35_792n): Promise<string> {
  const request = aCheckout({ idempotencyKey: `key-${++keys}`, currency: currency(code), amountMinor });
  return (await stripe().provider.createCheckout(request)).externalPaymentId;
}

function parse(body: Buffer, header: string | undefined, provider = stripe().provider): ParsedEvent {
  return provider.parseEvent(body, (name) => (name === "stripe-signature" ? header : undefined));
}

/** What is made of an event that Stripe signs now. */
function received(event: unknown): ParsedEvent {
  const { body, header } = stripe().double.outbox.sign(event);
  return parse(body, header);
}

function reasonFor(event: unknown): string {
  const parsed = received(event);
  return parsed.kind === "unreadable" ? parsed.reason : parsed.kind;
}

describe("Events of a session", () => {
  it("say that a payment succeeded, failed, was given up or is not decided yet", async () => {
    const { sessions } = stripe().double;
    const [paid, good, bad, expired] = [await aSession(), await aSession(), await aSession(), await aSession()];
    const events = [
      [sessions.pay(paid), paid, "succeeded"],
      [sessions.payLater(good), good, "other"],
      [sessions.finish(good, "succeeded"), good, "succeeded"],
      [sessions.payLater(bad), bad, "other"],
      [sessions.finish(bad, "failed"), bad, "failed"],
      [sessions.expire(expired), expired, "canceled"],
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

describe("Other events", () => {
  it("name the payment intent of what was paid back or disputed", async () => {
    const { sessions } = stripe().double;
    const id = await aSession();
    sessions.pay(id);
    const intent = sessions.find(id)?.session.payment_intent;
    expect(received(sessions.refund(id, 1_000))).toMatchObject({
      event: { eventType: "charge.refunded", outcome: "other", externalPaymentId: intent, amountMinor: 1_000n },
    });
    expect(received(sessions.dispute(id))).toMatchObject({
      event: { eventType: "charge.dispute.created", outcome: "other", externalPaymentId: intent, amountMinor: 35_792n },
    });
  });

  it("are named by their object, or by themselves, and need no amount", () => {
    const event = { id: "evt_1", object: "event", type: "customer.created" };
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
      payment_status: "paid",
      amount_total: 5,
      currency: "thb",
    };
    const completed = (change: object) => ({
      id: "evt_1",
      object: "event",
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
});

describe("A signature", () => {
  const now = new Date(NOW).getTime();
  const at = (seconds: number) => stripe().clock.set(new Date(now + seconds * 1000).toISOString());
  const EVENT = { id: "evt_1", object: "event", type: "ping", data: { object: {} } };
  const signed = () => stripe().double.outbox.sign(EVENT);

  it("is good for five minutes, in both directions", () => {
    const { body, header } = signed();
    for (const [seconds, kind] of [
      [300, "event"],
      [301, "bad_signature"],
      [-300, "event"],
      [-301, "bad_signature"],
    ] as const) {
      at(seconds);
      expect(parse(body, header).kind).toBe(kind);
    }
  });

  it("is bad when anything about it or the body is changed", () => {
    const { body, header } = signed();
    const time = Math.floor(now / 1000);
    for (const wrong of [
      undefined,
      "",
      "v1",
      header.replace(`t=${time}`, `t=${time + 1}`),
      header.replace(`t=${time}`, "t=NaN"),
      header.replace(`t=${time},`, ""),
      `t=${time - 1},${header}`,
      header.replace("v1=", "v0="),
      header.replace(/v1=./u, "v1="),
      header.toUpperCase(),
    ]) {
      expect(parse(body, wrong)).toEqual({ kind: "bad_signature" });
    }
    for (const other of [
      Buffer.concat([body, Buffer.from(" ")]),
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]),
      body.subarray(1),
      Buffer.alloc(0),
    ]) {
      expect(parse(other, header)).toEqual({ kind: "bad_signature" });
    }
  });

  it("may be made by either secret while the secret is rolled", () => {
    const { double } = stripe();
    const [first, second, both] = [[STRIPE_WEBHOOK_SECRET], [NEXT_SECRET], [STRIPE_WEBHOOK_SECRET, NEXT_SECRET]];
    for (const [signing, accepting, kind] of [
      [both, first, "event"],
      [both, second, "event"],
      [second, both, "event"],
      [first, both, "event"],
      [second, first, "bad_signature"],
      [first, second, "bad_signature"],
    ] as const) {
      double.outbox.secrets = signing;
      const { body, header } = signed();
      expect(parse(body, header, stripe().providerWith({ webhookSecrets: accepting })).kind).toBe(kind);
    }
  });

  it("is never good without a secret", () => {
    stripe().double.outbox.secrets = [""];
    const { body, header } = signed();
    expect(parse(body, header, stripe().providerWith({ webhookSecrets: [] })).kind).toBe("bad_signature");
    expect(parse(body, header, stripe().providerWith({ webhookSecrets: [""] })).kind).toBe("bad_signature");
  });

  it("is judged as the vendor's own library judges it", () => {
    const time = Math.floor(now / 1000);
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", minLength: 1 }),
        fc.integer({ min: time - 600, max: time + 300 }),
        fc.constantFrom(STRIPE_WEBHOOK_SECRET, NEXT_SECRET),
        (payload, timestamp, secret) => {
          const body = Buffer.from(payload);
          fc.pre(!payload.startsWith("\uFEFF"));
          const header = Stripe.webhooks.generateTestHeaderString({ payload: body.toString(), timestamp, secret });
          expect(parse(body, header).kind !== "bad_signature").toBe(vendorAccepts(body, header, now));
        },
      ),
    );
  });

  it("is never good when nobody signed, and nothing crashes, whatever the bytes and the header", () => {
    const time = Math.floor(now / 1000);
    const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("hex"));
    const item = fc.oneof(
      hex.map((digits) => `v1=${digits}`),
      fc.constantFrom(`t=${time}`, "t=", "v1=", "v1", "t", "=", "v0=00"),
      fc.string({ unit: "binary" }),
    );
    const header = fc.option(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.array(item).map((items) => [`t=${time}`, ...items].join(",")),
      ),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), header, (bytes, text) => {
        expect(parse(Buffer.from(bytes), text)).toEqual({ kind: "bad_signature" });
      }),
      { numRuns: 1000 },
    );
  });

  it("does not make anything crash that was signed", () => {
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom("evt_1", "thb", 5, "checkout.session", "paid", "open"));
    const names = ["object", "id", "payment_status", "amount_total", "amount", "currency", "payment_intent", "url"];
    const anObject = fc.record(Object.fromEntries(names.map((name) => [name, field])), { requiredKeys: [] });
    const anEvent = fc.record({
      id: fc.oneof(fc.constant("evt_1"), field),
      object: fc.constantFrom("event", "v2.core.event"),
      type: fc.constantFrom("checkout.session.completed", "checkout.session.expired", "charge.refunded", "a b"),
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

function vendorAccepts(body: Buffer, header: string, now: number): boolean {
  try {
    return Stripe.webhooks.signature?.verifyHeader(body, header, STRIPE_WEBHOOK_SECRET, 300, undefined, now) ?? false;
  } catch {
    return false;
  }
}

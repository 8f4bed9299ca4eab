import fc from "fast-check";
import { Stripe } from "stripe";
import { afterEach, describe, expect, it } from "vitest";
import type { ParsedEvent } from "../../../src/payments/provider.ts";
import { STRIPE_WEBHOOK_SECRET } from "./double.ts";
import { NEXT_SECRET, NOW, useStripeDouble } from "./setup.ts";

const stripe = useStripeDouble();

afterEach(() => {
  stripe().clock.set(NOW);
  stripe().double.outbox.secrets = [STRIPE_WEBHOOK_SECRET];
});

function parse(body: Buffer, header: string | undefined, provider = stripe().provider): ParsedEvent {
  return provider.parseEvent(body, (name) => (name === "stripe-signature" ? header : undefined));
}

describe("A signature", () => {
  const now = new Date(NOW).getTime();
  const at = (seconds: number) => stripe().clock.set(new Date(now + seconds * 1000).toISOString());
  const EVENT = { id: "evt_1", object: "event", livemode: false, type: "ping", data: { object: {} } };
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

  it("stands in the one header that is kept with an event", () => {
    expect(stripe().provider.signatureHeaders).toEqual(["stripe-signature"]);
  });

  it("is not looked at when an event is read again, however old it is", () => {
    const { body, header } = signed();
    at(40 * 86_400);
    expect(parse(body, header)).toEqual({ kind: "bad_signature" });
    expect(stripe().provider.readEvent(body)).toMatchObject({ kind: "event", event: { eventId: "evt_1" } });
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
});

function vendorAccepts(body: Buffer, header: string, now: number): boolean {
  try {
    return Stripe.webhooks.signature?.verifyHeader(body, header, STRIPE_WEBHOOK_SECRET, 300, undefined, now) ?? false;
  } catch {
    return false;
  }
}

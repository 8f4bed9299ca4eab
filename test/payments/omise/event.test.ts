import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { omiseProvider } from "../../../src/payments/omise/omise-provider.ts";
import type { ParsedEvent } from "../../../src/payments/provider.ts";

const NOW_SECONDS = 1_793_600_000;
const OLD_SECRET = Buffer.from("the secret that goes").toString("base64");
const NEW_SECRET = Buffer.from("the secret that comes").toString("base64");

function parse(body: string | Buffer, headers: Record<string, string>, webhookSecrets: string[]): ParsedEvent {
  const clock = { now: () => new Date(NOW_SECONDS * 1000) };
  const provider = omiseProvider({ secretKey: "skey_test_1", webhookSecrets, clock });
  return provider.parseEvent(Buffer.from(body), (name) => headers[name]);
}

function sign(body: string | Buffer, secrets: string[], timestamp = NOW_SECONDS.toString()): Record<string, string> {
  const signatures = secrets.map((secret) =>
    createHmac("sha256", Buffer.from(secret, "base64")).update(`${timestamp}.`).update(body).digest("hex"),
  );
  return { "omise-signature": signatures.join(","), "omise-signature-timestamp": timestamp };
}

function anEvent(charge: Record<string, unknown> = {}, key = "charge.complete"): string {
  const data = {
    object: "charge",
    id: "chrg_test_1",
    amount: 9900,
    currency: "THB",
    status: "successful",
    link: "link_test_1",
  };
  return JSON.stringify({ object: "event", id: "evnt_test_1", key, data: { ...data, ...charge } });
}

function outcomeOf(body: string): string {
  const parsed = parse(body, {}, []);
  return parsed.kind === "event" ? parsed.event.outcome : parsed.kind;
}

describe("the signature of an event", () => {
  const body = anEvent();

  it("is taken when the secret made it over these bytes just now", () => {
    expect(parse(body, sign(body, [NEW_SECRET]), [NEW_SECRET])).toMatchObject({ kind: "event" });
  });

  it("is taken while a secret is rolled, whichever of the two we have", () => {
    const headers = sign(body, [OLD_SECRET, NEW_SECRET]);
    expect(parse(body, headers, [OLD_SECRET])).toMatchObject({ kind: "event" });
    expect(parse(body, headers, [NEW_SECRET])).toMatchObject({ kind: "event" });
    expect(parse(body, sign(body, [NEW_SECRET]), [OLD_SECRET, NEW_SECRET])).toMatchObject({ kind: "event" });
  });

  it.each([
    ["another body", sign(`${body} `, [NEW_SECRET])],
    ["another secret", sign(body, [OLD_SECRET])],
    [
      "another time than the one it names",
      { ...sign(body, [NEW_SECRET]), "omise-signature-timestamp": `${NOW_SECONDS + 1}` },
    ],
    ["no time", { "omise-signature": sign(body, [NEW_SECRET])["omise-signature"] ?? "" }],
    ["no signature", { "omise-signature-timestamp": `${NOW_SECONDS}` }],
    ["a time that is no number", sign(body, [NEW_SECRET], "soon")],
    ["half a signature", { ...sign(body, [NEW_SECRET]), "omise-signature": "00".repeat(16) }],
    ["nothing", {}],
  ])("is refused over %s", (_, headers) => {
    expect(parse(body, headers, [NEW_SECRET])).toEqual({ kind: "bad_signature" });
  });

  it.each([
    [-301, "bad_signature"],
    [-300, "event"],
    [300, "event"],
    [301, "bad_signature"],
  ])("holds for five minutes around now (%s s)", (offset, kind) => {
    const headers = sign(body, [NEW_SECRET], (NOW_SECONDS + offset).toString());
    expect(parse(body, headers, [NEW_SECRET]).kind).toBe(kind);
  });

  it("is not asked for without a secret: the event is a hint then", () => {
    expect(parse(body, {}, [])).toMatchObject({ kind: "event" });
    const { confirmsByFetching } = omiseProvider({
      secretKey: "skey_test_1",
      webhookSecrets: [],
      clock: { now: () => new Date() },
    });
    expect(confirmsByFetching).toBe(true);
  });

  it.each(["", "====", "not base64!", "abc"])("refuses to start with a secret that is not base64 (%j)", (secret) => {
    expect(() => parse(body, {}, [secret])).toThrow(UserError);
  });
});

describe("what an event says", () => {
  it("names the link as the payment, and the charge's amount", () => {
    expect(parse(anEvent(), {}, [])).toEqual({
      kind: "event",
      event: {
        eventId: "evnt_test_1",
        eventType: "charge.complete",
        outcome: "succeeded",
        externalPaymentId: "link_test_1",
        amountMinor: 9900n,
        currency: "THB",
      },
    });
  });

  it.each([
    ["successful", "succeeded"],
    ["failed", "failed"],
    ["expired", "canceled"],
    ["pending", "other"],
    ["constructor", "other"],
  ])("takes a charge that ended %s for %s", (status, outcome) => {
    expect(outcomeOf(anEvent({ status }))).toBe(outcome);
  });

  it("takes a card that was charged at once for paid, and one that was declined at once for nothing", () => {
    expect(outcomeOf(anEvent({ status: "successful" }, "charge.create"))).toBe("succeeded");
    expect(outcomeOf(anEvent({ status: "failed" }, "charge.create"))).toBe("other");
    expect(outcomeOf(anEvent({ status: "pending" }, "charge.create"))).toBe("other");
  });

  it("reads older accounts' events: the currency in lower case, the link as a whole, or none", () => {
    expect(parse(anEvent({ currency: "thb", link: { object: "link", id: "link_test_2" } }), {}, [])).toMatchObject({
      event: { currency: "THB", externalPaymentId: "link_test_2" },
    });
    expect(parse(anEvent({ link: null }), {}, [])).toMatchObject({ event: { externalPaymentId: "chrg_test_1" } });
  });

  it.each([
    ["charge.update", { status: "successful" }, "link_test_1"],
    ["refund.create", { id: "rfnd_test_1", charge: "chrg_test_9", link: null, status: "closed" }, "chrg_test_9"],
    ["customer.create", { id: "cust_test_1", amount: undefined, currency: undefined, link: undefined }, "cust_test_1"],
  ])("lets %s change nothing", (key, data, about) => {
    expect(parse(anEvent(data, key), {}, [])).toMatchObject({
      kind: "event",
      event: { outcome: "other", eventType: key, externalPaymentId: about },
    });
  });

  it.each([
    ["not JSON", "{", "the body is not JSON"],
    ["no object", "[]", "not an event of Omise"],
    [
      "another object",
      JSON.stringify({ object: "charge", id: "chrg_1", key: "x" }),
      "object is missing or not as expected",
    ],
    ["an amount that is no whole number", anEvent({ amount: 99.5 }), "amount is missing or not as expected"],
    ["a currency that is none", anEvent({ currency: "baht" }), "currency is missing or not as expected"],
    ["an id that no database takes", anEvent({ id: "chrg\u0000" }), "id is missing or not as expected"],
  ])("is unreadable as %s", (_, body, reason) => {
    const parsed = parse(body, {}, []);
    expect(parsed).toMatchObject({ kind: "unreadable" });
    expect(parsed.kind === "unreadable" ? parsed.reason : "").toContain(reason);
  });
});

describe("any bytes and headers", () => {
  const someBytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((json) => Buffer.from(json)),
    fc.record({ object: fc.constant("event"), id: fc.string(), key: fc.constantFrom("charge.complete", "charge.create", "x"), data: fc.jsonValue() }).map((event) => Buffer.from(JSON.stringify(event))),
  ); // prettier-ignore
  const someHeader = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[0-9a-f]{64}(,[0-9a-f]{64})?$/u),
    fc.constantFrom("", "0", `${NOW_SECONDS}`, `${NOW_SECONDS + 299}`),
  );

  it("are never taken with a signature that no secret made, and never crash anything", () => {
    fc.assert(
      fc.property(someBytes, someHeader, someHeader, (body, signature, timestamp) => {
        const headers = { "omise-signature": signature, "omise-signature-timestamp": timestamp };
        expect(parse(body, headers, [OLD_SECRET, NEW_SECRET])).toEqual({ kind: "bad_signature" });
      }),
      { numRuns: 500 },
    );
  });

  it("are read or told to be unreadable when they are signed", () => {
    fc.assert(
      fc.property(someBytes, (body) => {
        expect(["event", "unreadable"]).toContain(parse(body, sign(body, [NEW_SECRET]), [NEW_SECRET]).kind);
      }),
      { numRuns: 500 },
    );
  });

  it("are refused when one byte of what was signed has changed", () => {
    const body = Buffer.from(anEvent());
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
        const changed = Buffer.from(body);
        changed[position] = (changed[position] ?? 0) ^ change;
        expect(parse(changed, sign(body, [NEW_SECRET]), [NEW_SECRET])).toEqual({ kind: "bad_signature" });
      }),
    );
  });
});

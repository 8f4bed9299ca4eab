import { describe, expect, it } from "vitest";
import { anEvent, offline, parse } from "./event-setup.ts";

function outcomeOf(body: string): string {
  const parsed = parse(body, {}, []);
  return parsed.kind === "event" ? parsed.event.outcome : parsed.kind;
}

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
        reference: "chrg_test_1",
      },
    });
  });

  it.each([
    ["successful", "succeeded"],
    ["failed", "failed"],
    ["expired", "expired"],
    ["pending", "other"],
    ["constructor", "other"],
  ])("takes a charge that ended %s for %s", (status, outcome) => {
    const parsed = parse(anEvent({ status }), {}, []);
    expect(parsed).toMatchObject({ event: { outcome } });
    // Refunds and disputes will be of the charge that succeeded, and of no other.
    const reference = parsed.kind === "event" ? parsed.event.reference : "unreadable";
    expect(reference).toBe(outcome === "succeeded" ? "chrg_test_1" : undefined);
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
    ["refund.create", { id: "rfnd_test_1", link: null, status: "closed" }, "rfnd_test_1"],
    ["customer.create", { id: "cust_test_1", amount: undefined, currency: undefined, link: undefined }, "cust_test_1"],
  ])("lets %s change nothing", (key, data, about) => {
    expect(parse(anEvent(data, key), {}, [])).toMatchObject({
      kind: "event",
      event: { outcome: "other", eventType: key, externalPaymentId: about },
    });
  });

  it.each([
    ["refund.create", { id: "rfnd_test_1", charge: "chrg_test_9", status: "closed" }],
    ["refund.create", { id: "rfnd_test_1", charge: { object: "charge", id: "chrg_test_9" } }],
    ["dispute.create", { id: "dspt_test_1", charge: "chrg_test_9", status: "open" }],
    ["dispute.update", { id: "dspt_test_1", charge: "chrg_test_9", status: "pending" }],
    ["dispute.close", { id: "dspt_test_1", charge: "chrg_test_9", status: "lost" }],
  ])("takes %s for a change of the charge's payment", (key, data) => {
    expect(parse(anEvent(data, key), {}, [])).toMatchObject({
      event: { outcome: "changed", externalPaymentId: "chrg_test_9", amountMinor: 9900n, currency: "THB" },
    });
  });

  it("does not count in the other mode than the secret key's, and says what to do", () => {
    const test = Buffer.from(anEvent());
    const live = Buffer.from(anEvent().replace('"livemode":false', '"livemode":true'));
    expect(offline([], "skey_live").readEvent(test)).toEqual({
      kind: "unreadable",
      reason:
        "Omise sent a test event, and the secret key here is a live one: point the test webhook at a test site, or remove it",
    });
    expect(offline([]).readEvent(live)).toEqual({
      kind: "unreadable",
      reason:
        "Omise sent a live event, and the secret key here is a test one: point the live webhook at the live site, or set the live secret key here",
    });
    expect(offline([], "skey_live").readEvent(live)).toMatchObject({ event: { outcome: "succeeded" } });
  });

  it.each([
    ["not JSON", "{", "the body is not JSON"],
    ["no object", "[]", "not an event of Omise"],
    [
      "another object",
      JSON.stringify({ object: "charge", id: "chrg_1", key: "x" }),
      "object is missing or not as expected",
    ],
    ["of no mode", anEvent().replace('"livemode":false,', ""), "livemode is missing or not as expected"],
    ["an amount that is no whole number", anEvent({ amount: 99.5 }), "amount is missing or not as expected"],
    ["a currency that is none", anEvent({ currency: "baht" }), "currency is missing or not as expected"],
    ["an id that no database takes", anEvent({ id: "chrg\u0000" }), "id is missing or not as expected"],
  ])("is unreadable as %s", (_, body, reason) => {
    const parsed = parse(body, {}, []);
    expect(parsed).toMatchObject({ kind: "unreadable" });
    expect(parsed.kind === "unreadable" ? parsed.reason : "").toContain(reason);
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { UpstreamError } from "../../../src/errors.ts";
import { rateLimited, refusal, type Fault } from "./api-answer.ts";
import { aCheckout, useStripeDouble } from "./setup.ts";

const stripe = useStripeDouble();

afterEach(() => {
  stripe().double.faults.length = 0;
});

let keys = 0;
async function aSession(): Promise<string> {
  const checkout = await stripe().provider.createCheckout(aCheckout({ idempotencyKey: `key-${++keys}` }));
  return checkout.externalPaymentId;
}

const stateOf = (id: string) => stripe().double.sessions.find(id)?.session.status;

describe("A checkout that is called off", () => {
  it("cannot be paid any more, and an event says so", async () => {
    const { double, provider } = stripe();
    const id = await aSession();
    await provider.cancelCheckout(id);
    expect(stateOf(id)).toBe("expired");
    expect(double.outbox.events.at(-1)).toMatchObject({ type: "checkout.session.expired" });
    expect(() => double.sessions.pay(id)).toThrow("is not open");
  });

  it("is left as it is when it is over already, or unknown", async () => {
    const { double, provider } = stripe();
    const [paid, later, expired] = [await aSession(), await aSession(), await aSession()];
    double.sessions.pay(paid);
    double.sessions.payLater(later);
    double.sessions.expire(expired);
    for (const id of [paid, later, expired, expired, "cs_test_unknown"]) await provider.cancelCheckout(id);
    expect([stateOf(paid), stateOf(later), stateOf(expired)]).toEqual(["complete", "complete", "expired"]);
  });

  it("is closed although the answer was lost", async () => {
    const id = await aSession();
    stripe().double.failNext(1, { kind: "cut after" });
    await stripe().provider.cancelCheckout(id);
    expect(stateOf(id)).toBe("expired");
  });

  const REFUSED = refusal(400, { type: "invalid_request_error", message: "Not today." });
  const FORBIDDEN = refusal(403, { type: "invalid_request_error", message: "The key may not do this." });
  it.each<[string, number, Fault, string]>([
    ["too many requests", 1, rateLimited(3), "Trying again in 3 seconds helps"],
    ["a breakdown", 1, { kind: "broken" }, "Trying again later may help"],
    ["no connection", 3, { kind: "cut before" }, "Trying again later may help"],
    ["a key that may not", 1, { kind: "refused", answer: FORBIDDEN }, "until the secret key is put right"],
    ["a refusal while it is open", 1, { kind: "refused", answer: REFUSED }, "Not today"],
  ])("stays open, and that is told, after %s", async (_, times, fault, told) => {
    const { double, provider } = stripe();
    const id = await aSession();
    double.failNext(times, fault);
    const outcome: unknown = await provider.cancelCheckout(id).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(UpstreamError);
    expect(String(outcome)).toContain(`Stripe could not close checkout ${id}: `);
    expect(String(outcome)).toContain(told);
    expect(stateOf(id)).toBe("open");
  });
});

import { describe, expect, it } from "vitest";
import { UpstreamError } from "../../../src/errors.ts";
import { refusal } from "./api-answer.ts";
import { aCheckout, currency, useStripeDouble } from "./setup.ts";

const stripe = useStripeDouble();

let keys = 0;
async function aSession(): Promise<string> {
  const checkout = await stripe().provider.createCheckout(aCheckout({ idempotencyKey: `key-${++keys}` }));
  return checkout.externalPaymentId;
}

async function statusOf(id: string): Promise<string | undefined> {
  const payment = await stripe().provider.fetchPayment(id);
  return payment?.status;
}

describe("A payment that is asked for at Stripe", () => {
  it("is pending while nobody has paid, with amount and currency as we count them", async () => {
    const request = aCheckout({ idempotencyKey: "ugx", currency: currency("UGX"), amountMinor: 900n });
    const { externalPaymentId } = await stripe().provider.createCheckout(request);
    expect(await stripe().provider.fetchPayment(externalPaymentId)).toEqual({
      status: "pending",
      amountMinor: 900n,
      currency: "UGX",
    });
  });

  it("has succeeded once it is paid", async () => {
    const id = await aSession();
    stripe().double.sessions.pay(id);
    expect(await statusOf(id)).toBe("succeeded");
  });

  it("is canceled once the session has expired", async () => {
    const id = await aSession();
    stripe().double.sessions.expire(id);
    expect(await statusOf(id)).toBe("canceled");
  });

  it("is pending while a method that takes days is under way, and ends as that does", async () => {
    const [good, bad] = [await aSession(), await aSession()];
    for (const id of [good, bad]) {
      stripe().double.sessions.payLater(id);
      expect(await statusOf(id)).toBe("pending");
    }
    stripe().double.sessions.finish(good, "succeeded");
    stripe().double.sessions.finish(bad, "failed");
    expect([await statusOf(good), await statusOf(bad)]).toEqual(["succeeded", "failed"]);
  });

  it("is null when Stripe does not know it", async () => {
    expect(await stripe().provider.fetchPayment("cs_test_unknown")).toBeNull();
  });

  it("is unknown, and not missing, when Stripe does not answer as it should", async () => {
    const { double, provider } = stripe();
    const notFound = refusal(404, { type: "invalid_request_error", message: "Unrecognized request URL" });
    for (const answer of [notFound, { status: 200, body: { object: "checkout.session" } }]) {
      double.faults.push({ kind: "refused", answer });
      await expect(provider.fetchPayment("cs_test_1")).rejects.toThrow(UpstreamError);
    }
  });
});

import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { UpstreamError } from "../../../src/errors.ts";
import type { ProviderPayment } from "../../../src/payments/provider.ts";
import { BROKEN, rateLimited, refusal } from "./api-answer.ts";
import { aCheckout, currency, intentOf, useStripeDouble } from "./setup.ts";

const stripe = useStripeDouble();

afterEach(() => {
  stripe().double.faults.length = 0;
  stripe().double.refunds.beginsAs = "succeeded";
});

let keys = 0;
async function aSession(code = "THB", amountMinor = 35_792n): Promise<string> {
  const request = aCheckout({ idempotencyKey: `key-${++keys}`, currency: currency(code), amountMinor });
  return (await stripe().provider.createCheckout(request)).externalPaymentId;
}

async function aPaidSession(code = "THB", amountMinor = 35_792n): Promise<string> {
  const id = await aSession(code, amountMinor);
  stripe().double.sessions.pay(id);
  return id;
}

async function fetched(id: string): Promise<ProviderPayment> {
  return (await stripe().provider.fetchPayment(id)) ?? expect.fail(`${id} is unknown`);
}

async function statusOf(id: string): Promise<string> {
  return (await fetched(id)).status;
}

describe("A payment that is asked for at Stripe", () => {
  it("is pending while nobody has paid, with amount and currency as we count them", async () => {
    expect(await fetched(await aSession("UGX", 900n))).toEqual({
      status: "pending",
      amountMinor: 900n,
      currency: "UGX",
      refunds: [],
      disputes: [],
    });
  });

  it("has succeeded once it is paid, and has the payment intent for its reference", async () => {
    const id = await aPaidSession();
    expect(await fetched(id)).toEqual({
      status: "succeeded",
      amountMinor: 35_792n,
      currency: "THB",
      reference: intentOf(stripe().double, id),
      refunds: [],
      disputes: [],
    });
  });

  it("has expired once the session has", async () => {
    const id = await aSession();
    stripe().double.sessions.expire(id);
    expect(await statusOf(id)).toBe("expired");
  });

  it("is processed while a method that takes days is under way, and ends as that does", async () => {
    const [good, bad, canceled] = [await aSession(), await aSession(), await aSession()];
    for (const id of [good, bad, canceled]) {
      stripe().double.sessions.payLater(id);
      expect(await statusOf(id)).toBe("processing");
    }
    stripe().double.sessions.finish(good, "succeeded");
    stripe().double.sessions.finish(bad, "failed");
    stripe().double.sessions.kept(canceled).intentStatus = "canceled";
    expect([await statusOf(good), await statusOf(bad), await statusOf(canceled)]).toEqual([
      "succeeded",
      "failed",
      "failed",
    ]);
  });

  it("is null when Stripe does not know it", async () => {
    expect(await stripe().provider.fetchPayment("cs_test_unknown")).toBeNull();
  });

  it("is unknown, and not missing, when Stripe does not answer as it should", async () => {
    const { double, provider } = stripe();
    const id = await aPaidSession();
    const notFound = refusal(404, { type: "invalid_request_error", message: "Unrecognized request URL" });
    for (const answer of [notFound, { status: 200, body: { object: "checkout.session" } }, BROKEN]) {
      double.failNext(1, { kind: "refused", answer });
      await expect(provider.fetchPayment(id)).rejects.toThrow(UpstreamError);
    }
    double.failNext(1, rateLimited(7));
    await expect(provider.fetchPayment(id)).rejects.toThrow("Trying again in 7 seconds helps");
    double.failNext(3, { kind: "cut before" });
    await expect(provider.fetchPayment(id)).rejects.toThrow(UpstreamError);
    expect(await statusOf(id)).toBe("succeeded");
  });

  it("is not believed when it is of the other mode than the secret key", async () => {
    const { double, provider } = stripe();
    const kept = double.sessions.kept(await aPaidSession());
    kept.session = { ...kept.session, livemode: true };
    const asked = provider.fetchPayment(kept.session.id);
    await expect(asked).rejects.toThrow(UpstreamError);
    await expect(asked).rejects.toThrow("its answer is about live money, and the secret key is a test one");
  });
});

describe("Refunds of a payment", () => {
  it("are told with our own ids, and those from the dashboard without", async () => {
    const { double } = stripe();
    const id = await aPaidSession();
    const ours = double.refunds.make(id, 1_000, { refund: "41" });
    const others = ["", "-1", "4.5", "0x29", "9".repeat(19)].map((refund) => double.refunds.make(id, 10, { refund }));
    expect((await fetched(id)).refunds).toEqual([
      ...others.toReversed().map((refund) => ({
        externalRefundId: refund.id,
        refundId: null,
        status: "succeeded",
        amountMinor: 10n,
      })),
      { externalRefundId: ours.id, refundId: 41n, status: "succeeded", amountMinor: 1_000n },
    ]);
  });

  it.each([
    ["succeeded", "succeeded"],
    ["pending", "pending"],
    ["requires_action", "pending"],
    ["failed", "failed"],
    ["canceled", "failed"],
  ] as const)("that are %s at Stripe are %s", async (status, ours) => {
    const { double } = stripe();
    const id = await aPaidSession();
    double.refunds.beginsAs = "pending";
    double.refunds.end(double.refunds.make(id, 1_000).id, status);
    expect((await fetched(id)).refunds).toMatchObject([{ status: ours }]);
  });

  it("are all told, however many there are, and none of other payments", async () => {
    const { double } = stripe();
    const [id, other] = [await aPaidSession(), await aPaidSession()];
    double.refunds.make(other, 1);
    const made = Array.from({ length: 230 }, () => double.refunds.make(id, 1).id);
    expect((await fetched(id)).refunds.map(({ externalRefundId }) => externalRefundId)).toEqual(made.toReversed());
  });

  it("come back as they went, in currencies of any decimals", async () => {
    const { provider } = stripe();
    const sessions = await Promise.all(
      (["JPY", "KWD", "UGX", "ISK", "THB"] as const).map(async (code) => ({
        code,
        id: await aPaidSession(code, 900_000n),
      })),
    );
    let refundId = 1000n;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sessions),
        fc.bigInt({ min: 1n, max: 500n }),
        async ({ code, id }, amountMinor) => {
          const asked = code === "KWD" ? amountMinor * 10n : amountMinor;
          refundId++;
          const request = { refundId, amountMinor: asked, currency: currency(code), receiptNumber: "R-1" };
          const made = await provider.refund?.({
            ...request,
            externalPaymentId: id,
            idempotencyKey: refundId.toString(),
          });
          expect(made).toMatchObject({ refundId, amountMinor: asked });
          expect((await fetched(id)).refunds).toContainEqual(made);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("in another currency than the payment's are no answer", async () => {
    const { double, provider } = stripe();
    const id = await aPaidSession();
    double.refunds.make(id, 1_000).currency = "usd";
    await expect(provider.fetchPayment(id)).rejects.toThrow(/refund re_\w+ is in USD, not THB/u);
  });
});

describe("Disputes of a payment", () => {
  it.each([
    ["needs_response", "open"],
    ["under_review", "open"],
    ["warning_needs_response", "open"],
    ["warning_under_review", "open"],
    ["appeal_under_review", "open"],
    ["something_new", "open"],
    ["warning_closed", "won"],
    ["prevented", "won"],
    ["won", "won"],
    ["lost", "lost"],
  ])("that are %s at Stripe are %s", async (status, ours) => {
    const { disputes } = stripe().double;
    const id = await aPaidSession();
    const dispute = disputes.open(id);
    disputes.move(dispute, status);
    expect(await fetched(id)).toMatchObject({
      status: "succeeded",
      disputes: [{ externalDisputeId: dispute, status: ours, amountMinor: 35_792n }],
    });
  });

  it("may be of a part, and several", async () => {
    const { disputes } = stripe().double;
    const id = await aPaidSession("JPY", 500n);
    disputes.move(disputes.open(id, { amount: 100 }), "won");
    disputes.open(id, { amount: 400 });
    expect((await fetched(id)).disputes).toMatchObject([
      { status: "open", amountMinor: 400n },
      { status: "won", amountMinor: 100n },
    ]);
  });

  it("in another currency than the payment's are no answer", async () => {
    const { double, provider } = stripe();
    const id = await aPaidSession();
    double.disputes.open(id);
    for (const dispute of double.sessions.kept(id).disputes) dispute.currency = "usd";
    await expect(provider.fetchPayment(id)).rejects.toThrow(/dispute du_\w+ is in USD, not THB/u);
  });
});

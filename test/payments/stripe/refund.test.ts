import { afterEach, describe, expect, it } from "vitest";
import { UpstreamError, UserError } from "../../../src/errors.ts";
import type { ProviderRefund, RefundRequest } from "../../../src/payments/provider.ts";
import { rateLimited, refusal, type Fault } from "./api-answer.ts";
import { STRIPE_KEY } from "./double.ts";
import { aCheckout, aRefund, currency, intentOf, useStripeDouble } from "./setup.ts";

const stripe = useStripeDouble();

afterEach(() => {
  stripe().double.faults.length = 0;
  stripe().double.refunds.beginsAs = "succeeded";
});

let keys = 0;
async function aPaidSession(code = "THB", amountMinor = 35_792n): Promise<string> {
  const request = aCheckout({ idempotencyKey: `key-${++keys}`, currency: currency(code), amountMinor });
  const { externalPaymentId } = await stripe().provider.createCheckout(request);
  stripe().double.sessions.pay(externalPaymentId);
  return externalPaymentId;
}

async function payBack(request: RefundRequest): Promise<ProviderRefund> {
  return (await stripe().provider.refund?.(request)) ?? expect.fail("Stripe cannot pay back");
}

/** What a refund ends with while things go wrong with what is asked after the payment and its refunds were looked at. */
async function failureOf(request: RefundRequest, ...faults: readonly Fault[]): Promise<unknown> {
  const { double } = stripe();
  const isAsked = () => double.requests.at(-1)?.method === "POST";
  const fine: Fault = { kind: "none" };
  double.faults.push(fine, fine, ...faults);
  const outcome: unknown = await payBack(request).catch((error: unknown) => error);
  expect(isAsked()).toBe(true);
  return outcome;
}

const refundsOf = (id: string) => stripe().double.sessions.kept(id).refunds;

describe("Paying back through Stripe", () => {
  it("gives back exactly what was asked for, under our id and the receipt's number", async () => {
    const { double } = stripe();
    const id = await aPaidSession();
    const refund = await payBack(aRefund(id));
    expect(refund).toEqual({
      externalRefundId: refundsOf(id)[0]?.id,
      refundId: 41n,
      status: "succeeded",
      amountMinor: 10_000n,
    });
    expect(refundsOf(id)).toMatchObject([
      {
        amount: 10_000,
        currency: "thb",
        payment_intent: intentOf(double, id),
        metadata: { receipt: "R-2026-000007", refund: "41" },
      },
    ]);
    expect(double.requests.at(-1)?.headers["idempotency-key"]).toBe(`refund-${id}-41`);
  });

  it("is possible in parts, until nothing is left", async () => {
    const id = await aPaidSession();
    await payBack(aRefund(id, { refundId: 1n, amountMinor: 30_000n }));
    await payBack(aRefund(id, { refundId: 2n, amountMinor: 5_792n }));
    await expect(payBack(aRefund(id, { refundId: 3n, amountMinor: 1n }))).rejects.toThrow(
      /^Stripe could not pay back 0\.01 THB of receipt R-2026-000007: Charge ch_\w+ has already been refunded \(charge_already_refunded, HTTP 400, request req_\w+\)\. Trying again does not help\.$/u,
    );
  });

  it.each([
    ["JPY", 300n, 300],
    ["KWD", 2_560n, 2_560],
    ["UGX", 700n, 70_000],
    ["ISK", 20n, 2_000],
  ])("counts %s as Stripe does", async (code, amountMinor, amount) => {
    const id = await aPaidSession(code, amountMinor * 2n);
    const refund = await payBack(aRefund(id, { currency: currency(code), amountMinor }));
    expect(refundsOf(id)[0]?.amount).toBe(amount);
    expect(refund.amountMinor).toBe(amountMinor);
  });

  it("may take its time: a bank that is slow, a payer who has to say where to", async () => {
    const id = await aPaidSession();
    for (const [refundId, beginsAs] of [
      [1n, "pending"],
      [2n, "requires_action"],
    ] as const) {
      stripe().double.refunds.beginsAs = beginsAs;
      expect(await payBack(aRefund(id, { refundId }))).toMatchObject({ refundId, status: "pending" });
    }
  });
});

describe("Asking for a refund again", () => {
  it("pays back once", async () => {
    const id = await aPaidSession();
    const first = await payBack(aRefund(id));
    expect(await payBack(aRefund(id))).toEqual(first);
    expect(refundsOf(id)).toHaveLength(1);
  });

  it("pays back once although Stripe has forgotten the key, and tells how the refund stands now", async () => {
    const { double } = stripe();
    const id = await aPaidSession();
    const first = await payBack(aRefund(id));
    double.idempotencyKeys.forget();
    double.refunds.end(first.externalRefundId, "failed");
    expect(await payBack(aRefund(id))).toEqual({ ...first, status: "failed" });
    expect(refundsOf(id)).toHaveLength(1);
  });

  it("at the same moment pays back once", async () => {
    const { double } = stripe();
    const id = await aPaidSession();
    const release = double.hold();
    const both = [payBack(aRefund(id)), payBack(aRefund(id))];
    await expect
      .poll(() => double.requests.filter(({ form }) => form.get("payment_intent") === intentOf(double, id)).length)
      .toBeGreaterThanOrEqual(4);
    release();
    const [first, second] = await Promise.all(both);
    expect(second).toEqual(first);
    expect(refundsOf(id)).toHaveLength(1);
  });

  it("because the answer was lost pays back once", async () => {
    const id = await aPaidSession();
    const lost: Fault = { kind: "cut after" };
    expect(await failureOf(aRefund(id), lost, lost, lost)).toBeInstanceOf(UpstreamError);
    expect(await payBack(aRefund(id))).toMatchObject({ refundId: 41n, status: "succeeded" });
    expect(refundsOf(id)).toHaveLength(1);
  });
});

describe("A refund that Stripe refuses for good", () => {
  it("is told in Stripe's words: more than is left, or a charge that its bank took back", async () => {
    const { double } = stripe();
    const id = await aPaidSession();
    await expect(payBack(aRefund(id, { amountMinor: 35_793n }))).rejects.toThrow(
      "Refund amount (35793) is greater than unrefunded amount on charge (35792) (HTTP 400",
    );
    double.disputes.open(id);
    const refused = payBack(aRefund(id));
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow("cannot issue a refund (charge_disputed, HTTP 400");
    expect(refundsOf(id)).toEqual([]);
  });

  it.each([
    [400, "invalid_request_error", "balance_insufficient"],
    [402, "card_error", "expired_card"],
    [404, "invalid_request_error", "resource_missing"],
  ] as const)("as with HTTP %i %s %s, is a UserError that shows no key", async (status, type, code) => {
    const answer = refusal(status, { type, code, message: `Not with ${STRIPE_KEY}.` });
    const outcome = await failureOf(aRefund(await aPaidSession()), { kind: "refused", answer });
    expect(outcome).toBeInstanceOf(UserError);
    expect(String(outcome)).toContain("Not with (key)");
    expect(String(outcome)).not.toContain(STRIPE_KEY);
  });

  it("is one of a checkout that is unknown, was never paid, or took another currency", async () => {
    const { double, provider } = stripe();
    const open = (await provider.createCheckout(aCheckout({ idempotencyKey: "never paid" }))).externalPaymentId;
    const later = (await provider.createCheckout(aCheckout({ idempotencyKey: "paid later" }))).externalPaymentId;
    double.sessions.payLater(later);
    for (const request of [
      aRefund("cs_test_unknown"),
      aRefund(open),
      aRefund(later),
      aRefund(await aPaidSession("USD"), { currency: currency("THB") }),
    ]) {
      await expect(payBack(request)).rejects.toThrow(UserError);
    }
  });

  it("is one of an amount that Stripe does not count: nothing is asked then", async () => {
    const { double } = stripe();
    const id = await aPaidSession("KWD", 5_120n);
    const asked = double.requests.length;
    await expect(payBack(aRefund(id, { currency: currency("KWD"), amountMinor: 5_111n }))).rejects.toThrow(UserError);
    expect(double.requests).toHaveLength(asked);
  });
});

describe("A refund of which it is not known whether it was made", () => {
  const status = (code: number): Fault => {
    const answer = refusal(code, { type: "invalid_request_error", message: "Not now." });
    return { kind: "refused", answer };
  };
  it.each<[string, readonly Fault[]]>([
    ["no connection", [{ kind: "cut before" }, { kind: "cut before" }, { kind: "cut before" }]],
    ["too many requests", [rateLimited(5)]],
    ["a breakdown", [{ kind: "broken" }]],
    ["something else that answers", [{ kind: "not json" }]],
    ["a wrong key", [status(401)]],
    ["a key that may not", [status(403)]],
    ["another request with the key", [status(409), status(409), status(409)]],
    ["an address that is not Stripe's", [status(404)]],
  ])("is told as such, after %s", async (_, faults) => {
    const id = await aPaidSession();
    expect(await failureOf(aRefund(id), ...faults)).toBeInstanceOf(UpstreamError);
    expect(refundsOf(id)).toEqual([]);
  });

  it("is one whose payment could not be looked at", async () => {
    const id = await aPaidSession();
    stripe().double.failNext(1, rateLimited(1));
    await expect(payBack(aRefund(id))).rejects.toThrow(UpstreamError);
    expect(refundsOf(id)).toEqual([]);
  });

  it("is one whose key was used for another amount", async () => {
    const id = await aPaidSession();
    const key = { idempotencyKey: "the same" };
    await payBack(aRefund(id, { ...key, refundId: 1n }));
    await expect(payBack(aRefund(id, { ...key, refundId: 2n }))).rejects.toThrow(UpstreamError);
  });
});

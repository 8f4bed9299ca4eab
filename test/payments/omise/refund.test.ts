import { describe, expect, it } from "vitest";
import { UpstreamError, UserError } from "../../../src/errors.ts";
import type { ProviderRefund, RefundRequest } from "../../../src/payments/provider.ts";
import { rateLimited, type Fault } from "./double.ts";
import { aRefund, fetched, usePaidLink } from "./refund-setup.ts";

const paid = usePaidLink();

async function payBack(change: Parameters<typeof aRefund>[1] = {}): Promise<ProviderRefund> {
  return request(aRefund(paid().link.id, change));
}

async function request(asked: RefundRequest): Promise<ProviderRefund> {
  return (await paid().provider.refund?.(asked)) ?? expect.fail("Omise cannot pay back");
}

const failureOf = (change: Parameters<typeof aRefund>[1] = {}): Promise<unknown> =>
  payBack(change).catch((error: unknown) => error);

describe("paying back through Omise", () => {
  it("gives back exactly what was asked for, under our id and the receipt's number", async () => {
    const refund = await payBack();
    expect(paid().charge.refunds).toMatchObject([
      { id: refund.externalRefundId, amount: 1_000, currency: "THB", metadata: { refund: "41", receipt: "R-1" } },
    ]);
    expect(refund).toMatchObject({ refundId: 41n, status: "succeeded", amountMinor: 1_000n });
    expect((await fetched(paid())).refunds).toEqual([refund]);
  });

  it("is possible in parts, until nothing is left", async () => {
    await payBack({ refundId: 1n, amountMinor: 9_000n });
    await payBack({ refundId: 2n, amountMinor: 900n });
    const refused = await failureOf({ refundId: 3n, amountMinor: 1n });
    expect(refused).toBeInstanceOf(UserError);
    expect(String(refused)).toContain(
      "Omise was asked to pay back 0.01 THB of receipt R-1 and refused (400 failed_refund: charge was already refunded)",
    );
  });

  it("may take its time", async () => {
    paid().omise.moneyBack.refundsBeginAs = "pending";
    expect(await payBack()).toMatchObject({ status: "pending" });
  });

  it("pays back the charge that paid, however many failed before and are not in the link", async () => {
    const { omise } = paid();
    const link = omise.books.addLink({
      amount: 9_900,
      currency: "THB",
      title: "R-2",
      description: "R-2",
      multiple: false,
    });
    for (let attempt = 0; attempt < 25; attempt++) omise.press(link, "declined");
    omise.press(link, "card");
    await request(aRefund(link.id));
    expect(omise.paidCharge(link.id).refunds).toHaveLength(1);
  });
});

describe("asking Omise for a refund again", () => {
  it("pays back once, and tells how the refund stands now", async () => {
    const first = await payBack();
    for (const refund of paid().charge.refunds) refund.status = "failed";
    expect(await payBack()).toEqual({ ...first, status: "failed" });
    expect(paid().charge.refunds).toHaveLength(1);
  });

  it.each(["lose_answer", "rubbish"] as const)("finds the one whose answer was lost (%s)", async (kind) => {
    paid().omise.failNext("POST", { kind });
    expect(await failureOf()).toBeInstanceOf(UpstreamError);
    expect(await payBack()).toMatchObject({ refundId: 41n, status: "succeeded" });
    expect(paid().charge.refunds).toHaveLength(1);
  });

  it("pays back once more for another id", async () => {
    await payBack({ refundId: 1n });
    await payBack({ refundId: 2n });
    expect(paid().charge.refunds).toHaveLength(2);
  });
});

describe("a refund that Omise refuses for good", () => {
  it("is told in its words: more than is left, a disputed charge, too many refunds", async () => {
    const { omise, charge } = paid();
    expect(String(await failureOf({ amountMinor: 9_901n }))).toContain("amount is greater than what is left");
    const dispute = omise.moneyBack.openDispute(charge);
    expect(await failureOf()).toBeInstanceOf(UserError);
    omise.moneyBack.moveDispute(dispute, "won");
    for (let count = 0; count < 15; count++) omise.moneyBack.refund(charge, 1);
    expect(String(await failureOf())).toContain("UserError: Omise was asked to pay back 10.00 THB of receipt R-1");
    expect(charge.refunds).toHaveLength(15);
  });

  it.each([
    [400, "invalid_charge"],
    [404, "not_found"],
    [422, "unprocessable"],
  ])("as with %i %s, is a UserError that shows no key", async (status, code) => {
    const { omise } = paid();
    omise.failNext("POST", { kind: "refuse", status, code, message: `not with ${omise.secretKey}` });
    const outcome = await failureOf();
    expect(outcome).toBeInstanceOf(UserError);
    expect(String(outcome)).toContain("not with [key]");
  });

  it("is one of a link that is unknown, was never paid, or took another currency", async () => {
    const { omise, link } = paid();
    const open = omise.books.addLink({ ...link, title: "R-2" });
    for (const asked of [
      aRefund("link_test_0"),
      aRefund("chrg_test_1"),
      aRefund(open.id),
      aRefund(link.id, { code: "USD" }),
    ]) {
      await expect(request(asked)).rejects.toThrow(UserError);
    }
    expect(omise.calls.filter(({ method }) => method === "POST")).toEqual([]);
  });
});

describe("a refund of which it is not known whether Omise made it", () => {
  const refuse = (status: number, code: string): Fault => ({ kind: "refuse", status, code, message: "not now" });
  it.each<[string, Fault]>([
    ["no connection", { kind: "lose_call" }],
    ["too many requests", rateLimited(5)],
    ["a breakdown", refuse(500, "internal_error")],
    ["a bank that could not be reached", refuse(400, "backend_error")],
    ["a wrong key", refuse(401, "authentication_failure")],
    ["a key that may not", refuse(403, "not_authorized")],
    ["a conflict", refuse(409, "conflict")],
  ])("is told as such, after %s", async (_, fault) => {
    paid().omise.failNext("POST", fault);
    const outcome = await failureOf();
    expect(outcome).toBeInstanceOf(UpstreamError);
    expect(paid().charge.refunds).toEqual([]);
    expect(await payBack()).toMatchObject({ status: "succeeded" });
  });

  it("is one whose earlier refunds could not be looked at: nothing is paid back then", async () => {
    const { omise, charge } = paid();
    omise.beforeAnswer = ({ path }) => {
      if (path.includes("/refunds")) omise.failNext("GET", rateLimited(1));
    };
    expect(await failureOf()).toBeInstanceOf(UpstreamError);
    expect(charge.refunds).toEqual([]);
  });
});

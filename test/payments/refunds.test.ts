import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issueCreditNote } from "../../src/billing/credit-notes.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { movementsOf } from "../../src/billing/money-movements.ts";
import { findReceipt } from "../../src/billing/queries.ts";
import { checkPayments } from "../../src/payments/check.ts";
import { paymentsOf, startCheckout } from "../../src/payments/checkout.ts";
import { closeCheckouts } from "../../src/payments/close.ts";
import type { PaymentContext } from "../../src/payments/context.ts";
import { workOnDeliveries } from "../../src/payments/deliveries.ts";
import { disputesOf, openDisputes } from "../../src/payments/disputes.ts";
import type { PaymentProvider } from "../../src/payments/provider.ts";
import { orderRefund, refundablePayments, refundsOf, sendRefunds } from "../../src/payments/refunds.ts";
import { receiveWebhook } from "../../src/payments/webhook.ts";
import { aJob, createTestContext, type TestContext } from "../support/context.ts";
import { callOf, PaperProvider } from "../support/paper-provider.ts";

let context: TestContext;
let payments: PaymentContext;
let bank: PaperProvider;
let receiptId: bigint;
let totalMinor: bigint;
/** The provider's id of the payment that paid the receipt. */
let paid: string;
const by = { actor: "finance" };

beforeEach(async () => {
  context = await createTestContext();
  bank = new PaperProvider("bank");
  const providers = new Map<string, PaymentProvider>([["bank", bank]]);
  payments = { ...context.payments, provider: bank, providers };
  await context.importJobs([aJob({ allocGpus: 2 })]);
  const receipt = await issueReceipt(context, { userName: "alice", cutoffDay: "2026-10-31" }, { actor: "alice" });
  if (receipt === undefined) throw new Error("nothing was billed");
  ({ id: receiptId, totalMinor } = receipt);
  await startCheckout(payments, receiptId, { actor: "alice" });
  paid = [...bank.payments.keys()][0] ?? "";
  bank.end(paid, "succeeded");
  await deliverAll();
});

afterEach(() => context.close());

async function deliverAll(): Promise<void> {
  for (const body of bank.outbox.splice(0)) await receiveWebhook(payments, bank, callOf(body));
  await workOnDeliveries(payments);
}

const stateNow = async () => {
  const receipt = await findReceipt(context.db, receiptId);
  return [receipt?.status, receipt?.dueMinor];
};
const kinds = async () =>
  (await movementsOf(context.db, receiptId)).map(({ kind, amountMinor }) => [kind, amountMinor]);

/** Something is owed back: a part of the receipt was credited. */
async function credit(amountMinor: bigint): Promise<void> {
  const request = { scope: "lines", amounts: new Map([[1, amountMinor]]) } as const;
  await issueCreditNote(context, receiptId, request, "a reason", by);
}

async function order(amountMinor: bigint): Promise<bigint> {
  const [payment] = await refundablePayments(payments, receiptId);
  return orderRefund(payments, { receiptId, paymentId: payment?.id, amountMinor, text: "owed back" }, by);
}

const refunds = async () =>
  (await refundsOf(context.db, receiptId)).map(({ status, amountMinor }) => [status, amountMinor]);

describe("a refund", () => {
  it("needs something that is owed back, and goes no further than that", async () => {
    await expect(order(1n)).rejects.toThrow("nothing is owed back");
    await credit(100n);
    await expect(order(101n)).rejects.toThrow("1.01 THB is more than the 1.00 THB that is owed back");
    await order(60n);
    await expect(order(41n)).rejects.toThrow("0.41 THB is more than the 0.40 THB that is owed back");
    await order(40n);
    await expect(order(1n)).rejects.toThrow("nothing is owed back");
  });

  it("is paid back by the provider, in parts, each once", async () => {
    await credit(100n);
    await order(60n);
    await order(40n);
    await Promise.all([sendRefunds(payments), sendRefunds(payments)]);
    await deliverAll();
    await deliverAll();
    expect(await refunds()).toEqual([
      ["succeeded", 60n],
      ["succeeded", 40n],
    ]);
    expect(await stateNow()).toEqual(["paid", 0n]);
    expect(bank.leftOf(paid)).toBe(totalMinor - 100n);
    // Which of the two is sent first is nobody's business.
    expect(new Set((await kinds()).map(([kind, amount]) => `${kind} ${amount}`))).toEqual(
      new Set([`payment ${totalMinor}`, "refund -60", "refund -40"]),
    );
  });

  it("waits while the provider is away, and goes through when it is back", async () => {
    await credit(100n);
    bank.isAway = true;
    await order(100n);
    await sendRefunds(payments);
    expect(await refundsOf(context.db, receiptId)).toMatchObject([
      { status: "requested", failure: "bank does not answer" },
    ]);
    bank.isAway = false;
    context.clock.set("2026-11-01T02:00:11Z");
    await sendRefunds(payments);
    expect(await refunds()).toEqual([["succeeded", 100n]]);
  });

  it("that the provider refuses for good has failed, says why, and can be ordered by hand", async () => {
    await credit(100n);
    // Somebody paid all of it back in the dashboard, and no event has come yet.
    bank.refundOutside(paid, totalMinor);
    bank.outbox.splice(0);
    await order(100n);
    await sendRefunds(payments);
    expect(await refundsOf(context.db, receiptId)).toMatchObject([
      { status: "failed", failure: "more than is left to refund" },
    ]);
    await orderRefund(payments, { receiptId, amountMinor: 100n, text: "KTB 4711" }, by);
    expect(await stateNow()).toEqual(["paid", 0n]);
  });

  it("that is on its way is asked about, and counts when it has arrived", async () => {
    await credit(100n);
    bank.refundsAre = "pending";
    await order(100n);
    await sendRefunds(payments);
    expect(await refunds()).toEqual([["pending", 100n]]);
    expect(await stateNow()).toEqual(["paid", -100n]);
    bank.endRefund(paid, "re_2", "succeeded");
    bank.outbox.splice(0);
    await checkPayments(payments);
    expect(await refunds()).toEqual([["succeeded", 100n]]);
    expect(await stateNow()).toEqual(["paid", 0n]);
  });

  it("that comes back from the bank is owed again", async () => {
    await credit(100n);
    await order(100n);
    await sendRefunds(payments);
    bank.endRefund(paid, [...(bank.payments.get(paid)?.refunds.keys() ?? [])][0] ?? "", "failed");
    await deliverAll();
    expect(await refunds()).toEqual([["failed", 100n]]);
    expect(await stateNow()).toEqual(["paid", -100n]);
  });

  it("made in the provider's dashboard opens the receipt again, once", async () => {
    bank.refundOutside(paid, 500n);
    const [body] = bank.outbox;
    await deliverAll();
    if (body !== undefined) await receiveWebhook(payments, bank, callOf(body));
    await workOnDeliveries(payments);
    expect(await stateNow()).toEqual(["pending", 500n]);
    expect(await refundsOf(context.db, receiptId)).toMatchObject([
      { status: "succeeded", amountMinor: 500n, requestedBy: "provider:bank" },
    ]);
  });

  it("whose event was lost is found within a day", async () => {
    bank.refundOutside(paid, 500n);
    bank.outbox.splice(0);
    await checkPayments(payments);
    context.clock.set("2026-11-02T03:00:00Z");
    await checkPayments(payments);
    expect(await stateNow()).toEqual(["pending", 500n]);
  });
});

describe("a dispute", () => {
  it("moves money when it is lost, and not before", async () => {
    const dispute = bank.dispute(paid, totalMinor);
    await deliverAll();
    expect(await openDisputes(context.db, 5)).toHaveLength(1);
    expect(await stateNow()).toEqual(["paid", 0n]);
    bank.decide(paid, dispute, "lost");
    await deliverAll();
    expect(await disputesOf(context.db, receiptId)).toMatchObject([{ status: "lost" }]);
    expect(await stateNow()).toEqual(["pending", totalMinor]);
    expect(await kinds()).toEqual([
      ["payment", totalMinor],
      ["chargeback", -totalMinor],
    ]);
  });

  it("that is won changes nothing, whatever the order of its events", async () => {
    const dispute = bank.dispute(paid, totalMinor);
    bank.decide(paid, dispute, "won");
    bank.outbox.reverse();
    await deliverAll();
    expect(await disputesOf(context.db, receiptId)).toMatchObject([{ status: "won" }]);
    expect(await stateNow()).toEqual(["paid", 0n]);
  });
});

describe("a checkout that was called off", () => {
  it("is closed at the provider, also when that was away first", async () => {
    await context.importJobs([aJob({ user: "bob" })]);
    const bob = await issueReceipt(context, { userName: "bob", cutoffDay: "2026-10-31" }, { actor: "bob" });
    await startCheckout(payments, bob?.id ?? 0n, { actor: "bob" });
    const open = [...bank.payments.keys()][1] ?? "";
    await issueCreditNote(context, bob?.id ?? 0n, { scope: "full", releaseJobs: true }, "wrong project", by);
    bank.isAway = true;
    await closeCheckouts(payments);
    expect(bank.payments.get(open)?.status).toBe("pending");
    bank.isAway = false;
    context.clock.set("2026-11-01T02:00:11Z");
    await closeCheckouts(payments);
    expect(bank.payments.get(open)?.status).toBe("canceled");
  });

  it("and was paid a moment before is in the books, and owed back", async () => {
    await context.importJobs([aJob({ user: "bob" })]);
    const bob = await issueReceipt(context, { userName: "bob", cutoffDay: "2026-10-31" }, { actor: "bob" });
    const id = bob?.id ?? 0n;
    await startCheckout(payments, id, { actor: "bob" });
    bank.end([...bank.payments.keys()][1] ?? "", "succeeded");
    bank.outbox.splice(0);
    await issueCreditNote(context, id, { scope: "full", releaseJobs: true }, "wrong project", by);
    await closeCheckouts(payments);
    expect(await findReceipt(context.db, id)).toMatchObject({ status: "paid", dueMinor: -(bob?.totalMinor ?? 0n) });
  });

  it("after a day without a payer has expired, and a new one can be opened", async () => {
    await context.importJobs([aJob({ user: "bob" })]);
    const bob = await issueReceipt(context, { userName: "bob", cutoffDay: "2026-10-31" }, { actor: "bob" });
    const id = bob?.id ?? 0n;
    await startCheckout(payments, id, { actor: "bob" });
    context.clock.set("2026-11-02T03:00:00Z");
    await checkPayments(payments);
    expect((await paymentsOf(context.db, id)).map(({ status }) => status)).toEqual(["expired"]);
    await closeCheckouts(payments);
    await startCheckout(payments, id, { actor: "bob" });
    expect((await paymentsOf(context.db, id)).map(({ status }) => status)).toEqual(["expired", "pending"]);
  });
});

describe("a payment that the bank works on", () => {
  it("keeps another from being started, and counts when it has arrived", async () => {
    await context.importJobs([aJob({ user: "bob" })]);
    const bob = await issueReceipt(context, { userName: "bob", cutoffDay: "2026-10-31" }, { actor: "bob" });
    const id = bob?.id ?? 0n;
    await startCheckout(payments, id, { actor: "bob" });
    const open = [...bank.payments.keys()][1] ?? "";
    bank.end(open, "processing");
    await deliverAll();
    await expect(startCheckout(payments, id, { actor: "bob" })).rejects.toThrow("is with the bank");
    bank.end(open, "succeeded");
    await deliverAll();
    expect((await findReceipt(context.db, id))?.status).toBe("paid");
  });
});

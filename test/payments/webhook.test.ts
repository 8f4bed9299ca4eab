import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { verifyAudit } from "../../src/audit/verify.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { findReceipt } from "../../src/billing/queries.ts";
import { markPaid, voidReceipt } from "../../src/billing/settle.ts";
import { sql } from "../../src/db/database.ts";
import { paymentsOf, startCheckout } from "../../src/payments/checkout.ts";
import { signDummyBody } from "../../src/payments/dummy.ts";
import { receiveWebhook, type WebhookAnswer } from "../../src/payments/webhook.ts";
import { aJob, createTestContext, TEST_KEYRING, WEBHOOK_SECRET, type TestContext } from "../support/context.ts";

let context: TestContext;
let receiptId: bigint;
let amountMinor: bigint;
const by = { actor: "alice" };

beforeEach(async () => {
  context = await createTestContext();
  await context.importJobs([aJob(), aJob({ allocGpus: 2 })]);
  const receipt = await issueReceipt(context, { userName: "alice", cutoffDay: "2026-10-31" }, by);
  receiptId = receipt?.id ?? 0n;
  amountMinor = receipt?.totalMinor ?? 0n;
});

afterEach(() => context.close());

async function checkout(): Promise<string> {
  const { url } = await startCheckout(context.payments, receiptId, by);
  return new URLSearchParams(url.split("?")[1]).get("external_payment_id") ?? "";
}

function send(event: Record<string, unknown>, signature?: string): Promise<WebhookAnswer> {
  const body = Buffer.from(JSON.stringify(event));
  const header = signature ?? signDummyBody(WEBHOOK_SECRET, body);
  return receiveWebhook(context.payments, context.payments.provider, {
    rawBody: body,
    header: (name) => (name === "x-dummy-signature" ? header : undefined),
    requestId: "request-1",
  });
}

function success(externalPaymentId: string, overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    event_id: "evt_1",
    event_type: "payment.succeeded",
    external_payment_id: externalPaymentId,
    amount_cents: Number(amountMinor),
    currency: "THB",
    ...overrides,
  };
}

async function statusNow(): Promise<string | undefined> {
  return (await findReceipt(context.db, receiptId))?.status;
}

async function verdicts(): Promise<string[]> {
  const rows = await context.db.rows(
    z.object({ verdict: z.string() }),
    sql`SELECT verdict FROM payment_events ORDER BY id`,
  );
  return rows.map((row) => row.verdict);
}

describe("the webhook", () => {
  it("settles payment and receipt together", async () => {
    const payment = await checkout();
    expect(await send(success(payment))).toMatchObject({ verdict: "applied" });
    expect(await findReceipt(context.db, receiptId)).toMatchObject({
      status: "paid",
      paidMethod: "dummy",
      paidReference: payment,
    });
    expect((await paymentsOf(context.db, receiptId)).map((row) => row.status)).toEqual(["succeeded"]);
    expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
  });

  it("refuses a wrong, missing or malformed signature, and believes nothing in such a body", async () => {
    const payment = await checkout();
    const forged = signDummyBody("another secret", JSON.stringify(success(payment)));
    for (const signature of [forged, "", "zz", "0".repeat(64), "0".repeat(63)]) {
      expect(await send(success(payment), signature)).toMatchObject({ verdict: "refused" });
    }
    expect(await statusNow()).toBe("pending");
    const stored = await context.db.rows(
      z.object({ event_id: z.string().nullable(), body: z.unknown() }),
      sql`SELECT event_id, body FROM payment_events`,
    );
    expect(stored).toHaveLength(5);
    expect(stored.every((row) => row.event_id === null && row.body === null)).toBe(true);
    expect(await send(success(payment))).toMatchObject({ verdict: "applied" });
  });

  it("ignores another amount, another currency, an unknown payment, an unknown type and what it cannot read", async () => {
    const payment = await checkout();
    expect((await send(success(payment, { amount_cents: Number(amountMinor) - 1 }))).reason).toContain("amount");
    expect((await send(success(payment, { currency: "USD" }))).reason).toContain("currency");
    expect((await send(success("dev_unknown"))).reason).toContain("no payment");
    expect((await send(success(payment, { event_type: "payment.pondered" }))).reason).toContain("payment.pondered");
    expect((await send({ hello: "world" })).verdict).toBe("ignored");
    expect((await send(success(payment, { amount_cents: "100" }))).verdict).toBe("ignored");
    expect(await statusNow()).toBe("pending");
    expect(await verdicts()).toEqual(Array.from({ length: 6 }, () => "ignored"));
  });

  it("takes the currency in any case, and the body's hash where there is no event id", async () => {
    const payment = await checkout();
    const { event_id: _none, ...anonymous } = success(payment, { currency: "thb" });
    expect(await send(anonymous)).toMatchObject({ verdict: "applied" });
    expect(await send(anonymous)).toMatchObject({ verdict: "replay" });
  });

  it("applies an event once, however often and however many at once it comes", async () => {
    const payment = await checkout();
    const results = await Promise.all(Array.from({ length: 40 }, () => send(success(payment))));
    expect(results.filter((result) => result.verdict === "applied")).toHaveLength(1);
    expect(results.filter((result) => result.verdict === "replay")).toHaveLength(39);
    const { paid } = await context.db.one(
      z.object({ paid: z.bigint() }),
      sql`SELECT count(*) AS paid FROM audit_log WHERE action = 'receipt.paid'`,
    );
    expect(paid).toBe(1n);
  });

  it("pays once when two different events say so at once", async () => {
    const payment = await checkout();
    const results = await Promise.all(["evt_a", "evt_b"].map((id) => send(success(payment, { event_id: id }))));
    expect(results.map((result) => result.verdict).sort()).toEqual(["applied", "ignored"]);
    expect(await statusNow()).toBe("paid");
  });

  it("lets a failed or canceled checkout be tried again", async () => {
    const first = await checkout();
    expect(await send(success(first, { event_type: "payment.failed", event_id: "evt_f" }))).toMatchObject({
      verdict: "applied",
    });
    expect(await statusNow()).toBe("pending");
    const second = await checkout();
    expect(second).not.toBe(first);
    expect(await send(success(second, { event_id: "evt_s" }))).toMatchObject({ verdict: "applied" });
    expect((await paymentsOf(context.db, receiptId)).map((row) => row.status)).toEqual(["failed", "succeeded"]);
  });

  it("writes down money for a receipt that is void or was settled by hand, and says that it is owed back", async () => {
    const payment = await checkout();
    await markPaid(context, receiptId, "transfer 1", { actor: "admin" });
    expect((await send(success(payment))).reason).toContain("was paid already: the money is owed back");
    expect(await findReceipt(context.db, receiptId)).toMatchObject({
      status: "paid",
      paidMethod: "manual",
      dueMinor: -amountMinor,
    });
    await context.importJobs([aJob({ user: "bob" })]);
    const bob = await issueReceipt(context, { userName: "bob", cutoffDay: "2026-10-31" }, { actor: "bob" });
    receiptId = bob?.id ?? 0n;
    amountMinor = bob?.totalMinor ?? 0n;
    const late = await checkout();
    await voidReceipt(context, receiptId, "mistake", { actor: "admin" });
    expect((await send(success(late, { event_id: "evt_late" }))).reason).toContain(
      "was void already: the money is owed back",
    );
    expect(await findReceipt(context.db, receiptId)).toMatchObject({ status: "void", dueMinor: -amountMinor });
  });

  it("records every attempt, and no record of one can be changed", async () => {
    const payment = await checkout();
    await send(success(payment), "nonsense");
    await send(success(payment));
    await send(success(payment));
    expect(await verdicts()).toEqual(["refused", "applied", "replay"]);
    await expect(context.db.run(sql`UPDATE payment_events SET verdict = 'applied'`)).rejects.toThrow("append-only");
  });
});

describe("a checkout", () => {
  it("is the same one for a double click, a second tab, or ten at once", async () => {
    const urls = await Promise.all(Array.from({ length: 10 }, () => startCheckout(context.payments, receiptId, by)));
    expect(new Set(urls.map((answer) => answer.url)).size).toBe(1);
    expect(await paymentsOf(context.db, receiptId)).toHaveLength(1);
  });

  it("is not opened for what is paid, void or not there", async () => {
    await expect(startCheckout(context.payments, 12345n, by)).rejects.toThrow("no such receipt");
    await markPaid(context, receiptId, "cash", { actor: "admin" });
    await expect(startCheckout(context.payments, receiptId, by)).rejects.toThrow("is paid already");
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { issueReceipt } from "../../src/billing/issue.ts";
import { findReceipt } from "../../src/billing/queries.ts";
import { sql } from "../../src/db/database.ts";
import { startCheckout } from "../../src/payments/checkout.ts";
import type { PaymentContext } from "../../src/payments/context.ts";
import {
  contentOf,
  deadLetters,
  deliveryCounts,
  dismissDelivery,
  findDelivery,
  replayDelivery,
  waitingDeliveries,
} from "../../src/payments/dead-letters.ts";
import { workOnDeliveries } from "../../src/payments/deliveries.ts";
import { eventsOfDelivery } from "../../src/payments/events.ts";
import type { PaymentProvider } from "../../src/payments/provider.ts";
import { receiveWebhook } from "../../src/payments/webhook.ts";
import { aJob, createTestContext, type TestContext } from "../support/context.ts";
import { callOf, PaperProvider } from "../support/paper-provider.ts";

let context: TestContext;
let payments: PaymentContext;
let bank: PaperProvider;
let receiptId: bigint;
let troubles: string[];
const by = { actor: "admin" };

beforeEach(async () => {
  context = await createTestContext();
  bank = new PaperProvider("bank");
  troubles = [];
  payments = {
    ...context.payments,
    provider: bank,
    providers: new Map<string, PaymentProvider>([["bank", bank]]),
    onTrouble: (error) => troubles.push(String(error)),
  };
  await context.importJobs([aJob()]);
  const receipt = await issueReceipt(context, { userName: "alice", cutoffDay: "2026-10-31" }, { actor: "alice" });
  receiptId = receipt?.id ?? 0n;
});

afterEach(() => context.close());

const statusNow = async () => (await findReceipt(context.db, receiptId))?.status;
const send = (body: Buffer) => receiveWebhook(payments, bank, callOf(body));
const pass = (seconds: number) => {
  context.clock.set(new Date(context.clock.now().getTime() + seconds * 1000).toISOString());
};

async function checkout(): Promise<string> {
  await startCheckout(payments, receiptId, { actor: "alice" });
  return [...bank.payments.keys()].at(-1) ?? "";
}

describe("an event", () => {
  it("is kept with its bytes and headers before anything is made of it", async () => {
    bank.confirmsByFetching = true;
    const body = bank.eventOf(await checkout(), "succeeded");
    await receiveWebhook(payments, bank, { rawBody: body, header: () => "t=1,v1=abc", requestId: "r-1" });
    const [kept] = await waitingDeliveries(context.db, 5);
    expect(kept).toMatchObject({ provider: "bank", status: "waiting", attempts: 0 });
    expect(await contentOf(context.db, kept?.id ?? 0n)).toEqual({ body, headers: { "x-paper": "t=1,v1=abc" } });
    await expect(context.db.run(sql`UPDATE webhook_deliveries SET body = ''`)).rejects.toThrow("cannot be edited");
    await expect(context.db.run(sql`DELETE FROM webhook_deliveries`)).rejects.toThrow("append-only");
  });

  it("that is faster than our own commit is applied when the payment is known", async () => {
    const id = `bank:not yet`;
    bank.payments.set(id, {
      status: "succeeded",
      amountMinor: 100n,
      currency: "THB",
      reference: "ref",
      refunds: new Map(),
      disputes: new Map(),
    });
    expect(await send(bank.eventOf(id, "succeeded"))).toMatchObject({ verdict: "ignored" });
    await context.db.run(
      sql`INSERT INTO payments (receipt_id, provider, external_payment_id, status, amount_minor, currency, checkout_url, created_at, created_by)
          VALUES (${receiptId}, 'bank', ${id}, 'pending', 100, 'THB', '', now(), 'alice')`,
    );
    pass(11);
    await workOnDeliveries(payments);
    expect((await findReceipt(context.db, receiptId))?.receivedMinor).toBe(100n);
  });

  it("of somebody else who uses the same account is let go after a quarter of an hour, and bothers nobody", async () => {
    await send(bank.eventOf("bank:stranger", "succeeded"));
    for (const seconds of [11, 61, 301, 901]) {
      pass(seconds);
      await workOnDeliveries(payments);
    }
    expect(await deliveryCounts(context.db)).toEqual({ dead: 0n, waiting: 0n });
    const { rows } = await context.db.one(
      z.object({ rows: z.bigint() }),
      sql`SELECT count(*) AS rows FROM payment_events`,
    );
    expect(rows).toBe(1n);
  });

  it("months late pays a receipt that still waits", async () => {
    const id = await checkout();
    bank.end(id, "succeeded");
    context.clock.set("2027-03-01T00:00:00Z");
    for (const body of bank.outbox.splice(0)) await send(body);
    expect(await statusNow()).toBe("paid");
  });

  it("is tried again for two days while the provider does not answer, then somebody has to look", async () => {
    bank.confirmsByFetching = true;
    const id = await checkout();
    bank.end(id, "succeeded");
    for (const body of bank.outbox.splice(0)) await send(body);
    bank.isAway = true;
    for (let attempt = 0; attempt < 9; attempt++) {
      await workOnDeliveries(payments);
      pass(86_400);
    }
    expect(troubles.length).toBe(9);
    const [dead] = await deadLetters(context.db, 5);
    expect(dead).toMatchObject({ status: "dead", attempts: 9, reason: "bank does not answer" });
    bank.isAway = false;
    await replayDelivery(payments, dead?.id ?? 0n, by);
    await workOnDeliveries(payments);
    expect(await statusNow()).toBe("paid");
    expect(await findDelivery(context.db, dead?.id ?? 0n)).toMatchObject({ status: "done" });
  });

  it("that says money came which the provider does not know is not forgotten", async () => {
    bank.confirmsByFetching = true;
    const id = await checkout();
    await send(bank.eventOf(id, "succeeded"));
    bank.payments.delete(id);
    for (let attempt = 0; attempt < 9; attempt++) {
      await workOnDeliveries(payments);
      pass(86_400);
    }
    expect(await deadLetters(context.db, 5)).toMatchObject([{ reason: `the provider knows no payment ${id}` }]);
  });

  it("of another amount than was asked for waits for somebody, and can be set aside with a reason", async () => {
    const id = await checkout();
    await send(bank.eventOf(id, "succeeded", { amount: "1" }));
    const [dead] = await deadLetters(context.db, 5);
    expect(dead?.reason).toContain("amount 1 where");
    await expect(dismissDelivery(payments, dead?.id ?? 0n, "", by)).rejects.toThrow("a reason is needed");
    await dismissDelivery(payments, dead?.id ?? 0n, "a test of the provider", by);
    expect(await deadLetters(context.db, 5)).toEqual([]);
    await expect(dismissDelivery(payments, dead?.id ?? 0n, "again", by)).rejects.toThrow("is dismissed already");
  });

  it("that cannot be read waits for somebody", async () => {
    await send(Buffer.from('{"hello":"world"}'));
    expect(await deadLetters(context.db, 5)).toMatchObject([{ reason: "not a paper event" }]);
  });

  it("that was applied changes nothing when it is replayed", async () => {
    const id = await checkout();
    bank.end(id, "succeeded");
    for (const body of bank.outbox.splice(0)) await send(body);
    const { id: delivery } = await context.db.one(z.object({ id: z.bigint() }), sql`SELECT id FROM webhook_deliveries`);
    await replayDelivery(payments, delivery, by);
    await workOnDeliveries(payments);
    expect((await eventsOfDelivery(context.db, delivery)).map(({ verdict }) => verdict)).toEqual(["applied", "replay"]);
    expect((await findReceipt(context.db, receiptId))?.dueMinor).toBe(0n);
  });

  it("whose worker died is taken over by another after a minute", async () => {
    bank.confirmsByFetching = true;
    const id = await checkout();
    bank.end(id, "succeeded");
    for (const body of bank.outbox.splice(0)) await send(body);
    // Claimed, and then nothing more.
    await context.db.run(
      sql`UPDATE webhook_deliveries SET attempts = 1, next_attempt_at = ${new Date(context.clock.now().getTime() + 60_000)}`,
    );
    await workOnDeliveries(payments);
    expect(await statusNow()).toBe("pending");
    pass(61);
    await workOnDeliveries(payments);
    expect(await statusNow()).toBe("paid");
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkBooks, type Books } from "../../src/billing/balance/books.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { markPaid, voidReceipt } from "../../src/billing/settle.ts";
import { raw, sql } from "../../src/db/database.ts";
import { settleEvent } from "../../src/payments/apply.ts";
import { paymentsOf, startCheckout } from "../../src/payments/checkout.ts";
import { BreakList } from "../../src/usage/reconcile/breaks.ts";
import { setRate } from "../../src/usage/prices/change.ts";
import { repriceAll } from "../../src/usage/prices/reprice.ts";
import { addDays } from "../../src/usage/site-day.ts";
import { aJob, at, createTestContext, type TestContext } from "../support/context.ts";

let context: TestContext;
const by = { actor: "root" };

beforeEach(async () => {
  context = await createTestContext({ tax: { label: "VAT", rateMicro: 70_000n, inclusive: false } });
});

afterEach(() => context.close());

async function check(
  days: readonly string[] = ["2026-10-10", "2026-11-01"],
): Promise<{ books: Books; breaks: string[] }> {
  const list = new BreakList();
  const books = await checkBooks(
    {
      ...context,
      days: days.map((day) => ({ day, from: context.days.startOf(day), to: context.days.startOf(addDays(day, 1)) })),
      signal: new AbortController().signal,
      onAlive: () => Promise.resolve(),
    },
    list,
  );
  const breaks = list.kept.map((one) =>
    [one.kind, one.job?.rawJobId ?? one.receipt?.number ?? one.userName, one.what, one.ours, one.theirs].join(" | "),
  );
  return { books, breaks };
}

/** As nobody but the database's own superuser can: around the triggers. */
async function tamper(table: string, statement: string): Promise<void> {
  await context.db.run(sql`ALTER TABLE ${raw(table)} DISABLE TRIGGER ALL`);
  await context.db.run(sql`${raw(statement)}`);
  await context.db.run(sql`ALTER TABLE ${raw(table)} ENABLE TRIGGER ALL`);
}

async function bill(userName: string): Promise<bigint> {
  const receipt = await issueReceipt(context, { userName, cutoffDay: "2026-10-31" }, by);
  return receipt?.id ?? 0n;
}

const freeFailures = sql`INSERT INTO rule_sets (basis, exemptions, shares, note, price_version, created_at, created_by)
  VALUES ('allocated', '[{"kind": "state", "state": "NODE_FAIL", "reason": "The node failed"}]', '[]', '', 1, now(), 'test')`;

describe("books that balance", () => {
  it("show each equation with its numbers", async () => {
    await context.db.run(freeFailures);
    const memless = { allocMemMib: 0 };
    await context.importJobs([
      aJob({ ...memless, user: "alice" }),
      aJob({ ...memless, user: "bob" }),
      aJob({ ...memless, user: "carol" }),
      aJob({ ...memless, user: "dan" }),
      aJob({ ...memless, user: "erin" }),
      aJob({ ...memless, state: "NODE_FAIL", user: "dan" }),
      aJob({ ...memless, state: "CANCELLED", startAt: null, elapsedSeconds: 0, user: "dan" }),
      aJob({ phase: "active", state: "RUNNING", endAt: null }),
    ]);
    await markPaid(context, await bill("alice"), "transfer 77", by);
    await voidReceipt(context, await bill("bob"), "wrong person", by);
    await bill("carol");
    const { books, breaks } = await check();
    expect(breaks).toEqual([]);
    // Each job: 4 cores for an hour at 1.25.
    expect(
      books.usage.map(({ kind, reason, jobs, cpuSeconds, minor }) => [kind, reason, jobs, cpuSeconds, minor]),
    ).toEqual([
      ["priced", null, 5n, 72_000n, 2_500n],
      ["free", "The node failed", 1n, 14_400n, 0n],
      ["nothing", null, 1n, 0n, 0n],
    ]);
    expect(books.charges).toEqual({
      totalMinor: 2_500n,
      billedMinor: 1_000n,
      settledMinor: 0n,
      owedMinor: 0n,
      unbilledMinor: 1_500n,
    });
    // 500 and 7 % tax on each of three receipts.
    expect(books.receipts).toEqual({
      count: 3n,
      totalMinor: 1_605n,
      paymentsMinor: 0n,
      byHandMinor: 535n,
      creditedMinor: 0n,
      receivableMinor: 535n,
      toPayBackMinor: 0n,
      voidMinor: 535n,
    });
  });

  it("count what a provider was paid as a payment", async () => {
    await context.importJobs([aJob({ allocMemMib: 0 })]);
    const id = await bill("alice");
    await startCheckout(context.payments, id, { actor: "alice" });
    const [payment] = await paymentsOf(context.db, id);
    const event = {
      eventId: "evt_1",
      eventType: "payment.succeeded",
      outcome: "succeeded",
      externalPaymentId: payment?.externalPaymentId ?? "",
      amountMinor: 535n,
      currency: "THB",
    } as const;
    await settleEvent(context.payments, { provider: "dummy", event, requestId: undefined, deliveryId: null });
    const { books, breaks } = await check();
    expect(breaks).toEqual([]);
    expect(books.receipts).toMatchObject({ totalMinor: 535n, paymentsMinor: 535n, byHandMinor: 0n });
  });

  it("hold while a correction of a billed job waits, and after it was settled", async () => {
    const job = aJob({ allocMemMib: 0 });
    await context.importJobs([job]);
    await bill("alice");
    await context.importJobs([{ ...job, elapsedSeconds: 7_200, endAt: at("2026-10-10T04:00:00Z") }]);
    const waiting = await check();
    expect(waiting.breaks).toEqual([]);
    expect(waiting.books.charges).toEqual({
      totalMinor: 1_000n,
      billedMinor: 500n,
      settledMinor: 0n,
      owedMinor: 500n,
      unbilledMinor: 0n,
    });
    await bill("alice");
    const settled = await check();
    expect(settled.breaks).toEqual([]);
    expect(settled.books.charges).toMatchObject({ settledMinor: 500n, owedMinor: 0n });
  });

  it("do not blame jobs that wait to be priced anew", async () => {
    await context.importJobs([aJob(), aJob({ user: "bob" })]);
    await setRate(context, { tier: "mu", cpuMicro: 9n, gpuMicro: 0n, memMicro: 0n, effectiveFrom: null, note: "" }, by);
    const waiting = await check();
    expect([waiting.breaks, waiting.books.repricingJobs]).toEqual([[], 2]);
    await repriceAll(context);
    const done = await check();
    expect([done.breaks, done.books.repricingJobs]).toEqual([[], 0]);
  });
});

describe("books that were tampered with", () => {
  it("name the daily sum that is not what its jobs add up to", async () => {
    await context.importJobs([aJob(), aJob()]);
    await context.db.run(sql`UPDATE usage_daily SET cpu_seconds = cpu_seconds + 1`);
    expect((await check()).breaks).toEqual(["rollup | alice | cpu_seconds (partition cpu, tier mu) | 28801 | 28800"]);
    await context.db.run(sql`DELETE FROM usage_daily`);
    const { breaks } = await check();
    expect(breaks).toContain("rollup | alice | jobs (partition cpu, tier mu) | 0 | 2");
  });

  it("name the job whose charge is not what the prices say", async () => {
    await context.importJobs([aJob({ rawJobId: "7", allocMemMib: 0 })]);
    await context.db.run(sql`UPDATE jobs SET cpu_minor = 1`);
    await context.db.run(sql`UPDATE usage_daily SET cpu_minor = 1, unbilled_minor = 1`);
    expect((await check()).breaks).toEqual([
      "charge | 7 | charge | priced, tier mu, rate 1, rules 1, cpu 1 + gpu 0 + mem 0 | priced, tier mu, rate 1, rules 1, cpu 500 + gpu 0 + mem 0",
    ]);
  });

  it("name the job that is free without a reason, billed or not", async () => {
    await context.importJobs([aJob({ rawJobId: "7", allocMemMib: 0 })]);
    await bill("alice");
    await context.db.run(sql`UPDATE jobs SET charge_kind = 'free', cpu_minor = 0`);
    await context.db.run(sql`UPDATE usage_daily SET cpu_minor = 0`);
    expect((await check()).breaks).toEqual([
      "charge | 7 | exemption | free, reason none, 3600 s, 0 | a price, or a stated reason for none",
      "settlement | 7 | amount_minor | free 0 + 0 + 0 | priced 500 + 0 + 0, corrections settled 0",
    ]);
  });

  it("name the job that says it is billed and stands on no receipt, and the other way round", async () => {
    await context.importJobs([aJob({ rawJobId: "7" }), aJob({ rawJobId: "8" })]);
    await bill("alice");
    await tamper("receipt_items", "UPDATE receipt_items SET active = false WHERE raw_job_id = '7'");
    await context.db.run(sql`UPDATE jobs SET receipt_id = NULL WHERE raw_job_id = '8'`);
    const { breaks } = await check();
    const names = breaks.map((one) => one.split(" | ").slice(0, 5).join(" | "));
    expect(names).toContain("settlement | 7 | receipt | receipt 1 (pending) | no item");
    expect(names).toContain("settlement | 8 | receipt | not billed | item on receipt 1");
    expect(names).toContain("receipt | R-2026-000001 | items_of_other_receipts | 1 | 0");
    expect(names).toContain("receipt | R-2026-000001 | items_wrongly_counted | 1 | 0");
  });

  it("name the receipt whose lines, items, tax or total do not add up", async () => {
    await context.importJobs([aJob({ allocMemMib: 0 })]);
    await bill("alice");
    await tamper("receipt_lines", "UPDATE receipt_lines SET amount_minor = amount_minor + 1");
    expect((await check()).breaks).toEqual([
      "receipt | R-2026-000001 | subtotal_minor | 500 | 501",
      "receipt | R-2026-000001 | lines_minor | 501 | 500",
    ]);
    await tamper("receipt_lines", "UPDATE receipt_lines SET amount_minor = amount_minor - 1");
    await tamper("receipts", "UPDATE receipts SET jobs = 2");
    expect((await check()).breaks).toEqual(["receipt | R-2026-000001 | jobs | 2 | 1"]);
  });

  it("name the receipt that is paid without money, or was paid and still waits", async () => {
    await context.importJobs([aJob({ allocMemMib: 0 }), aJob({ allocMemMib: 0, user: "bob" })]);
    const [alice, bob] = [await bill("alice"), await bill("bob")];
    await startCheckout(context.payments, bob, { actor: "bob" });
    await context.db.run(sql`UPDATE payments SET status = 'succeeded'`);
    await tamper(
      "receipts",
      `UPDATE receipts SET status = 'paid', paid_at = now(), paid_method = 'dummy', received_minor = 535 WHERE id = ${alice}`,
    );
    expect((await check()).breaks).toEqual([
      "receipt | R-2026-000001 | received_minor | 535 | 0",
      "payment | R-2026-000002 | payment of 535 THB | 0 received | 535 in payments",
    ]);
  });

  it("name the job whose correction was settled with another amount than it owes", async () => {
    const job = aJob({ rawJobId: "7", allocMemMib: 0 });
    await context.importJobs([job]);
    await bill("alice");
    await context.importJobs([{ ...job, elapsedSeconds: 7_200, endAt: at("2026-10-10T04:00:00Z") }]);
    await context.db.run(sql`UPDATE corrections SET status = 'settled'`);
    expect((await check()).breaks).toEqual([
      "settlement | 7 | amount_minor | priced 1000 + 0 + 0 | priced 500 + 0 + 0, corrections settled 0",
    ]);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { verifyAudit } from "../../src/audit/verify.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { billMonth, lastDayOfMonth } from "../../src/billing/month.ts";
import { findReceipt, listReceipts, receiptItems, receiptLines } from "../../src/billing/queries.ts";
import { markPaid, voidReceipt } from "../../src/billing/settle.ts";
import { sql } from "../../src/db/database.ts";
import { setRate } from "../../src/usage/prices/change.ts";
import { usageTotals } from "../../src/usage/queries/summary.ts";
import { aJob, at, createTestContext, TEST_KEYRING, type TestContext } from "../support/context.ts";
import { rollupAndTruth } from "../support/rollup.ts";

let context: TestContext;
const by = { actor: "alice" };
const october = { userName: "alice", cutoffDay: "2026-10-31" };

beforeEach(async () => {
  context = await createTestContext({ tax: { label: "VAT", rateMicro: 70_000n, inclusive: false } });
});

afterEach(() => context.close());

async function expectWholeBooks(): Promise<void> {
  const { rollup, truth } = await rollupAndTruth(context.db);
  expect(rollup).toEqual(truth);
  expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
}

describe("a receipt", () => {
  it("holds all finished jobs up to and including the day, in the site's time zone", async () => {
    await context.importJobs([
      aJob({ endAt: at("2026-10-31T16:59:59Z") }),
      aJob({ endAt: at("2026-10-31T17:00:00Z") }),
      aJob({ phase: "active", state: "RUNNING", endAt: null }),
      aJob({ user: "bob" }),
    ]);
    const receipt = await issueReceipt(context, october, by);
    expect(receipt).toMatchObject({ number: "R-2026-000001", jobs: 1 });
    expect((await usageTotals(context.db, { userName: "alice" })).unbilledJobs).toBe(1n);
    await expectWholeBooks();
  });

  it("adds up: lines, subtotal, tax, total", async () => {
    await context.importJobs([
      aJob(),
      aJob({ elapsedSeconds: 7, endAt: at("2026-10-10T02:00:07Z") }),
      aJob({ allocGpus: 1, gpuTypes: [{ type: "a100", count: 1 }] }),
    ]);
    const issued = await issueReceipt(context, october, by);
    const receipt = await findReceipt(context.db, issued?.id ?? 0n);
    const lines = await receiptLines(context.db, issued?.id ?? 0n);
    const items = await receiptItems(context.db, issued?.id ?? 0n, { limit: 10 });
    const sum = lines.reduce((total, line) => total + line.amountMinor, 0n);
    expect(receipt?.subtotalMinor).toBe(sum);
    expect(items.reduce((total, item) => total + item.costMinor, 0n)).toBe(sum);
    expect(items.flatMap((item) => item.lines).reduce((total, line) => total + line.amountMinor, 0n)).toBe(sum);
    expect(receipt?.totalMinor).toBe(sum + (receipt?.taxMinor ?? 0n));
    expect(lines.map((line) => line.resource)).toEqual(["cpu", "gpu", "mem"]);
  });

  it("is numbered without gaps within the year of the site's time zone", async () => {
    await context.importJobs([aJob(), aJob({ user: "bob" }), aJob({ user: "carol" })]);
    context.clock.set("2026-12-31T16:59:59Z");
    expect((await issueReceipt(context, { ...october, cutoffDay: "2026-12-31" }, by))?.number).toBe("R-2026-000001");
    expect(await issueReceipt(context, { userName: "nobody", cutoffDay: "2026-12-31" }, by)).toBeUndefined();
    expect((await issueReceipt(context, { userName: "bob", cutoffDay: "2026-12-31" }, by))?.number).toBe(
      "R-2026-000002",
    );
    context.clock.set("2026-12-31T17:00:00Z");
    expect((await issueReceipt(context, { userName: "carol", cutoffDay: "2027-01-01" }, by))?.number).toBe(
      "R-2027-000001",
    );
  });

  it("prices its jobs itself at issue, though the background has not come to them yet", async () => {
    await context.importJobs([aJob({ allocMemMib: 0 })]);
    await setRate(
      context,
      { tier: "mu", cpuMicro: 10_000_000n, gpuMicro: 0n, memMicro: 0n, effectiveFrom: null, note: "" },
      by,
    );
    const receipt = await issueReceipt(context, october, by);
    expect(receipt?.totalMinor).toBe(4280n);
    await expectWholeBooks();
  });

  it("keeps its price when rates change later", async () => {
    await context.importJobs([aJob()]);
    const issued = await issueReceipt(context, october, by);
    await setRate(
      context,
      { tier: "mu", cpuMicro: 99_000_000n, gpuMicro: 0n, memMicro: 0n, effectiveFrom: null, note: "" },
      by,
    );
    expect((await findReceipt(context.db, issued?.id ?? 0n))?.totalMinor).toBe(issued?.totalMinor);
  });

  it("is paid at once when there is nothing to pay, and is not issued for jobs without any price", async () => {
    await context.importJobs([aJob({ elapsedSeconds: 1, allocMemMib: 0, allocCpus: 1 })]);
    const issued = await issueReceipt(context, october, by);
    expect(await findReceipt(context.db, issued?.id ?? 0n)).toMatchObject({
      status: "paid",
      totalMinor: 0n,
      paidMethod: "nothing_to_pay",
    });
    await context.importJobs([aJob({ user: "bob", startAt: null, elapsedSeconds: 0, state: "CANCELLED" })]);
    expect(await issueReceipt(context, { ...october, userName: "bob" }, by)).toBeUndefined();
    expect((await usageTotals(context.db, { userName: "bob" })).unbilledJobs).toBe(1n);
    await expectWholeBooks();
  });

  it("cannot be edited or deleted, by anybody who has the database role", async () => {
    await context.importJobs([aJob()]);
    await issueReceipt(context, october, by);
    await expect(
      context.db.run(sql`UPDATE receipts SET total_minor = total_minor - 1, subtotal_minor = subtotal_minor - 1`),
    ).rejects.toThrow("cannot be edited");
    await expect(context.db.run(sql`DELETE FROM receipts`)).rejects.toThrow("append-only");
    await expect(context.db.run(sql`UPDATE receipt_lines SET amount_minor = 0`)).rejects.toThrow("append-only");
    await expect(context.db.run(sql`UPDATE receipt_items SET cpu_minor = 0`)).rejects.toThrow("only be released");
  });

  it("bills a job once, whoever asks at the same moment", async () => {
    await context.importJobs(Array.from({ length: 50 }, () => aJob()));
    const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => issueReceipt(context, october, by)));
    const issued = attempts.flatMap((attempt) =>
      attempt.status === "fulfilled" && attempt.value !== undefined ? [attempt.value] : [],
    );
    expect(issued).toHaveLength(1);
    expect(issued[0]?.jobs).toBe(50);
    await expectWholeBooks();
  });
});

describe("billing a month", () => {
  it("gives one receipt to every user, and nothing more when it is run again or by two at once", async () => {
    await context.importJobs(["alice", "bob", "carol"].flatMap((user) => [aJob({ user }), aJob({ user })]));
    const runs = await Promise.all([1, 2, 3].map(() => billMonth(context, { month: "2026-10" }, { actor: "admin" })));
    expect(runs.flat()).toHaveLength(3);
    expect(await billMonth(context, { month: "2026-10" }, { actor: "admin" })).toEqual([]);
    const receipts = await listReceipts(context.db, {}, { limit: 10 });
    expect(receipts.map((receipt) => receipt.userName).sort()).toEqual(["alice", "bob", "carol"]);
    await expectWholeBooks();
  });

  it("refuses what is no month", () => {
    expect(lastDayOfMonth("2028-02")).toBe("2028-02-29");
    for (const text of ["2026-13", "2026-1", "october", ""])
      expect(() => lastDayOfMonth(text)).toThrow("is not a month");
  });
});

describe("settling by hand", () => {
  it("needs a reference, works once, and is refused for what is paid or void", async () => {
    await context.importJobs([aJob(), aJob({ user: "bob" })]);
    const alice = await issueReceipt(context, october, by);
    const bob = await issueReceipt(context, { ...october, userName: "bob" }, by);
    await expect(markPaid(context, alice?.id ?? 0n, " ", { actor: "admin" })).rejects.toThrow("a reference is needed");
    await markPaid(context, alice?.id ?? 0n, "transfer 77", { actor: "admin" });
    await expect(markPaid(context, alice?.id ?? 0n, "again", { actor: "admin" })).rejects.toThrow("is paid already");
    await expect(voidReceipt(context, alice?.id ?? 0n, "oops", { actor: "admin" })).rejects.toThrow("is paid already");
    await voidReceipt(context, bob?.id ?? 0n, "wrong person", { actor: "admin" });
    await expect(markPaid(context, bob?.id ?? 0n, "x", { actor: "admin" })).rejects.toThrow("is void already");
    await expect(markPaid(context, 999n, "x", { actor: "admin" })).rejects.toThrow("no such receipt");
    await expectWholeBooks();
  });

  it("settles once when ten admins do it at the same moment", async () => {
    await context.importJobs([aJob()]);
    const receipt = await issueReceipt(context, october, by);
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        markPaid(context, receipt?.id ?? 0n, `ref ${index}`, { actor: "admin" }),
      ),
    );
    expect(attempts.filter((attempt) => attempt.status === "fulfilled")).toHaveLength(1);
    const { paid } = await context.db.one(
      z.object({ paid: z.bigint() }),
      sql`SELECT count(*) AS paid FROM audit_log WHERE action = 'receipt.paid'`,
    );
    expect(paid).toBe(1n);
  });

  it("offers a void receipt's jobs for billing again, at today's rates", async () => {
    await context.importJobs([aJob({ allocMemMib: 0 })]);
    const first = await issueReceipt(context, october, by);
    await setRate(
      context,
      { tier: "mu", cpuMicro: 2_500_000n, gpuMicro: 0n, memMicro: 0n, effectiveFrom: null, note: "" },
      by,
    );
    await voidReceipt(context, first?.id ?? 0n, "wrong rate", { actor: "admin" });
    expect((await usageTotals(context.db, {})).unbilledMinor).toBe(1000n);
    const second = await issueReceipt(context, october, by);
    expect(second).toMatchObject({ number: "R-2026-000002", totalMinor: 1070n });
    expect(await receiptItems(context.db, first?.id ?? 0n, { limit: 5 })).toHaveLength(1);
    await expectWholeBooks();
  });
});

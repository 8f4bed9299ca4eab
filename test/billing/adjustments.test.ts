import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { verifyAudit } from "../../src/audit/verify.ts";
import {
  correctionsOfJob,
  findCorrection,
  openCorrections,
  receiptAdjustments,
  recordVersions,
  settlementsOf,
} from "../../src/billing/corrections.ts";
import { explainJob } from "../../src/billing/explain.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { billMonth } from "../../src/billing/month.ts";
import { findReceipt, type Receipt } from "../../src/billing/queries.ts";
import { markPaid, voidReceipt } from "../../src/billing/settle.ts";
import { sql } from "../../src/db/database.ts";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import { readPricing } from "../../src/usage/prices/book.ts";
import { findJob } from "../../src/usage/queries/job-list.ts";
import { aJob, at, createTestContext, TEST_KEYRING, type TestContext } from "../support/context.ts";
import { rollupAndTruth } from "../support/rollup.ts";

let context: TestContext;
const by = { actor: "root" };

beforeEach(async () => {
  context = await createTestContext({ tax: { label: "VAT", rateMicro: 70_000n, inclusive: false } });
});

afterEach(async () => {
  const { rollup, truth } = await rollupAndTruth(context.db);
  expect(rollup).toEqual(truth);
  expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
  await context.close();
});

/** A job of so many hours on four cores, without memory: five baht an hour at the first rates. */
function hours(count: number, job: Partial<JobRecord> = {}): JobRecord {
  const elapsedSeconds = count * 3600;
  const endAt = at("2026-10-10T02:00:00Z") + elapsedSeconds;
  return aJob({ rawJobId: "1", allocMemMib: 0, elapsedSeconds, endAt, ...job });
}

async function issue(userName = "alice", cutoffDay = "2026-10-31"): Promise<Receipt> {
  const receipt = await issueIfAny(userName, cutoffDay);
  if (receipt === undefined) throw new Error("no receipt was issued");
  return receipt;
}

async function issueIfAny(userName = "alice", cutoffDay = "2026-10-31"): Promise<Receipt | undefined> {
  const issued = await issueReceipt(context, { userName, cutoffDay }, by);
  return issued === undefined ? undefined : findReceipt(context.db, issued.id);
}

const adjustmentsOf = (receipt: Receipt) => receiptAdjustments(context.db, receipt.id, { limit: 100 });
const owed = async (userName = "alice") => {
  const { jobs, owedMinor } = await openCorrections(context.db, { userName });
  return { jobs, owedMinor };
};
const correctionsOf = (rawJobId = "1") =>
  correctionsOfJob(context.db, { cluster: "test", rawJobId, submitAt: at("2026-10-10T02:00:00Z") });

describe("a billed job whose record changes", () => {
  it("is charged the difference on the next receipt, taxed with it, beside the new jobs", async () => {
    await context.importJobs([hours(2)]);
    const first = await issue();
    await context.importJobs([hours(3), hours(1, { rawJobId: "2", account: "mu-genome" })]);
    expect(await owed()).toEqual({ jobs: 1, owedMinor: 500n });
    const second = await issue();
    expect(second).toMatchObject({ jobs: 1n, adjustmentsMinor: 500n, subtotalMinor: 1000n, taxMinor: 70n });
    expect(second.accounts).toBe("mu-climate, mu-genome");
    expect(await adjustmentsOf(second)).toMatchObject([
      { jobId: "1", originalNumber: first.number, billedMinor: 1000n, correctMinor: 1500n, amountMinor: 500n },
    ]);
    expect(await owed()).toEqual({ jobs: 0, owedMinor: 0n });
    expect(await correctionsOf()).toMatchObject([{ status: "settled", receiptNumber: first.number }]);
  });

  it("is credited, and the receipt asks for less", async () => {
    await context.importJobs([hours(3)]);
    await issue();
    await context.importJobs([hours(2), hours(4, { rawJobId: "2" })]);
    expect(await issue()).toMatchObject({ jobs: 1n, adjustmentsMinor: -500n, subtotalMinor: 1500n });
  });

  it("credits at most what a receipt asks for, the oldest first, and keeps the rest for the next", async () => {
    await context.importJobs([hours(4), hours(4, { rawJobId: "2" })]);
    await issue();
    await context.importJobs([hours(1, { rawJobId: "2" })]);
    await context.importJobs([hours(2), hours(4, { rawJobId: "3" })]);
    const paidAtOnce = await issue();
    expect(paidAtOnce).toMatchObject({ status: "paid", subtotalMinor: 0n, totalMinor: 0n, adjustmentsMinor: -2000n });
    expect((await adjustmentsOf(paidAtOnce)).map(({ jobId, amountMinor }) => [jobId, amountMinor])).toEqual([
      ["2", -1500n],
      ["1", -500n],
    ]);
    expect(await owed()).toEqual({ jobs: 1, owedMinor: -500n });
    await context.importJobs([hours(2, { rawJobId: "4" })]);
    const next = await issue();
    expect(next).toMatchObject({ subtotalMinor: 500n });
    expect(await adjustmentsOf(next)).toMatchObject([
      { jobId: "1", billedMinor: 1500n, correctMinor: 1000n, amountMinor: -500n },
    ]);
    expect(await owed()).toEqual({ jobs: 0, owedMinor: 0n });
  });

  it("makes a receipt of its own only when there is something to pay", async () => {
    await context.importJobs([hours(3), hours(3, { rawJobId: "2" })]);
    await issue();
    await context.importJobs([hours(2)]);
    expect(await issueIfAny()).toBeUndefined();
    await context.importJobs([hours(4, { rawJobId: "2" })]);
    expect(await issueIfAny()).toBeUndefined();
    await context.importJobs([hours(5, { rawJobId: "2" })]);
    expect(await issue()).toMatchObject({ jobs: 0n, adjustmentsMinor: 500n, accounts: "mu-climate", totalMinor: 535n });
    expect(await owed()).toEqual({ jobs: 0, owedMinor: 0n });
  });

  it("is found when a month is billed, also where its user has no new jobs", async () => {
    await context.importJobs([hours(2), hours(2, { rawJobId: "2", user: "bob" })]);
    await billMonth(context, { month: "2026-10" }, by);
    await context.importJobs([hours(3, { rawJobId: "2", user: "bob" })]);
    const issued = await billMonth(context, { month: "2026-11" }, by);
    expect(issued.map(({ userName, jobs, totalMinor }) => ({ userName, jobs, totalMinor }))).toEqual([
      { userName: "bob", jobs: 0, totalMinor: 535n },
    ]);
  });

  it("owes nothing when it flips back, and the true difference however often it flips", async () => {
    await context.importJobs([hours(2)]);
    await issue();
    await context.importJobs([hours(3)]);
    await context.importJobs([hours(2)]);
    expect(await owed()).toEqual({ jobs: 0, owedMinor: 0n });
    expect((await correctionsOf()).map(({ status }) => status)).toEqual(["settled", "settled"]);
    await context.importJobs([hours(5)]);
    await context.importJobs([hours(1)]);
    await context.importJobs([hours(4)]);
    const receipt = await issue();
    expect(await adjustmentsOf(receipt)).toMatchObject([
      { billedMinor: 1000n, correctMinor: 2000n, amountMinor: 1000n },
    ]);
    await context.importJobs([hours(2), hours(9, { rawJobId: "2" })]);
    expect(await adjustmentsOf(await issue())).toMatchObject([
      { billedMinor: 2000n, correctMinor: 1000n, amountMinor: -1000n },
    ]);
  });

  it("makes no work when the money is the same, but both versions are kept", async () => {
    await context.importJobs([hours(2)]);
    await issue();
    await context.importJobs([hours(2, { comment: "rerun for the paper", energyJoules: 9_007_199_254_740_993n })]);
    const [correction] = await correctionsOf();
    expect(correction).toMatchObject({ status: "settled", beforeMinor: 1000n, afterMinor: 1000n });
    const { before, after } = await recordVersions(context.db, correction?.id ?? 0n);
    expect([before.get("comment"), after.get("comment")]).toEqual(["", "rerun for the paper"]);
    expect([before.get("energy_joules"), after.get("energy_joules")]).toEqual(["0", "9007199254740993"]);
    expect(await issueIfAny()).toBeUndefined();
  });

  it("is settled with the person who got the receipt, whoever it belongs to since", async () => {
    await context.importJobs([hours(2)]);
    const first = await issue();
    await context.importJobs([hours(2, { user: "bob" })]);
    await context.importJobs([hours(3, { user: "bob" })]);
    expect(await owed("bob")).toEqual({ jobs: 0, owedMinor: 0n });
    expect(await issueIfAny("bob")).toBeUndefined();
    const second = await issue("alice");
    expect(await adjustmentsOf(second)).toMatchObject([{ originalReceiptId: first.id, amountMinor: 500n }]);
  });

  it("is explained with what is still to be settled, and with what was", async () => {
    await context.importJobs([hours(2)]);
    await issue();
    await context.importJobs([hours(3)]);
    const explained = async () => {
      const job = await findJob(context.db, { cluster: "test", rawJobId: "1", submitAt: at("2026-10-10T02:00:00Z") });
      if (job === undefined) throw new Error("the job is gone");
      const pricing = await readPricing(context.db, context.currency, { hold: false });
      return explainJob(context.db, pricing, job, context.clock.now());
    };
    expect(await explained()).toMatchObject({ openCorrectionsMinor: 500n, settledCorrectionsMinor: 0n });
    const receipt = await issue();
    expect(await explained()).toMatchObject({ openCorrectionsMinor: 0n, settledCorrectionsMinor: 500n });
    const [correction] = await correctionsOf();
    if (correction === undefined) throw new Error("no correction");
    expect(await findCorrection(context.db, correction.id)).toEqual(correction);
    expect(await settlementsOf(context.db, correction, "alice")).toMatchObject([
      { kind: "receipt", number: receipt.number, amountMinor: 500n },
    ]);
  });
});

describe("voiding", () => {
  it("a receipt with adjustments makes them owed again", async () => {
    await context.importJobs([hours(2)]);
    await issue();
    await context.importJobs([hours(3)]);
    const second = await issue();
    await voidReceipt(context, second.id, "sent too early", by);
    expect(await owed()).toEqual({ jobs: 1, owedMinor: 500n });
    expect((await adjustmentsOf(second)).length).toBe(1);
    expect(await adjustmentsOf(await issue())).toMatchObject([{ amountMinor: 500n }]);
  });

  it("the receipt that billed a job credits what was settled of it since", async () => {
    await context.importJobs([hours(2)]);
    const first = await issue();
    await context.importJobs([hours(3)]);
    const second = await issue();
    await markPaid(context, second.id, "transfer 1", by);
    await voidReceipt(context, first.id, "wrong project", by);
    expect(await owed()).toEqual({ jobs: 1, owedMinor: -500n });
    expect((await correctionsOf()).at(-1)).toMatchObject({
      reason: "receipt_voided",
      status: "open",
      beforeMinor: 500n,
      afterMinor: 0n,
      receiptNumber: first.number,
    });
    const third = await issue();
    expect(third).toMatchObject({ jobs: 1n, adjustmentsMinor: -500n, subtotalMinor: 1000n });
    await voidReceipt(context, third.id, "once more", by);
    expect(await owed()).toEqual({ jobs: 1, owedMinor: -500n });
    expect((await correctionsOf()).length).toBe(2);
  });

  it("the receipt that billed a job leaves nothing to correct when nothing was settled", async () => {
    await context.importJobs([hours(2)]);
    const first = await issue();
    await context.importJobs([hours(3)]);
    await voidReceipt(context, first.id, "wrong project", by);
    expect(await owed()).toEqual({ jobs: 0, owedMinor: 0n });
    expect(await issue()).toMatchObject({ jobs: 1n, adjustmentsMinor: 0n, subtotalMinor: 1500n });
  });
});

describe("an adjustment", () => {
  it("cannot be edited or deleted, and neither can the receipt's sum of them", async () => {
    await context.importJobs([hours(2)]);
    await issue();
    await context.importJobs([hours(3)]);
    await issue();
    await expect(context.db.run(sql`UPDATE receipt_adjustments SET amount_minor = 1`)).rejects.toThrow(
      "only be released",
    );
    await expect(context.db.run(sql`DELETE FROM receipt_adjustments`)).rejects.toThrow("append-only");
    await expect(context.db.run(sql`UPDATE receipts SET adjustments_minor = 0`)).rejects.toThrow("cannot be edited");
  });

  it("is settled once, whoever bills at the same moment as an import changes the record again", async () => {
    const jobs = Array.from({ length: 30 }, (_, index) => ({ rawJobId: `r${index}` }));
    await context.importJobs(jobs.map((job) => hours(2, job)));
    await issue();
    await Promise.all([
      ...[3, 4, 5].map((count) => context.importJobs(jobs.map((job) => hours(count, job)))),
      ...[1, 2, 3, 4].map(() => issueIfAny()),
    ]);
    await issueIfAny();
    const { now, billed } = await context.db.one(
      z.object({ now: z.string(), billed: z.string() }),
      sql`SELECT (SELECT sum(cpu_minor) FROM jobs)::text AS now, (SELECT sum(subtotal_minor) FROM receipts)::text AS billed`,
    );
    const { owedMinor } = await owed();
    expect(BigInt(billed) + owedMinor).toBe(BigInt(now));
    expect(owedMinor).toBeLessThanOrEqual(0n);
  });
});

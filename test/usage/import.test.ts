import { createReadStream } from "node:fs";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { verifyAudit } from "../../src/audit/verify.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { sql } from "../../src/db/database.ts";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import { readDump } from "../../src/slurm/sacct-reader.ts";
import { importRecords, type RecordBatch } from "../../src/usage/import/import.ts";
import { finishedJobs, unfinishedJobs } from "../../src/usage/queries/job-list.ts";
import { usageBy, usageTotals } from "../../src/usage/queries/summary.ts";
import { aJob, at, createTestContext, TEST_KEYRING, type TestContext } from "../support/context.ts";
import { rollupAndTruth } from "../support/rollup.ts";

let context: TestContext;

beforeEach(async () => {
  context = await createTestContext();
});

afterEach(() => context.close());

async function expectExactRollup(): Promise<void> {
  const { rollup, truth } = await rollupAndTruth(context.db);
  expect(rollup).toEqual(truth);
}

const october = { fromDay: "2026-10-01", toDay: "2026-10-31" };

describe("importing", () => {
  it("stores what a real cluster printed, with totals checked by hand", async () => {
    const input = createReadStream(new URL("../data/slurm-22.05/sacct.psv", import.meta.url));
    const batches = readDump(input, { defaultCluster: "x", format: "auto", jobsPerBatch: 5 });
    const options = { source: "dump", actor: "test", onRejects: () => undefined, onProgress: () => undefined };
    const totals = await importRecords(context, batches, options);
    expect(totals).toEqual({ rows: 38, new: 18, changed: 0, unchanged: 0, running: 0, rejected: 0 });
    const users = await usageBy(context.db, {}, "user");
    // cpu-seconds: cores × elapsed of each job; alice 4×4 + 8×6 + 2×2 + 2×6, bob 2×(1+2+3+4+5) + 2×5, …
    expect(users.map((user) => [user.key, user.jobs, user.cpuSeconds, user.gpuSeconds, user.memMibSeconds])).toEqual([
      ["alice", 4n, 80n, 0n, 4n * 2048n + 6n * 4096n + 8n * 1024n],
      ["bob", 6n, 40n, 0n, 20n * 1024n],
      ["carol", 2n, 52n, 13n, 5n * 8192n + 3n * 4096n],
      ["dan", 2n, 14n, 6n, 3n * 4096n + 1024n],
      ["erin", 3n, 209n, 12n, 2n * 250000n + 3n * 200n + 75n * 500n],
      ["somchai", 1n, 2n, 0n, 1000n],
    ]);
    await expectExactRollup();
  });

  it("fails and lets go of its connection when a job cannot be written", async () => {
    await expect(context.importJobs([aJob(), aJob({ energyJoules: 2n ** 63n })])).rejects.toThrow("does not fit");
    expect(await context.importJobs([aJob()])).toMatchObject({ new: 1 });
    await expect(context.importJobs([aJob({ energyJoules: 2n ** 63n })])).rejects.toThrow("does not fit");
    expect((await usageTotals(context.db, {})).jobs).toBe(1n);
  });

  it("changes nothing when the same records come again", async () => {
    const jobs = [aJob(), aJob({ user: "bob" }), aJob({ phase: "active", state: "RUNNING", endAt: null })];
    expect(await context.importJobs(jobs)).toMatchObject({ new: 2, running: 1 });
    const before = await rollupAndTruth(context.db);
    expect(await context.importJobs(jobs)).toMatchObject({ new: 0, changed: 0, unchanged: 2, running: 1 });
    expect(await rollupAndTruth(context.db)).toEqual(before);
  });

  it("moves the sums by the difference when a job's record changes, also to another day or account", async () => {
    const job = aJob();
    await context.importJobs([job, aJob()]);
    const later = {
      ...job,
      endAt: at("2026-10-12T04:00:00Z"),
      startAt: at("2026-10-12T02:00:00Z"),
      elapsedSeconds: 7200,
      account: "mu-genome",
    };
    expect(await context.importJobs([later])).toMatchObject({ new: 0, changed: 1, unchanged: 0 });
    expect((await usageTotals(context.db, { account: "mu-genome" })).cpuSeconds).toBe(4n * 7200n);
    await expectExactRollup();
  });

  it("takes a job from running to finished once, and never back", async () => {
    const finished = aJob();
    const running: JobRecord = { ...finished, phase: "active", state: "RUNNING", endAt: null, elapsedSeconds: 10 };
    await context.importJobs([running]);
    expect(await unfinishedJobs(context.db, { userName: "alice" }, 10)).toHaveLength(1);
    expect((await usageTotals(context.db, {})).jobs).toBe(0n);
    expect(await context.importJobs([finished])).toMatchObject({ changed: 1 });
    expect(await context.importJobs([running])).toMatchObject({ changed: 0, unchanged: 1, running: 0 });
    expect((await usageTotals(context.db, {})).jobs).toBe(1n);
    expect(await unfinishedJobs(context.db, {}, 10)).toEqual([]);
  });

  it("keeps both runs of a requeued job: same id, other submit time", async () => {
    const first = aJob({ rawJobId: "14", jobId: "14", state: "REQUEUED" });
    const second = { ...first, state: "COMPLETED", submitAt: first.submitAt + 17, startAt: first.submitAt + 20 };
    expect(await context.importJobs([first, second])).toMatchObject({ new: 2 });
  });

  it("takes the last of two records of one job in one file", async () => {
    const job = aJob();
    expect(await context.importJobs([job, job, { ...job, allocCpus: 8 }])).toMatchObject({
      new: 1,
      changed: 1,
      unchanged: 1,
    });
    expect((await usageTotals(context.db, {})).cpuSeconds).toBe(8n * 3600n);
  });

  it("knows a job again that another file names without its raw id or its submit time", async () => {
    const strong = aJob({ rawJobId: "918264", jobId: "918260_4" });
    const weak: JobRecord = { ...strong, rawJobId: "918260_4", submitAt: strong.startAt ?? 0, keyIsWeak: true };
    await context.importJobs([strong]);
    expect(await context.importJobs([weak])).toMatchObject({ new: 0, unchanged: 1 });
    const other = aJob({ rawJobId: "5_1", jobId: "5_1", keyIsWeak: true });
    await context.importJobs([other]);
    expect(await context.importJobs([{ ...other, rawJobId: "6", keyIsWeak: false }])).toMatchObject({
      new: 0,
      unchanged: 1,
    });
    expect((await usageTotals(context.db, {})).jobs).toBe(2n);
  });

  it("counts a job on the day it ended in the site's time zone", async () => {
    await context.importJobs([
      aJob({ endAt: at("2026-10-31T16:59:59Z") }),
      aJob({ endAt: at("2026-10-31T17:00:00Z") }),
    ]);
    expect((await usageBy(context.db, {}, "day")).map((day) => day.key)).toEqual(["2026-10-31", "2026-11-01"]);
  });

  it("keeps a job with a state nobody knows, flagged and without a price, until its state is known", async () => {
    const odd = aJob({ phase: "unknown", state: "TELEPORTED" });
    await context.importJobs([odd]);
    const [held] = await unfinishedJobs(context.db, { userName: "alice" }, 10);
    expect(held).toMatchObject({ chargeKind: "held", state: "TELEPORTED" });
    expect(await context.importJobs([{ ...odd, phase: "finished", state: "COMPLETED" }])).toMatchObject({ changed: 1 });
    expect((await usageTotals(context.db, {})).costMinor).toBeGreaterThan(0n);
  });

  it("gives a user nobody knows a row, case included", async () => {
    await context.importJobs([aJob({ user: "Alice" }), aJob({ user: "alice" })]);
    const users = await context.db.rows(
      z.object({ username: z.string() }),
      sql`SELECT username FROM users ORDER BY username COLLATE "C"`,
    );
    expect(users.map((user) => user.username)).toEqual(["Alice", "alice"]);
  });

  it("leaves whole batches when it breaks off, and completes when it is run again", async () => {
    const jobs = Array.from({ length: 9 }, () => aJob());
    async function* broken(): AsyncGenerator<RecordBatch> {
      yield { records: jobs.slice(0, 3), rejects: [], rowsRead: 3, bytesRead: 0 };
      yield { records: jobs.slice(3, 6), rejects: [], rowsRead: 3, bytesRead: 0 };
      throw new Error("the cable was pulled");
    }
    const options = { source: "a cable", actor: "test", onRejects: () => undefined, onProgress: () => undefined };
    await expect(importRecords(context, broken(), options)).rejects.toThrow("the cable was pulled");
    expect((await usageTotals(context.db, {})).jobs).toBe(6n);
    await expectExactRollup();
    expect(await context.importJobs(jobs)).toMatchObject({ new: 3, unchanged: 6 });
    await expectExactRollup();
  });

  it("imports the same jobs once when two imports run at the same time", async () => {
    const jobs = Array.from({ length: 200 }, (_, index) => aJob({ user: `user${index % 7}` }));
    const results = await Promise.all([1, 2, 3, 4].map(() => context.importJobs(jobs)));
    expect(results.reduce((sum, result) => sum + result.new, 0)).toBe(200);
    await expectExactRollup();
    expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
  });

  it("keeps the rollup equal to the jobs through any sequence of imports", async () => {
    const changes = fc.array(
      fc.record({
        id: fc.integer({ min: 1, max: 6 }),
        user: fc.constantFrom("alice", "bob"),
        account: fc.constantFrom("mu-a", "gov-b", "co-c"),
        hour: fc.integer({ min: 0, max: 300 }),
        cpus: fc.integer({ min: 1, max: 9 }),
        state: fc.constantFrom("COMPLETED", "FAILED", "RUNNING", "WEIRD"),
      }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(changes, async (steps) => {
        for (const step of steps) {
          const endAt = at("2026-10-01T00:00:00Z") + step.hour * 3600;
          const phase = step.state === "RUNNING" ? "active" : step.state === "WEIRD" ? "unknown" : "finished";
          await context.importJobs([
            aJob({
              rawJobId: `p${step.id}`,
              user: step.user,
              account: step.account,
              state: step.state,
              phase,
              allocCpus: step.cpus,
              startAt: endAt - 3600,
              endAt: phase === "active" ? null : endAt,
            }),
          ]);
        }
        await expectExactRollup();
      }),
      { numRuns: 25 },
    );
  });
});

describe("a job that changes after it was billed", () => {
  it("is recorded as a correction; the receipt keeps what it says", async () => {
    const job = aJob();
    await context.importJobs([job]);
    const receipt = await issueReceipt(context, { userName: "alice", cutoffDay: "2026-10-31" }, { actor: "alice" });
    expect(receipt?.totalMinor).toBe(528n);
    await context.importJobs([{ ...job, elapsedSeconds: 1800, endAt: at("2026-10-10T02:30:00Z") }]);
    const corrections = await context.db.rows(
      z.object({ before_minor: z.bigint(), after_minor: z.bigint(), status: z.string() }),
      sql`SELECT before_minor, after_minor, status FROM corrections`,
    );
    expect(corrections).toEqual([{ before_minor: 528n, after_minor: 264n, status: "open" }]);
    const { total } = await context.db.one(
      z.object({ total: z.bigint() }),
      sql`SELECT total_minor AS total FROM receipts`,
    );
    expect(total).toBe(528n);
    expect((await usageTotals(context.db, {})).unbilledJobs).toBe(0n);
    const { jobs } = await finishedJobs(context.db, context.days, october, { limit: 10 });
    expect(jobs[0]).toMatchObject({ elapsedSeconds: 1800, receiptNumber: "R-2026-000001" });
    await expectExactRollup();
  });
});

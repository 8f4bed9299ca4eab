import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { reconcile } from "../../src/billing/balance/reconcile.ts";
import { sql } from "../../src/db/database.ts";
import { UpstreamError } from "../../src/errors.ts";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import {
  lastReconcile,
  reconcileBreaks,
  reconciledClusters,
  reconciledDays,
  reconciledUntil,
  runningReconcile,
  type ReconcileRun,
} from "../../src/usage/reconcile/queries.ts";
import type { SreportRow } from "../../src/slurm/sacct/sreport.ts";
import type { SreportUsage } from "../../src/usage/reconcile/sources.ts";
import { aJob, at, createTestContext, type TestContext } from "../support/context.ts";
import { FakeScheduler, FakeSource, setupOf } from "../support/fake-scheduler.ts";

let context: TestContext;
let scheduler: FakeScheduler;
let source: FakeSource;

beforeEach(async () => {
  context = await createTestContext();
  scheduler = new FakeScheduler("test", () => at("2026-11-30T00:00:00Z"));
  source = new FakeSource("sacct", scheduler);
});

afterEach(() => context.close());

interface Options {
  readonly fromDay?: string;
  readonly toDay?: string;
  readonly sreport?: SreportUsage;
  readonly sources?: readonly FakeSource[];
}

function compare({
  fromDay = "2026-10-10",
  toDay = fromDay,
  sreport,
  sources = [source],
}: Options = {}): Promise<ReconcileRun> {
  return reconcile(context, {
    fromDay,
    toDay,
    clusters: [setupOf("test", sources, sreport)],
    requestedBy: "root",
    signal: new AbortController().signal,
  });
}

async function breaksOf(run: ReconcileRun) {
  return reconcileBreaks(context.db, run.id, { limit: 1_000 });
}

/** Kind, job, what and both values of each break. */
async function inShort(run: ReconcileRun): Promise<string[]> {
  return (await breaksOf(run)).map(
    (one) => `${one.kind} ${one.rawJobId ?? one.userName ?? ""}: ${one.what}: ${one.ours} | ${one.theirs}`,
  );
}

describe("comparing jobs with the scheduler", () => {
  it("balances when both hold the same, and says with which sums", async () => {
    const jobs = [
      aJob(),
      aJob({ allocGpus: 2, gpuTypes: [{ type: "a100", count: 2 }] }),
      aJob({ state: "CANCELLED", startAt: null, elapsedSeconds: 0 }),
    ];
    await context.importJobs(jobs);
    scheduler.records = jobs;
    const run = await compare();
    expect(run).toMatchObject({
      status: "balanced",
      breaks: 0n,
      daysDone: 1,
      reconciledUntil: "2026-10-10",
      error: null,
    });
    const [day] = await reconciledDays(context.db, run.id);
    const sums = {
      jobs: 3n,
      cpuSeconds: 28_800n,
      gpuSeconds: 7_200n,
      memMibSeconds: 58_982_400n,
      nodeSeconds: 7_200n,
      billingSeconds: 28_800n,
    };
    expect(day).toEqual({ cluster: "test", day: "2026-10-10", isOver: true, ours: sums, theirs: sums, breaks: 0n });
    // One look is enough where nothing differs.
    expect([source.windows.length, source.askedIds.length]).toEqual([1, 0]);
  });

  it("names a job that we lack, one that the scheduler lacks, and each field that differs", async () => {
    const same = aJob();
    const missing = aJob({ rawJobId: "71" });
    const extra = aJob({ rawJobId: "72" });
    const ours = aJob({ rawJobId: "73", allocGpus: 1, gpuTypes: [{ type: "a100", count: 1 }] });
    const theirs = { ...ours, user: "bob", allocCpus: 8, gpuTypes: [{ type: "h100", count: 1 }] };
    await context.importJobs([same, extra, ours]);
    scheduler.records = [same, missing, theirs];
    const run = await compare();
    expect(run).toMatchObject({ status: "broken", breaks: 3n, reconciledUntil: "2026-10-09" });
    expect((await inShort(run)).sort()).toEqual([
      "different 73: user, cpu_seconds, gpu_seconds: alice, 14400, 3600 (a100=3600) | bob, 28800, 3600 (h100=3600)",
      "extra 72: job: COMPLETED, ended 2026-10-10T03:00:00Z, 14400 CPU-s, 0 GPU-s | ",
      "missing 71: job:  | COMPLETED, ended 2026-10-10T03:00:00Z, 14400 CPU-s, 0 GPU-s",
    ]);
    const [day] = await reconciledDays(context.db, run.id);
    expect([day?.ours.cpuSeconds, day?.theirs.cpuSeconds, day?.breaks]).toEqual([43_200n, 57_600n, 3n]);
  });

  it("takes the day from the site's time zone, first moment included, last one not", async () => {
    const first = aJob({ endAt: at("2026-10-09T17:00:00Z"), startAt: at("2026-10-09T16:00:00Z") });
    const last = aJob({ endAt: at("2026-10-10T16:59:59Z") });
    const next = aJob({ endAt: at("2026-10-10T17:00:00Z") });
    scheduler.records = [first, last, next];
    const run = await compare();
    expect((await breaksOf(run)).map((one) => one.rawJobId)).toEqual([first.rawJobId, last.rawJobId]);
  });

  it("says of a job that ended on another day that it is different, on both days", async () => {
    const ours = aJob({ rawJobId: "81" });
    await context.importJobs([ours]);
    scheduler.records = [{ ...ours, endAt: at("2026-10-11T03:00:00Z"), elapsedSeconds: 90_000 }];
    const run = await compare({ toDay: "2026-10-11" });
    expect((await breaksOf(run)).map((one) => [one.kind, one.day, one.what])).toEqual([
      ["different", "2026-10-10", "end, elapsed_seconds, cpu_seconds, mem_mib_seconds, node_seconds, billing_seconds"],
      ["different", "2026-10-11", "end, elapsed_seconds, cpu_seconds, mem_mib_seconds, node_seconds, billing_seconds"],
    ]);
  });

  it("minds running jobs only where the other side says that they ended", async () => {
    const running = aJob({ rawJobId: "91", phase: "active", state: "RUNNING", endAt: null });
    const ended = aJob({ rawJobId: "92" });
    await context.importJobs([
      running,
      { ...ended, phase: "active", state: "RUNNING", endAt: null, elapsedSeconds: 60 },
    ]);
    scheduler.records = [running, ended];
    expect(await inShort(await compare())).toEqual([
      "different 92: state, end, elapsed_seconds, cpu_seconds, mem_mib_seconds, node_seconds, billing_seconds: " +
        "RUNNING, none, 60, 240, 491520, 60, 240 | COMPLETED, 2026-10-10T03:00:00Z, 3600, 14400, 29491200, 3600, 14400",
    ]);
  });

  it("knows a job by its displayed id and start where we hold it under a weak key", async () => {
    const job = aJob({ rawJobId: "4711", jobId: "4700_3" });
    const requeued = {
      ...job,
      submitAt: at("2026-10-10T04:00:00Z"),
      startAt: at("2026-10-10T04:00:00Z"),
      endAt: at("2026-10-10T05:00:00Z"),
    };
    await context.importJobs([{ ...job, rawJobId: "4700_3", submitAt: at("2026-10-10T02:00:00Z"), keyIsWeak: true }]);
    await context.importJobs([requeued]);
    scheduler.records = [job, requeued];
    expect(await compare()).toMatchObject({ status: "balanced" });
    scheduler.records = [{ ...job, allocCpus: 2 }, requeued];
    expect((await inShort(await compare()))[0]).toMatch(/^different 4700_3: cpu_seconds: 14400 \| 7200$/u);
  });

  it("leaves out runs that the source cannot show, and says how many", async () => {
    const first = aJob({ rawJobId: "31", state: "REQUEUED" });
    const second = {
      ...aJob({ rawJobId: "31" }),
      submitAt: at("2026-10-10T03:00:00Z"),
      endAt: at("2026-10-10T05:00:00Z"),
    };
    await context.importJobs([first, second]);
    scheduler.records = [first, second];
    source.limits = ["hides_requeued_runs"];
    source.hidesById = true;
    const run = await compare();
    expect(run.status).toBe("balanced");
    expect(await reconciledClusters(context.db, run.id)).toMatchObject([{ hiddenRuns: 1, source: "sacct of a test" }]);
  });

  it("does not blame a job that is imported while it compares", async () => {
    const late = aJob();
    scheduler.records = [late];
    let lists = 0;
    source.onQuestion = async () => {
      if (++lists === 2) await context.importJobs([late]);
    };
    expect(await compare()).toMatchObject({ status: "balanced" });
    expect(lists).toBe(2);
  });

  it("counts a row that cannot be read as a break", async () => {
    const job = aJob();
    await context.importJobs([job]);
    scheduler.records = [job];
    scheduler.rejects = [{ line: 3, reason: "End is no time", text: "14|x\0y" }];
    expect(await inShort(await compare())).toEqual(["unread : End is no time:  | 14|x\uFFFDy"]);
  });

  it("keeps the first thousand breaks and counts them all", async () => {
    scheduler.records = Array.from({ length: 1_300 }, () => aJob());
    const run = await compare();
    expect(run.breaks).toBe(1_300n);
    expect(await breaksOf(run)).toHaveLength(1_000);
    expect((await reconciledDays(context.db, run.id))[0]).toMatchObject({ breaks: 1_300n, theirs: { jobs: 1_300n } });
  });

  it("finds exactly the jobs that were tampered with, whatever was done to them", { timeout: 60_000 }, async () => {
    const tampering = fc.array(fc.constantFrom("keep", "remove", "add", "change", "move"), {
      minLength: 1,
      maxLength: 30,
    });
    let clusters = 0;
    await fc.assert(
      fc.asyncProperty(tampering, async (fates) => {
        const cluster = `cluster${++clusters}`;
        const jobs = fates.map((_, index) => aJob({ cluster, rawJobId: String(index + 1) }));
        await context.importJobs(jobs.filter((_, index) => fates[index] !== "add"));
        scheduler.records = jobs.flatMap((job, index): JobRecord[] => {
          if (fates[index] === "remove") return [];
          if (fates[index] === "change") return [{ ...job, allocMemMib: job.allocMemMib + 1 }];
          if (fates[index] === "move") return [{ ...job, endAt: at("2026-10-15T00:00:00Z") }];
          return [job];
        });
        const run = await reconcile(context, {
          fromDay: "2026-10-10",
          toDay: "2026-10-10",
          clusters: [setupOf(cluster, [source])],
          requestedBy: "root",
          signal: new AbortController().signal,
        });
        const kinds = { add: "missing", remove: "extra", change: "different", move: "different" } as const;
        const expected = fates.flatMap((fate, index) => (fate === "keep" ? [] : [`${kinds[fate]} ${index + 1}`]));
        expect((await breaksOf(run)).map((one) => `${one.kind} ${one.rawJobId}`).sort()).toEqual(expected.sort());
        expect(run.status).toBe(expected.length === 0 ? "balanced" : "broken");
      }),
      { numRuns: 25 },
    );
  });
});

describe("a run", () => {
  it("has failed when the scheduler is away, and checks our own books all the same", async () => {
    source.broken = "sacct ended with 1: slurmdbd is away";
    const run = await compare();
    expect(run).toMatchObject({ status: "failed", reconciledUntil: null });
    expect(run.error).toBe("cluster test cannot be asked: sacct: sacct ended with 1: slurmdbd is away");
    expect((await lastReconcile(context.db))?.id).toBe(run.id);
  });

  it("has failed when the answer is cut in the middle", async () => {
    const job = aJob();
    await context.importJobs([job]);
    scheduler.records = [job];
    source.cutAtQuestion = 1;
    expect(await compare()).toMatchObject({ status: "failed", error: "sacct: the answer was cut", daysDone: 0 });
  });

  it("asks sacct before slurmrestd, and slurmrestd when sacct does not work", async () => {
    const rest = new FakeSource("slurmrestd", scheduler);
    await compare({ sources: [rest, source] });
    expect([rest.windows.length, source.windows.length]).toEqual([0, 1]);
    source.broken = "no such file";
    expect(await compare({ sources: [rest, source] })).toMatchObject({ status: "balanced" });
    expect(rest.windows).toHaveLength(1);
  });

  it("that is stopped has failed and leaves nothing running", async () => {
    const stop = new AbortController();
    source.onQuestion = async () => stop.abort();
    const run = await reconcile(context, {
      fromDay: "2026-10-01",
      toDay: "2026-10-10",
      clusters: [setupOf("test", [source])],
      requestedBy: "root",
      signal: stop.signal,
    });
    expect(run).toMatchObject({ status: "failed", error: "it was stopped" });
    expect(await runningReconcile(context.db)).toBeUndefined();
  });

  it("closes one whose process has died", async () => {
    await context.db.run(
      sql`INSERT INTO reconcile_runs (from_day, to_day, requested_by, started_at, status, touched_at)
          VALUES ('2026-10-01', '2026-10-02', 'root', now(), 'running', now() - interval '1 day')`,
    );
    expect(await runningReconcile(context.db)).toBeUndefined();
    await compare();
    const states = await context.db.rows(
      z.object({ status: z.string() }),
      sql`SELECT status FROM reconcile_runs ORDER BY id`,
    );
    expect(states.map(({ status }) => status)).toEqual(["failed", "balanced"]);
  });

  it("refuses days that are backwards, to come, or too many", async () => {
    await expect(compare({ fromDay: "2026-10-11", toDay: "2026-10-10" })).rejects.toThrow(
      "write the earlier day first",
    );
    await expect(compare({ fromDay: "2026-11-02" })).rejects.toThrow("the last day that can be compared is 2026-11-01");
    await expect(compare({ fromDay: "2024-01-01", toDay: "2026-01-01" })).rejects.toThrow("at most 366 days");
    await expect(compare({ fromDay: "yesterday" })).rejects.toThrow("is not a day");
    expect(await lastReconcile(context.db)).toBeUndefined();
  });

  it("is audited with its verdict", async () => {
    scheduler.records = [aJob()];
    const run = await compare();
    const { details, actor } = await context.db.one(
      z.object({ actor: z.string(), details: z.unknown() }),
      sql`SELECT actor, details FROM audit_log WHERE action = 'reconcile.finished' AND subject = ${`reconcile:${run.id}`}`,
    );
    expect([actor, details]).toEqual([
      "root",
      { from_day: "2026-10-10", to_day: "2026-10-10", verdict: "broken", breaks: "1", reconciled_until: "2026-10-09" },
    ]);
  });
});

describe("the day up to which everything is reconciled", () => {
  it("is the day before the first break, until a newer comparison of that day finds none", async () => {
    const job = aJob();
    scheduler.records = [job];
    await compare({ fromDay: "2026-10-08", toDay: "2026-10-12" });
    expect(await reconciledUntil(context.db)).toBe("2026-10-09");
    await context.importJobs([job]);
    await compare({ fromDay: "2026-10-12", toDay: "2026-10-13" });
    expect(await reconciledUntil(context.db, "test")).toBe("2026-10-09");
    await compare();
    expect(await reconciledUntil(context.db)).toBe("2026-10-13");
    expect(await reconciledUntil(context.db, "other")).toBeNull();
  });

  it("never is a day that is not over", async () => {
    await compare({ fromDay: "2026-10-31", toDay: "2026-11-01" });
    expect(await reconciledUntil(context.db)).toBe("2026-10-31");
  });
});

/** What sreport says of the test's cluster: one user's row, and the root account's total. */
function report(cpu: number, gpu: number, mem: number, billing: number): SreportRow[] {
  const tres = new Map([["cpu", BigInt(cpu)], ["gres/gpu", BigInt(gpu)], ["mem", BigInt(mem)], ["billing", BigInt(billing)]]); // prettier-ignore
  return [
    { cluster: "test", account: "root", user: null, seconds: tres },
    { cluster: "test", account: "mu-climate", user: null, seconds: tres },
    { cluster: "test", account: "mu-climate", user: "alice", seconds: tres },
  ];
}

describe("comparing totals with sreport", () => {
  const tresOf = async (run: ReconcileRun) => {
    const [cluster] = await reconciledClusters(context.db, run.id);
    return cluster?.totals.kind === "compared" ? cluster.totals : null;
  };

  it("counts the seconds within the days of all jobs, whenever they end, and explains what lies outside", async () => {
    const jobs = [
      // An hour of it lies before the day, an hour in it.
      aJob({ startAt: at("2026-10-09T16:00:00Z"), endAt: at("2026-10-09T18:00:00Z"), elapsedSeconds: 7_200 }),
      // Ends on the next day: half an hour of it in this one.
      aJob({ startAt: at("2026-10-10T16:30:00Z"), endAt: at("2026-10-10T18:30:00Z"), elapsedSeconds: 7_200 }),
      aJob({ startAt: at("2026-10-10T16:00:00Z"), endAt: null, phase: "active", state: "RUNNING", elapsedSeconds: 60 }),
    ];
    await context.importJobs(jobs);
    scheduler.records = jobs;
    const run = await compare({
      sreport: async (window) => {
        expect(window).toEqual({ from: at("2026-10-09T17:00:00Z"), to: at("2026-10-10T17:00:00Z") });
        return report(4 * 9_000, 0, 8_192 * 9_000, 4 * 9_000);
      },
    });
    expect(run).toMatchObject({ status: "balanced" });
    expect((await tresOf(run))?.tres[0]).toEqual({
      name: "cpu",
      endedAll: 28_800n,
      outside: 14_400n,
      endedLater: 4n * 1_800n + 4n * 3_600n,
      low: 36_000n,
      high: 36_000n,
      theirs: 36_000n,
    });
  });

  it("names account, user and resource of a difference", async () => {
    const job = aJob();
    await context.importJobs([job]);
    scheduler.records = [job];
    const run = await compare({ sreport: async () => report(14_399, 0, 29_491_200, 14_400) });
    expect(run.status).toBe("broken");
    expect(await breaksOf(run)).toMatchObject([
      {
        kind: "sreport",
        cluster: "test",
        account: "mu-climate",
        userName: "alice",
        what: "cpu_seconds",
        ours: "14400",
        theirs: "14399",
      },
    ]);
    expect(run.reconciledUntil).toBe("2026-10-09");
  });

  it("finds usage that is in the cluster's total and with no user we know", async () => {
    const job = aJob();
    await context.importJobs([job]);
    scheduler.records = [job];
    const rows = report(14_400, 0, 29_491_200, 14_400);
    const run = await compare({
      sreport: async () =>
        rows.map((row) =>
          row.account === "root" ? { ...row, seconds: new Map([...row.seconds, ["cpu", 15_000n]]) } : row,
        ),
    });
    expect(await inShort(run)).toEqual(["sreport : cpu_seconds: 14400 | 15000"]);
  });

  it("allows for suspended time of a job that crosses the edge, and for nothing else", async () => {
    // Two hours between start and end, one of them suspended, nobody knows which; one hour lies in the day.
    const job = aJob({ startAt: at("2026-10-09T16:00:00Z"), endAt: at("2026-10-09T18:00:00Z") });
    await context.importJobs([job]);
    scheduler.records = [job];
    for (const seconds of [0, 1_800, 3_600]) {
      const run = await compare({ sreport: async () => report(4 * seconds, 0, 8_192 * seconds, 4 * seconds) });
      expect([seconds, run.status]).toEqual([seconds, "balanced"]);
    }
    expect(await compare({ sreport: async () => report(14_404, 0, 0, 0) })).toMatchObject({ breaks: 1n });
  });

  it("asks for whole hours that are rolled up already", async () => {
    context.clock.set("2026-10-10T05:09:00Z");
    const windows: unknown[] = [];
    const sreport: SreportUsage = async (window) => {
      windows.push(window);
      return [];
    };
    expect(await tresOf(await compare({ sreport }))).not.toBeNull();
    context.clock.set("2026-10-10T05:10:00Z");
    await compare({ sreport });
    expect(windows).toEqual([
      { from: at("2026-10-09T17:00:00Z"), to: at("2026-10-10T04:00:00Z") },
      { from: at("2026-10-09T17:00:00Z"), to: at("2026-10-10T05:00:00Z") },
    ]);
    context.clock.set("2026-10-09T17:30:00Z");
    const tooEarly = await compare({ sreport });
    expect((await reconciledClusters(context.db, tooEarly.id))[0]?.totals).toEqual({ kind: "too_early" });
  });

  it("says so where there is no sreport, or it does not answer, or it does not track a resource", async () => {
    const job = aJob();
    await context.importJobs([job]);
    scheduler.records = [job];
    const totals = async (sreport?: SreportUsage) =>
      (await reconciledClusters(context.db, (await compare(sreport === undefined ? {} : { sreport })).id))[0]?.totals;
    expect(await totals()).toEqual({ kind: "absent" });
    expect(await totals(() => Promise.reject(new UpstreamError("sreport ended with 1")))).toEqual({
      kind: "failed",
      reason: "sreport ended with 1",
    });
    const cpuOnly = report(14_400, 0, 0, 0).map((row) => ({ ...row, seconds: new Map([["cpu", 14_400n]]) }));
    expect(await totals(async () => cpuOnly)).toMatchObject({ kind: "compared", untracked: ["mem", "billing"] });
  });

  it("finds that a report is empty where we hold usage", async () => {
    const job = aJob();
    await context.importJobs([job]);
    scheduler.records = [job];
    const run = await compare({ sreport: async () => [] });
    expect((await inShort(run)).slice(0, 1)).toEqual(["sreport : cpu_seconds: 14400 | 0"]);
  });
});

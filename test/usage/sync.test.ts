import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { verifyAudit } from "../../src/audit/verify.ts";
import { sql } from "../../src/db/database.ts";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import { knownName, nameCluster, type NamedCluster } from "../../src/usage/sync/clusters.ts";
import { importFiles } from "../../src/usage/sync/files.ts";
import { requestCancel, takeLease } from "../../src/usage/sync/lease.ts";
import { listRejects } from "../../src/usage/sync/rejects.ts";
import { clusterStatuses, syncRuns, type ClusterStatus } from "../../src/usage/sync/status.ts";
import {
  syncCluster,
  type SyncContext,
  type SyncOutcome,
  type SyncRequest,
} from "../../src/usage/sync/sync-cluster.ts";
import { usageBy, usageTotals } from "../../src/usage/queries/summary.ts";
import { aJob, at, createTestContext, TEST_KEYRING, type TestContext } from "../support/context.ts";
import { clusterOf, FakeScheduler, FakeSource, setupOf } from "../support/fake-scheduler.ts";
import { rollupAndTruth } from "../support/rollup.ts";

let context: TestContext;
let syncing: SyncContext;
let scheduler: FakeScheduler;
let rest: FakeSource;
let sacct: FakeSource;
let cluster: NamedCluster;

const START = at("2026-10-30T00:00:00Z");

beforeEach(async () => {
  context = await createTestContext({ now: "2026-11-01T12:00:00Z" });
  syncing = {
    ...context,
    policy: () => ({ startAt: START, overlapSeconds: 6 * 3_600, windowSeconds: 24 * 3_600 }),
  };
  scheduler = new FakeScheduler("alpha", () => Math.floor(context.clock.now().getTime() / 1000));
  rest = new FakeSource("slurmrestd", scheduler);
  sacct = new FakeSource("sacct", scheduler);
  cluster = clusterOf("alpha", [rest, sacct]);
});

afterEach(() => context.close());

function sync(request: Partial<SyncRequest> = {}): Promise<SyncOutcome> {
  return syncCluster(syncing, cluster, { actor: "test", ...request });
}

async function status(): Promise<ClusterStatus> {
  const [only] = await clusterStatuses(context.db);
  if (only === undefined) throw new Error("there is no cluster");
  return only;
}

/** A run of alpha that ended; hours are those of an ISO time, UTC. */
function aRun(submit: string, end: string, more: Partial<JobRecord> = {}): JobRecord {
  return aJob({
    cluster: "alpha",
    submitAt: at(submit),
    startAt: at(submit),
    endAt: at(end),
    elapsedSeconds: at(end) - at(submit),
    ...more,
  });
}

async function keys(): Promise<string[]> {
  const rows = await context.db.rows(
    z.object({ raw_job_id: z.string(), phase: z.string(), state: z.string() }),
    sql`SELECT raw_job_id, phase, state FROM jobs ORDER BY raw_job_id, submit_at`,
  );
  return rows.map((row) => `${row.raw_job_id} ${row.state}`);
}

describe("a sync", () => {
  it("fetches a new cluster from the policy's start up to now, in bounded windows", async () => {
    scheduler.put(
      aRun("2026-10-30T01:00:00Z", "2026-10-30T02:00:00Z"),
      aRun("2026-10-30T23:00:00Z", "2026-10-31T03:00:00Z"),
      aRun("2026-11-01T11:00:00Z", "2026-11-01T11:59:59Z"),
    );
    const outcome = await sync();
    expect(outcome).toMatchObject({ status: "done", source: "slurmrestd", trouble: null, totals: { new: 3 } });
    expect(rest.windows).toEqual([
      { from: START, to: START + 86_400 },
      { from: START + 86_400, to: START + 2 * 86_400 },
      { from: START + 2 * 86_400, to: null },
    ]);
    expect((await status()).completeUntil).toEqual(new Date("2026-11-01T12:00:00Z"));
  });

  it("changes nothing when it is repeated, and asks for the overlap only", async () => {
    scheduler.put(aRun("2026-11-01T09:00:00Z", "2026-11-01T10:00:00Z"));
    await sync();
    const before = await rollupAndTruth(context.db);
    context.clock.set("2026-11-01T12:10:00Z");
    expect((await sync()).totals).toMatchObject({ new: 0, changed: 0, unchanged: 1 });
    expect(rest.windows.at(-1)).toEqual({ from: at("2026-11-01T06:00:00Z"), to: null });
    expect(await rollupAndTruth(context.db)).toEqual(before);
  });

  it("picks up what arrived late and what changed within the overlap", async () => {
    const run = aRun("2026-11-01T08:00:00Z", "2026-11-01T09:00:00Z");
    scheduler.put(run);
    await sync();
    scheduler.put({ ...run, elapsedSeconds: 1_800, endAt: at("2026-11-01T08:30:00Z") });
    scheduler.put(aRun("2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z"));
    context.clock.set("2026-11-01T12:10:00Z");
    expect((await sync()).totals).toMatchObject({ new: 1, changed: 1 });
    expect((await usageTotals(context.db, {})).cpuSeconds).toBe(4n * (1_800n + 3_600n));
  });

  it("shows a running job and bills it once it has ended", async () => {
    const run = aRun("2026-11-01T11:00:00Z", "2026-11-01T12:05:00Z");
    scheduler.put({ ...run, phase: "active", state: "RUNNING", endAt: null, elapsedSeconds: 3_600 });
    expect((await sync()).totals).toMatchObject({ new: 0, running: 1 });
    scheduler.put(run);
    context.clock.set("2026-11-01T12:10:00Z");
    await sync();
    expect((await usageTotals(context.db, {})).jobs).toBe(1n);
  });

  it("keeps what was complete when a later window fails, and goes on from there", async () => {
    scheduler.put(
      aRun("2026-10-30T01:00:00Z", "2026-10-30T02:00:00Z"),
      aRun("2026-10-31T01:00:00Z", "2026-10-31T02:00:00Z"),
      aRun("2026-10-31T03:00:00Z", "2026-10-31T04:00:00Z"),
    );
    cluster = clusterOf("alpha", [rest]);
    rest.cutAtQuestion = 2;
    await expect(sync()).rejects.toThrow("slurmrestd: the answer was cut");
    expect(await status()).toMatchObject({
      completeUntil: new Date((START + 86_400) * 1000),
      failures: 1,
      lastError: "slurmrestd: slurmrestd: the answer was cut",
    });
    rest.cutAtQuestion = null;
    await sync();
    expect(await status()).toMatchObject({ failures: 0, lastError: null });
    expect((await usageTotals(context.db, {})).jobs).toBe(3n);
    expect((await rollupAndTruth(context.db)).rollup).toEqual((await rollupAndTruth(context.db)).truth);
  });

  it("never reads a failure as an empty bill: with no source left it fails and says what each of them said", async () => {
    rest.broken = "slurmrestd does not answer";
    sacct.broken = "sacct cannot reach slurmdbd";
    await expect(sync()).rejects.toThrow("slurmrestd: slurmrestd does not answer; sacct: sacct cannot reach slurmdbd");
    expect(await status()).toMatchObject({ completeUntil: null, failures: 1 });
    expect((await status()).sources.map(({ source, ok, error }) => [source, ok, error])).toEqual([
      ["slurmrestd", false, "slurmrestd does not answer"],
      ["sacct", false, "sacct cannot reach slurmdbd"],
    ]);
  });

  it("goes over to the next source when the first is away, and back when it is there again", async () => {
    scheduler.put(aRun("2026-10-31T01:00:00Z", "2026-10-31T02:00:00Z"));
    rest.broken = "connection refused";
    expect(await sync()).toMatchObject({ source: "sacct", trouble: "slurmrestd: connection refused" });
    expect(await status()).toMatchObject({ source: "sacct", failures: 0, lastError: "slurmrestd: connection refused" });
    rest.broken = null;
    expect(await sync()).toMatchObject({ source: "slurmrestd", trouble: null, totals: { new: 0, unchanged: 0 } });
    expect(await status()).toMatchObject({ source: "slurmrestd", lastError: null });
  });

  it("reads a window whole from the next source when the first breaks in the middle of it", async () => {
    scheduler.put(
      aRun("2026-10-30T01:00:00Z", "2026-10-30T02:00:00Z"),
      aRun("2026-10-30T03:00:00Z", "2026-10-30T04:00:00Z"),
    );
    rest.cutAtQuestion = 1;
    expect(await sync()).toMatchObject({ source: "sacct", totals: { new: 2, unchanged: 1 } });
    expect(sacct.windows).toHaveLength(3);
  });

  it("fills earlier runs of requeued jobs in from sacct, and says that the first source hides them", async () => {
    rest.limits = ["hides_requeued_runs"];
    scheduler.put(
      aRun("2026-10-30T01:00:00Z", "2026-10-30T02:00:00Z", { rawJobId: "14", state: "REQUEUED" }),
      aRun("2026-10-30T02:00:01Z", "2026-10-30T03:00:00Z", { rawJobId: "14" }),
    );
    await sync();
    expect(await keys()).toEqual(["14 REQUEUED", "14 COMPLETED"]);
    expect((await status()).sources[0]?.limits).toEqual(["hides_requeued_runs"]);
    expect(rest.askedIds).toEqual([]);
  });

  it("asks for each job by its id where there is no sacct to fill them in from", async () => {
    rest.limits = ["hides_requeued_runs"];
    sacct.broken = "sacct is not there";
    scheduler.put(
      aRun("2026-10-30T01:00:00Z", "2026-10-30T02:00:00Z", { rawJobId: "14", state: "REQUEUED" }),
      aRun("2026-10-30T02:00:01Z", "2026-10-30T03:00:00Z", { rawJobId: "14" }),
    );
    await sync();
    expect(await keys()).toEqual(["14 REQUEUED", "14 COMPLETED"]);
    expect(rest.askedIds).toEqual(["14"]);
  });

  it("keeps an exit code when a source that does not tell exit codes describes the job", async () => {
    const run = aRun("2026-11-01T08:00:00Z", "2026-11-01T09:00:00Z", { exitCode: "3:0", state: "FAILED" });
    scheduler.put(run);
    await sync();
    scheduler.put({ ...run, exitCode: "" });
    expect((await sync()).totals).toMatchObject({ changed: 0, unchanged: 1 });
  });

  it("tells jobs apart that have the same id after the scheduler began to count anew", async () => {
    scheduler.put(
      aRun("2026-10-30T01:00:00Z", "2026-10-30T02:00:00Z", { rawJobId: "1" }),
      aRun("2026-10-31T01:00:00Z", "2026-10-31T02:00:00Z", { rawJobId: "1", user: "bob" }),
    );
    expect((await sync()).totals).toMatchObject({ new: 2 });
  });

  it("takes users as Slurm spells them, and moves usage when accounting renames one", async () => {
    const run = aRun("2026-11-01T08:00:00Z", "2026-11-01T09:00:00Z", { user: "Alice" });
    scheduler.put(run, aRun("2026-11-01T08:00:00Z", "2026-11-01T09:00:00Z", { user: "alice" }));
    await sync();
    expect((await usageBy(context.db, {}, "user")).map(({ key }) => key).sort()).toEqual(["Alice", "alice"]);
    scheduler.put({ ...run, user: "alice2", account: "renamed" });
    expect((await sync()).totals).toMatchObject({ changed: 1, new: 0 });
    expect((await usageBy(context.db, {}, "user")).map(({ key, jobs }) => [key, jobs])).toEqual([
      ["alice", 1n],
      ["alice2", 1n],
    ]);
  });

  it("reads only the days that were asked for, without claiming more to be complete", async () => {
    scheduler.put(
      aRun("2026-10-30T01:00:00Z", "2026-10-30T02:00:00Z"),
      aRun("2026-10-31T01:00:00Z", "2026-10-31T02:00:00Z"),
    );
    await sync({ range: { from: at("2026-10-31T00:00:00Z"), to: at("2026-11-01T00:00:00Z") } });
    expect((await usageTotals(context.db, {})).jobs).toBe(1n);
    expect((await status()).completeUntil).toBeNull();
  });

  it("names the rows that could not be read once, however often they come", async () => {
    scheduler.rejects = [{ line: 3, reason: "Start is not a time", text: "77|alice|…" }];
    await sync();
    context.clock.set("2026-11-01T12:10:00Z");
    await sync();
    expect(await listRejects(context.db, "alpha", { limit: 10 })).toMatchObject([
      {
        line: 3,
        reason: "Start is not a time",
        firstSeenAt: new Date("2026-11-01T12:00:00Z"),
        lastSeenAt: new Date("2026-11-01T12:10:00Z"),
      },
    ]);
    expect((await status()).rejects).toBe(1);
  });

  it("imports usage although the accounts cannot be read, and says so", async () => {
    scheduler.put(aRun("2026-11-01T08:00:00Z", "2026-11-01T09:00:00Z"));
    scheduler.accounts = { accounts: [], members: [], coordinators: [] };
    expect(await sync()).toMatchObject({ status: "done", totals: { new: 1 } });
    expect((await status()).accountsError).toMatch(/no accounts at all/u);
  });

  it("forgets an instant that a clock which ran ahead has left, and loses no job by it", async () => {
    context.clock.set("2027-06-01T00:00:00Z");
    await sync({});
    scheduler.put(aRun("2026-11-01T11:00:00Z", "2026-11-01T11:30:00Z"));
    context.clock.set("2026-11-01T12:00:00Z");
    expect((await sync()).totals).toMatchObject({ new: 1 });
    expect((await status()).completeUntil).toEqual(new Date("2026-11-01T12:00:00Z"));
  });

  it("leaves an audit trail that verifies", async () => {
    scheduler.put(aRun("2026-11-01T08:00:00Z", "2026-11-01T09:00:00Z"));
    await sync();
    expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
  });
});

describe("unfinished jobs that a list no longer shows", () => {
  const running = aRun("2026-10-31T01:00:00Z", "2026-10-31T02:00:00Z", {
    rawJobId: "9",
    phase: "active",
    state: "RUNNING",
    endAt: null,
  });

  it("are asked for by id: their end may lie outside of every window", async () => {
    scheduler.put(running);
    await sync();
    context.clock.set("2026-11-03T12:00:00Z");
    // It ended long before the overlap, but accounting learned of it only now.
    scheduler.put({ ...running, phase: "finished", state: "COMPLETED", endAt: at("2026-10-31T02:00:00Z") });
    await context.db.run(sql`UPDATE sync_clusters SET complete_until = '2026-11-03T11:50:00Z'`);
    await sync();
    expect(await keys()).toEqual(["9 COMPLETED"]);
  });

  it("are set aside when nobody knows them any more, and come back when somebody does", async () => {
    scheduler.put(running);
    await sync();
    scheduler.records = [];
    await sync();
    expect(await keys()).toEqual(["9 VANISHED"]);
    expect((await status()).vanishedJobs).toBe(1);
    expect((await usageTotals(context.db, {})).jobs).toBe(0n);
    scheduler.put({ ...running, phase: "finished", state: "COMPLETED", endAt: at("2026-11-01T11:00:00Z") });
    await sync();
    expect(await keys()).toEqual(["9 COMPLETED"]);
    expect((await status()).vanishedJobs).toBe(0);
  });
});

describe("two syncs of a cluster", () => {
  it("are never under way at once", async () => {
    let second: Promise<unknown> | undefined;
    rest.onQuestion = () => {
      second ??= sync().catch((error: unknown) => error);
    };
    await sync();
    expect(await second).toMatchObject({ name: "ConflictError", message: /under way already/u });
  });

  it("take over from a process that died, once its lease has run out", async () => {
    const lease = await takeLease(context, { cluster: "alpha", requestedBy: "test", holder: "a dead host" });
    await expect(sync()).rejects.toThrow("under way already (a dead host)");
    await context.db.run(sql`UPDATE sync_clusters SET lease_until = clock_timestamp() - interval '1 second'`);
    scheduler.put(aRun("2026-11-01T08:00:00Z", "2026-11-01T09:00:00Z"));
    await sync();
    expect((await syncRuns(context.db, "alpha", 10)).map((run) => [run.status, run.error])).toEqual([
      ["done", null],
      ["failed", "the process that worked on it ended"],
    ]);
    await lease.release();
    expect((await usageTotals(context.db, {})).jobs).toBe(1n);
  });

  it("stop when somebody cancels, and lose nothing", async () => {
    scheduler.put(
      aRun("2026-10-30T01:00:00Z", "2026-10-30T02:00:00Z"),
      aRun("2026-10-31T01:00:00Z", "2026-10-31T02:00:00Z"),
    );
    rest.onQuestion = async () => {
      if (rest.windows.length !== 2) return;
      rest.onQuestion = () => undefined;
      await requestCancel(context.db, "alpha", { actor: "root" });
      // The lease hears of it at its next renewal; the source answers no sooner.
      await new Promise<void>((resolve) => heard.addEventListener("abort", () => resolve(), { once: true }));
    };
    const stop = new AbortController();
    const heard = stop.signal;
    const poll = setInterval(() => {
      void status().then(({ isCanceling }) => {
        if (isCanceling) stop.abort(new Error("canceled"));
      });
    }, 20);
    const outcome = await sync({ signal: stop.signal });
    clearInterval(poll);
    expect(outcome).toMatchObject({ status: "canceled" });
    expect(await status()).toMatchObject({ isSyncing: false, completeUntil: new Date((START + 86_400) * 1000) });
    expect((await sync()).status).toBe("done");
    expect((await usageTotals(context.db, {})).jobs).toBe(2n);
  });
});

describe("the name of a cluster", () => {
  const { signal } = new AbortController();

  it("is asked of the cluster where the configuration does not say it", async () => {
    expect((await nameCluster(context.db, setupOf(null, [rest]), signal)).name).toBe("alpha");
  });

  it("is asked of the next source when the first does not answer", async () => {
    rest.broken = "away";
    expect((await nameCluster(context.db, setupOf(null, [rest, sacct]), signal)).name).toBe("alpha");
  });

  it("cannot be found out when no source answers, and each says why", async () => {
    rest.broken = "the token was refused";
    sacct.broken = "no such program";
    await expect(nameCluster(context.db, setupOf(null, [rest, sacct]), signal)).rejects.toThrow(
      /slurmrestd: .*token was refused.*; sacct: .*no such program/u,
    );
  });

  it("is what it last said while no source answers, so that its files are read under it", async () => {
    expect((await nameCluster(context.db, setupOf(null, [rest]), signal)).name).toBe("alpha");
    rest.broken = "away";
    expect((await nameCluster(context.db, setupOf(null, [rest]), signal)).name).toBe("alpha");
    expect(await knownName(context.db, setupOf(null, [rest]))).toBe("alpha");
  });

  it("of files alone is no name of a cluster that is away later", async () => {
    expect((await nameCluster(context.db, setupOf(null, []), signal)).name).toBe("default");
    rest.broken = "away";
    await expect(nameCluster(context.db, setupOf(null, [rest]), signal)).rejects.toThrow("slurmrestd: away");
    expect(await knownName(context.db, setupOf(null, [rest]))).toBeNull();
  });

  it("must be given where accounting holds several", async () => {
    const both = { ...setupOf(null, [rest]), live: () => [{ kind: rest.kind, address: "", source: twoClusters }] };
    const twoClusters = Object.assign(Object.create(rest), { clusters: () => Promise.resolve(["alpha", "beta"]) });
    await expect(nameCluster(context.db, both, signal)).rejects.toThrow("alpha, beta");
  });
});

describe("files", () => {
  let folder: string;
  const HEADER = "JobIDRaw|User|Account|State|Submit|Start|End|ElapsedRaw|AllocTRES";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drops-"));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function drop(name: string, rows: readonly string[], modified = "2026-11-01T11:00:00Z"): void {
    writeFileSync(join(folder, name), `${[HEADER, ...rows].join("\n")}\n`);
    utimesSync(join(folder, name), new Date(modified), new Date(modified));
  }

  const row = (id: string): string =>
    `${id}|alice|mu|COMPLETED|2026-10-31T01:00:00|2026-10-31T01:00:00|2026-10-31T02:00:00|3600|cpu=4,mem=8G,node=1`;

  it("of a watched folder are imported once, and again when they change", async () => {
    cluster = clusterOf("alpha", [], { dropFolder: folder });
    drop("a.psv", [row("1")]);
    expect(await sync()).toMatchObject({ source: "file", totals: { new: 1 } });
    expect((await sync()).totals).toMatchObject({ rows: 0 });
    drop("a.psv", [row("1"), row("2")], "2026-11-01T11:30:00Z");
    expect((await sync()).totals).toMatchObject({ new: 1, unchanged: 1 });
  });

  it("that cannot be read do not keep the others out, and are named", async () => {
    cluster = clusterOf("alpha", [], { dropFolder: folder });
    writeFileSync(join(folder, "a.psv"), "this is no dump\n");
    utimesSync(join(folder, "a.psv"), new Date("2026-11-01T11:00:00Z"), new Date("2026-11-01T11:00:00Z"));
    drop("b.psv", [row("1"), "x|y"]);
    await expect(sync()).rejects.toThrow("a.psv");
    expect((await usageTotals(context.db, {})).jobs).toBe(1n);
    expect(await listRejects(context.db, "alpha", { limit: 10 })).toHaveLength(1);
  });

  it("stand in for live sources that are all away, without claiming to be complete", async () => {
    rest.broken = "away";
    drop("dump.psv", [row("1")]);
    cluster = clusterOf("alpha", [rest], { fallbackFile: join(folder, "dump.psv") });
    expect(await sync()).toMatchObject({ source: "file", trouble: "slurmrestd: away", totals: { new: 1 } });
    expect(await status()).toMatchObject({ completeUntil: null, source: "file" });
  });

  it("that cannot be read are a failed sync when the live sources are away too", async () => {
    rest.broken = "away";
    cluster = clusterOf("alpha", [rest], { fallbackFile: join(folder, "nothing.psv") });
    await expect(sync()).rejects.toThrow(/slurmrestd: away; file: .*nothing\.psv/u);
    expect(await status()).toMatchObject({ failures: 1, lastSuccessAt: null });
  });

  it("that are gone or closed when their turn comes do not keep the others out", async () => {
    for (const name of ["a.psv", "b.psv", "c.psv"]) drop(name, [row("1")]);
    const taken: string[] = [];
    const importing = importFiles(context, "alpha", [{ folder }], {
      signal: new AbortController().signal,
      importBatches: async (batches, path) => {
        for await (const _ of batches) taken.push(basename(path));
        rmSync(join(folder, "b.psv"), { force: true });
      },
    });
    await expect(importing).rejects.toThrow("b.psv");
    expect(taken).toEqual(["a.psv", "c.psv"]);
  });

  it("that are missing are an error that names the file", async () => {
    cluster = clusterOf("alpha", [], { fallbackFile: join(folder, "nothing.psv") });
    await expect(sync()).rejects.toThrow("nothing.psv");
  });
});

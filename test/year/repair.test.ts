import { afterEach, beforeEach, expect, it } from "vitest";
import type { ReconcileRequest } from "../../src/billing/balance/reconcile.ts";
import { reconcileAndRepair } from "../../src/billing/balance/repair.ts";
import { usageBy } from "../../src/usage/queries/summary.ts";
import { syncCluster } from "../../src/usage/sync/sync-cluster.ts";
import { aJob, at, createTestContext, type TestContext } from "../support/context.ts";
import { clusterOf, FakeScheduler, FakeSource } from "../support/fake-scheduler.ts";

let context: TestContext;
let scheduler: FakeScheduler;
let rest: FakeSource;
let sacct: FakeSource;

const run = aJob({
  cluster: "alpha",
  rawJobId: "14",
  submitAt: at("2026-10-02T01:00:00Z"),
  startAt: at("2026-10-02T01:00:00Z"),
  endAt: at("2026-10-30T01:00:00Z"),
  elapsedSeconds: 28 * 86_400,
});

beforeEach(async () => {
  context = await createTestContext({ now: "2026-11-01T12:00:00Z" });
  scheduler = new FakeScheduler("alpha", () => Math.floor(context.clock.now().getTime() / 1000));
  rest = new FakeSource("slurmrestd", scheduler);
  rest.limits = ["hides_requeued_runs"];
  sacct = new FakeSource("sacct", scheduler);
  scheduler.put(run);
});

afterEach(() => context.close());

const syncing = (): Parameters<typeof syncCluster>[0] => ({
  ...context,
  policy: () => ({ startAt: at("2026-10-01T00:00:00Z"), overlapSeconds: 6 * 3_600, windowSeconds: 86_400 }),
});

function lastDays(): ReconcileRequest {
  const setup = {
    configuredName: "alpha",
    live: () => clusterOf("alpha", [rest, sacct]).live,
    sreport: null,
    dropFolder: null,
    fallbackFile: null,
  };
  const signal = new AbortController().signal;
  return { fromDay: "2026-10-28", toDay: "2026-10-31", clusters: [setup], requestedBy: "system", signal };
}

async function cpuSecondsByDay(): Promise<string[]> {
  const days = await usageBy(context.db, {}, "day");
  return days.map(({ key, cpuSeconds }) => `${key}: ${cpuSeconds}`);
}

it("a run that turns out to have ended before the compared days is set right", async () => {
  await syncCluster(syncing(), clusterOf("alpha", [rest, sacct]), { actor: "test" });
  scheduler.put({ ...run, endAt: at("2026-10-05T01:00:00Z"), elapsedSeconds: 3 * 86_400 });
  const result = await reconcileAndRepair({ ...context, syncing: syncing() }, lastDays());
  expect(result).toMatchObject({ status: "balanced" });
  expect(await cpuSecondsByDay()).toEqual([`2026-10-05: ${4 * 3 * 86_400}`]);
});

it("a run that the only source left hides is set right", async () => {
  await syncCluster(syncing(), clusterOf("alpha", [rest, sacct]), { actor: "test" });
  // Requeued after its end: from now on a list shows the later run only, and that one still waits.
  scheduler.put(
    { ...run, allocCpus: 8 },
    aJob({
      ...run,
      submitAt: at("2026-10-31T02:00:00Z"),
      startAt: null,
      endAt: null,
      phase: "active",
      state: "PENDING",
      elapsedSeconds: 0,
    }),
  );
  sacct.broken = "away";
  const result = await reconcileAndRepair({ ...context, syncing: syncing() }, lastDays());
  expect(result).toMatchObject({ status: "balanced" });
  expect(await cpuSecondsByDay()).toEqual([`2026-10-30: ${8 * 28 * 86_400}`]);
});

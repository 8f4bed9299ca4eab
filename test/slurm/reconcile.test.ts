import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { reconcile } from "../../src/billing/balance/reconcile.ts";
import { sql } from "../../src/db/database.ts";
import { clusterSetups } from "../../src/cluster-sources.ts";
import { reconcileBreaks, reconciledClusters, type ReconcileRun } from "../../src/usage/reconcile/queries.ts";
import type { TestContext } from "../support/context.ts";
import { clusterWith, contextNow, restConfig, SACCT, sacctSays, syncNow } from "./real-cluster.ts";

let context: TestContext;

const setups = clusterSetups([
  { name: "alpha", slurmrestd: restConfig(), sacct: SACCT, dropFolder: null, fallbackFile: null },
]);

beforeEach(async () => {
  context = await contextNow();
  await syncNow(context, clusterWith({ slurmrestd: restConfig(), sacct: SACCT }));
});

afterEach(() => context.close());

function compare(): Promise<ReconcileRun> {
  const now = Math.floor(context.clock.now().getTime() / 1000);
  return reconcile(context, {
    fromDay: context.days.dayOf(now - 86_400),
    toDay: context.days.dayOf(now),
    clusters: setups,
    requestedBy: "test",
    signal: new AbortController().signal,
  });
}

describe("our books and those of a real cluster", () => {
  it("balance after a sync, job by job and in the totals of sreport", async () => {
    const run = await compare();
    expect(await reconcileBreaks(context.db, run.id, { limit: 10 })).toEqual([]);
    expect(run.status).toBe("balanced");
    const [cluster] = await reconciledClusters(context.db, run.id);
    if (cluster?.totals.kind !== "compared") throw new Error("sreport was not compared");
    const { to } = cluster.totals;
    const cpu = cluster.totals.tres.find(({ name }) => name === "cpu");
    const rolledUp = (await sacctSays()).filter(({ endAt }) => endAt <= to);
    expect(rolledUp.length).toBeGreaterThanOrEqual(18);
    expect(cpu?.theirs).toBe(rolledUp.reduce((sum, job) => sum + job.cpuSeconds, 0n));
  });

  it("break when a job of ours was changed, and the break names the job and the difference", async () => {
    await context.db.run(sql`UPDATE jobs SET elapsed_seconds = elapsed_seconds + 1 WHERE job_name = 'steps'`);
    const run = await compare();
    expect(run.status).toBe("broken");
    const breaks = await reconcileBreaks(context.db, run.id, { limit: 50 });
    expect(breaks.filter(({ kind }) => kind === "different")).toMatchObject([{ rawJobId: "2", userName: "alice" }]);
    // The daily sums no longer fit the jobs, nor does the price.
    expect(new Set(breaks.map(({ kind }) => kind))).toContain("rollup");
  });

  it("break when a job is missing with us", async () => {
    await context.db.run(sql`DELETE FROM jobs WHERE job_name = 'requeued' AND state = 'REQUEUED'`);
    const breaks = await reconcileBreaks(context.db, (await compare()).id, { limit: 50 });
    expect(breaks.filter(({ kind }) => kind === "missing")).toMatchObject([{ userName: "alice", cluster: "alpha" }]);
  });
});

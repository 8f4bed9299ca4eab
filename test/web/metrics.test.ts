import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { issueReceipt } from "../../src/billing/issue.ts";
import { raw, sql, type Queries, type Sql } from "../../src/db/database.ts";
import { startQueue } from "../../src/queue.ts";
import { createLogger } from "../../src/log.ts";
import { ConflictError } from "../../src/errors.ts";
import { createMetrics, type Metrics, type MetricsOptions } from "../../src/web/plugins/metrics.ts";
import { startHarness } from "./server-harness.ts";
import { aJob, createTestContext, type TestContext } from "../support/context.ts";

let context: TestContext;

beforeAll(async () => {
  context = await createTestContext();
  await makeQueueTables();
});

afterAll(() => context.close());

function newMetrics(options: Partial<MetricsOptions> = {}): Metrics {
  return createMetrics({ db: context.db, version: "1.2.3", appEnv: "production", ...options });
}

/** The series of one scrape by their names with labels. */
async function scrape({ registry }: Metrics): Promise<ReadonlyMap<string, number>> {
  const lines = (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const cut = line.lastIndexOf(" ");
      return [line.slice(0, cut), Number(line.slice(cut + 1))];
    }),
  );
}

describe("metrics of the database", () => {
  it("are there at 0 before anything has happened", async () => {
    const metrics = newMetrics();
    metrics.watchQueue(["sync", "payments"]);
    metrics.tasks.measured({ name: "refunds", work: () => Promise.resolve() });
    const series = await scrape(metrics);
    for (const name of [
      'hpc_receipts{state="pending"}',
      'hpc_receipts{state="paid"}',
      'hpc_receipts{state="void"}',
      "hpc_billed_minor",
      "hpc_paid_minor",
      "hpc_receivable_minor",
      "hpc_owed_back_minor",
      'hpc_refunds_open{state="requested"}',
      'hpc_refunds_open{state="pending"}',
      "hpc_disputes_open",
      "hpc_bank_lines_open",
      'hpc_webhook_deliveries{state="dead"}',
      'hpc_import_rows_total{outcome="rejected"}',
      'hpc_queue_jobs{queue="sync",state="waiting"}',
      'hpc_queue_jobs{queue="payments",state="failed"}',
      'hpc_queue_due_seconds{queue="sync"}',
      "hpc_audit_checked_timestamp_seconds",
      "hpc_audit_records",
      'hpc_task_duration_seconds_count{task="refunds",result="failed"}',
      'hpc_task_last_success_timestamp_seconds{task="refunds"}',
      'hpc_metrics_stale{part="receipts"}',
    ]) {
      expect([name, series.get(name)]).toEqual([name, 0]);
    }
  });

  it("say what runs and how large the pool may become", async () => {
    const metrics = newMetrics({ commit: "abc1234", poolMax: 10, currency: { code: "JPY", minorDigits: 0 } });
    const series = await scrape(metrics);
    const build = `hpc_build_info{version="1.2.3",node="${process.version}",env="production",commit="abc1234"}`;
    expect(series.get(build)).toBe(1);
    expect(series.get("hpc_db_pool_max")).toBe(10);
    expect(series.get('hpc_minor_units_per_unit{currency="JPY"}')).toBe(1);
  });

  it("never take the others along when one cannot be read", async () => {
    const troubles: string[] = [];
    const db = recorder((query) => {
      if (query.text.includes("import_runs")) throw new Error("no such table");
    });
    const metrics = newMetrics({ db, onTrouble: (part) => troubles.push(part) });
    const series = await scrape(metrics);
    expect(series.get('hpc_metrics_stale{part="imports"}')).toBe(1);
    expect(series.get('hpc_metrics_stale{part="receipts"}')).toBe(0);
    expect(series.get('hpc_import_rows_total{outcome="new"}')).toBe(0);
    expect(troubles).toEqual(["imports"]);
  });

  it("ask nothing of the tables that grow with jobs", async () => {
    const asked: Sql[] = [];
    const metrics = newMetrics({ db: recorder((query) => asked.push(query)) });
    metrics.watchQueue(["sync"]);
    await scrape(metrics);
    expect(asked.length).toBeGreaterThan(8);
    const plans = await Promise.all(asked.map(explain));
    expect(plans.join()).toContain('"Relation Name": "receipts"');
    for (const table of ["jobs", "receipt_items", "receipt_lines", "usage_daily", "payment_events", "audit_log"]) {
      expect(plans.join()).not.toContain(`"Relation Name": "${table}"`);
    }
  });
});

describe("metrics of readiness", () => {
  it("say no while the database is away, with all other series still there", async () => {
    const site = await startHarness();
    try {
      const ask = async (): Promise<string> => (await site.app.inject("/metrics")).body;
      expect((await ask()).split("\n")).toContain("hpc_ready 1");
      await site.db.close();
      const lines = (await ask()).split("\n");
      expect(lines).toContain("hpc_ready 0");
      expect(lines).toContain("hpc_billed_minor 0");
      expect(lines).toContain('hpc_metrics_stale{part="receipts"} 1');
    } finally {
      await site.close();
    }
  });
});

describe("metrics of money", () => {
  it("balance: billed less paid is receivable less owed back", async () => {
    await context.importJobs([aJob({ user: "alice" }), aJob({ user: "bob" }), aJob({ user: "carol" })]);
    for (const user of ["alice", "bob"]) {
      await issueReceipt(context, { userName: user, cutoffDay: "2026-10-31" }, { actor: "test" });
    }
    await context.db.run(
      sql`UPDATE receipts SET status = 'paid', paid_at = now(), paid_method = 'manual' WHERE user_name = 'alice'`,
    );
    const series = await scrape(newMetrics());
    const value = (name: string): number => series.get(name) ?? Number.NaN;
    expect(value("hpc_billed_minor")).toBeGreaterThan(0);
    expect(value("hpc_paid_minor")).toBeGreaterThan(0);
    expect(value("hpc_receivable_minor")).toBeGreaterThan(0);
    expect(value("hpc_billed_minor") - value("hpc_paid_minor")).toBe(
      value("hpc_receivable_minor") - value("hpc_owed_back_minor"),
    );
    expect(value('hpc_receipts{state="pending"}')).toBe(1);
    expect(value('hpc_receipts{state="paid"}')).toBe(1);
  });
});

describe("metrics of the queue", () => {
  it("count what waits, what is under way and what failed, and tell for how long the oldest could have begun", async () => {
    await context.db.run(
      sql`INSERT INTO pgboss.job (name, singleton_key, state, start_after) VALUES
              ('sync', 'a', 'created', now() - interval '20 minutes'), ('sync', 'b', 'created', now() + interval '1 hour'),
              ('sync', 'c', 'retry', now() - interval '1 minute'), ('sync', 'd', 'active', now() - interval '1 hour'),
              ('sync', 'e', 'failed', now()), ('sync', 'f', 'completed', now())`,
    );
    const metrics = newMetrics();
    metrics.watchQueue(["sync", "reconcile"]);
    const series = await scrape(metrics);
    const states = ["waiting", "retry", "active", "failed"];
    const counts = states.map((state) => series.get(`hpc_queue_jobs{queue="sync",state="${state}"}`));
    expect(counts).toEqual([2, 1, 1, 1]);
    expect(series.get('hpc_queue_due_seconds{queue="sync"}')).toBeGreaterThanOrEqual(1_200);
    expect(series.get('hpc_queue_due_seconds{queue="sync"}')).toBeLessThan(3_000);
    expect(series.get('hpc_queue_due_seconds{queue="reconcile"}')).toBe(0);
  });
});

describe("metrics of background work", () => {
  const never = new AbortController().signal;

  it("count how often a task ended well and how often it failed, and still tell its caller", async () => {
    const metrics = newMetrics();
    let isBroken = false;
    const task = metrics.tasks.measured({
      name: "refunds",
      work: (_signal: AbortSignal) => (isBroken ? Promise.reject(new Error("no")) : Promise.resolve()),
    });
    await task.work(never);
    isBroken = true;
    await expect(task.work(never)).rejects.toThrow("no");
    const series = await scrape(metrics);
    expect(series.get('hpc_task_duration_seconds_count{task="refunds",result="done"}')).toBe(1);
    expect(series.get('hpc_task_duration_seconds_count{task="refunds",result="failed"}')).toBe(1);
    expect(series.get('hpc_task_last_success_timestamp_seconds{task="refunds"}')).toBeGreaterThan(0);
  });

  it("do not call it a failure that somebody else does the same, or that the process ends", async () => {
    const metrics = newMetrics();
    const conflict = metrics.tasks.measured({
      name: "sync",
      work: (_signal: AbortSignal) => Promise.reject(new ConflictError("another replica does it")),
    });
    const stopped = metrics.tasks.measured({
      name: "sync",
      work: (_signal: AbortSignal) => Promise.reject(new Error("cut off")),
    });
    await expect(conflict.work(never)).rejects.toThrow(ConflictError);
    await expect(stopped.work(AbortSignal.abort())).rejects.toThrow("cut off");
    const series = await scrape(metrics);
    expect(series.get('hpc_task_duration_seconds_count{task="sync",result="failed"}')).toBe(0);
  });
});

describe("metrics of the audit chain", () => {
  it("keep how many records verified, so that an older state that was put back shows", async () => {
    const metrics = newMetrics();
    metrics.audit.note({ ok: true, records: 12n, head: "aa" }, new Date("2026-11-01T00:00:00Z"));
    expect((await scrape(metrics)).get("hpc_audit_records")).toBe(12);
    metrics.audit.note({ ok: false, brokenAt: 3n, reason: "edited" }, new Date("2026-11-01T01:00:00Z"));
    const series = await scrape(metrics);
    expect(series.get("hpc_audit_chain_ok")).toBe(0);
    expect(series.get("hpc_audit_checked_timestamp_seconds")).toBe(Date.parse("2026-11-01T01:00:00Z") / 1000);
  });
});

/** The database, telling each query before it is asked. */
function recorder(onQuery: (query: Sql) => void): MetricsOptions["db"] {
  const { db } = context;
  const told = (query: Sql): Sql => {
    onQuery(query);
    return query;
  };
  const queries: Queries = {
    rows: async (schema, query) => db.rows(schema, told(query)),
    one: async (schema, query) => db.one(schema, told(query)),
    maybeOne: async (schema, query) => db.maybeOne(schema, told(query)),
    run: async (query) => db.run(told(query)),
  };
  return { ...queries, poolState: () => db.poolState() };
}

async function explain(query: Sql): Promise<string> {
  const rows = await context.db.rows(
    z.object({ "QUERY PLAN": z.unknown() }),
    sql`${raw("EXPLAIN (FORMAT JSON)")} ${query}`,
  );
  return JSON.stringify(rows, undefined, 1);
}

/** Has the product's queue make its tables, and nobody work on what is in them. */
async function makeQueueTables(): Promise<void> {
  const named = (name: string) => ({ name, retries: 0, atOnce: 1, schedules: [], work: () => Promise.resolve() });
  const queue = await startQueue({
    databaseUrl: context.url,
    timeZone: "UTC",
    logger: createLogger({ level: "silent" }),
    tasks: ["sync", "reconcile"].map(named),
  });
  await queue.stop();
}

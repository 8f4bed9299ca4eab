/** What runs and whether it can work, for Prometheus. */
import { Gauge, type Registry } from "prom-client";
import { z } from "zod";
import { sql, type Database, type Queries } from "../../db/database.ts";
import { ScrapeQuestions } from "./metrics-questions.ts";

const POOL_STATES = ["total", "idle", "waiting"] as const;

/** As patient as the readiness probe, which load balancers go by. */
const READY_PATIENCE_MS = 2_000;

export interface BuildFacts {
  readonly version: string;
  readonly appEnv: string;
  /** What the version was built from; empty where nobody says. */
  readonly commit?: string | undefined;
}

export function addBuildInfo(registers: Registry[], { version, appEnv, commit = "" }: BuildFacts): void {
  new Gauge({
    name: "hpc_build_info",
    help: "Always 1; its labels say what runs",
    labelNames: ["version", "node", "env", "commit"],
    registers,
  }).set({ version, node: process.version, env: appEnv, commit }, 1);
}

export function addPoolMetrics(registers: Registry[], db: Pick<Database, "poolState">, max: number | undefined): void {
  const pool: Gauge<"state"> = new Gauge({
    name: "hpc_db_pool",
    help: "Database connections open and idle, and callers waiting for one",
    labelNames: ["state"],
    registers,
    collect() {
      const state = db.poolState();
      for (const name of POOL_STATES) pool.set({ state: name }, state[name]);
    },
  });
  for (const state of POOL_STATES) pool.set({ state }, 0);
  if (max === undefined) return;
  new Gauge({ name: "hpc_db_pool_max", help: "Database connections that may be open at once", registers }).set(max);
}

/** The answer of `/readyz` as a series, so that whoever scrapes sees it too. */
export function addReadiness(registers: Registry[], db: Queries, isDraining: () => boolean): void {
  // Not among the other questions: those may be slow, and it must not wait behind them.
  const answers = new ScrapeQuestions({ patienceMs: READY_PATIENCE_MS }).about("database", () =>
    db.one(z.object({ one: z.int() }), sql`SELECT 1 AS one`),
  );
  const ready = new Gauge({
    name: "hpc_ready",
    help: "1 when requests can be served: the database answers, and the process is not about to end",
    registers,
    collect: async () => {
      let hasAnswered = false;
      await answers(() => {
        hasAnswered = true;
      });
      ready.set(hasAnswered && !isDraining() ? 1 : 0);
    },
  });
}

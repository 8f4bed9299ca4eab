import { raw, sql, type Queries, type Sql } from "../db/database.ts";

/** End states that count as failed or lost on the dashboard. */
export const FAILED_STATES = [
  "BOOT_FAIL",
  "DEADLINE",
  "FAILED",
  "LAUNCH_FAILED",
  "NODE_FAIL",
  "OUT_OF_MEMORY",
  "TIMEOUT",
] as const;

const FAILED = FAILED_STATES.map((state) => `'${state}'`).join(", ");

/** What one job (`j`) adds to its day, in the order of `SUMS`. */
const CONTRIBUTIONS = {
  jobs: "1",
  failed_jobs: `CASE WHEN j.state IN (${FAILED}) THEN 1 ELSE 0 END`,
  held_jobs: "CASE WHEN j.charge_kind = 'held' THEN 1 ELSE 0 END",
  cpu_seconds: "j.alloc_cpus * j.elapsed_seconds",
  gpu_seconds: "j.alloc_gpus * j.elapsed_seconds",
  mem_mib_seconds: "j.alloc_mem_mib * j.elapsed_seconds",
  node_seconds: "j.alloc_nodes * j.elapsed_seconds",
  billing_seconds: "j.alloc_billing * j.elapsed_seconds",
  energy_joules: "j.energy_joules",
  failed_cpu_seconds: `CASE WHEN j.state IN (${FAILED}) THEN j.alloc_cpus * j.elapsed_seconds ELSE 0 END`,
  failed_gpu_seconds: `CASE WHEN j.state IN (${FAILED}) THEN j.alloc_gpus * j.elapsed_seconds ELSE 0 END`,
  cpu_minor: "j.cpu_minor",
  gpu_minor: "j.gpu_minor",
  mem_minor: "j.mem_minor",
  unbilled_jobs: "CASE WHEN j.receipt_id IS NULL THEN 1 ELSE 0 END",
  unbilled_minor: "CASE WHEN j.receipt_id IS NULL THEN j.cpu_minor + j.gpu_minor + j.mem_minor ELSE 0 END",
} as const;

export type SumName = keyof typeof CONTRIBUTIONS;

/** The columns that are summed, in one order. */
export const SUMS: readonly SumName[] = [
  "jobs", "failed_jobs", "held_jobs", "cpu_seconds", "gpu_seconds", "mem_mib_seconds", "node_seconds", "billing_seconds",
  "energy_joules", "failed_cpu_seconds", "failed_gpu_seconds", "cpu_minor", "gpu_minor", "mem_minor", "unbilled_jobs",
  "unbilled_minor",
]; // prettier-ignore

const KEY = ["usage_day", "cluster", "user_name", "account", "partition", "tier"];

/**
 * Adds (sign 1) or takes away (sign -1) jobs to and from the daily rollup, in the caller's transaction.
 *
 * @param from a FROM item (with its own filter, if any) that yields rows of `jobs` under the alias `j`.
 */
export async function addToRollup(queries: Queries, from: Sql, sign: 1 | -1): Promise<void> {
  const sums = SUMS.map((name) => `sum(${sign === 1 ? "" : "-"}(${CONTRIBUTIONS[name]}))`);
  const key = raw(KEY.map((name) => `j.${name}`).join(", "));
  await upsertSums(
    queries,
    sql`SELECT ${key}, ${raw(sums.join(", "))} FROM ${from} WHERE j.phase = 'finished' GROUP BY ${key} ORDER BY ${key}`,
  );
}

/**
 * Adds rows of sums to the rollup.
 *
 * @param select yields day, cluster, user, account, partition, tier and then `SUMS`, each key once, in key order: rows
 * are locked in that order by everybody, so that two imports cannot deadlock on them.
 */
export async function upsertSums(queries: Queries, select: Sql): Promise<void> {
  const updates = SUMS.map((name) => `${name} = usage_daily.${name} + excluded.${name}`).join(", ");
  await queries.run(
    sql`INSERT INTO usage_daily (day, cluster, user_name, account, partition, tier, ${raw(SUMS.join(", "))})
        ${select}
        ON CONFLICT (day, cluster, user_name, account, partition, tier) DO UPDATE SET ${raw(updates)}`,
  );
}

/** Removes rows that changes have emptied, for the given days only. */
export async function dropEmptyRollupRows(queries: Queries, days: Sql): Promise<void> {
  await queries.run(sql`DELETE FROM usage_daily WHERE jobs = 0 AND day IN (${days})`);
}

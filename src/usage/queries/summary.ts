import { z } from "zod";
import { raw, sql, type Queries, type Sql } from "../../db/database.ts";

/** Which finished jobs are summed: days are local days of the site, both included; undefined means any. */
export interface UsageFilter {
  readonly fromDay?: string | undefined;
  readonly toDay?: string | undefined;
  readonly cluster?: string | undefined;
  readonly userName?: string | undefined;
  readonly account?: string | undefined;
  /** Only these accounts, each on its own cluster. */
  readonly accounts?: readonly ClusterAccount[] | undefined;
  readonly partition?: string | undefined;
  readonly tier?: string | undefined;
}

export interface ClusterAccount {
  readonly cluster: string;
  readonly account: string;
}

/** Sums over finished jobs; usage in base units, money in minor units. */
export interface UsageSums {
  readonly jobs: bigint;
  readonly failedJobs: bigint;
  readonly heldJobs: bigint;
  readonly cpuSeconds: bigint;
  readonly gpuSeconds: bigint;
  readonly memMibSeconds: bigint;
  readonly nodeSeconds: bigint;
  readonly failedCpuSeconds: bigint;
  readonly failedGpuSeconds: bigint;
  readonly cpuMinor: bigint;
  readonly gpuMinor: bigint;
  readonly memMinor: bigint;
  readonly costMinor: bigint;
  readonly unbilledJobs: bigint;
  readonly unbilledMinor: bigint;
}

const SUMMED = [
  "jobs", "failed_jobs", "held_jobs", "cpu_seconds", "gpu_seconds", "mem_mib_seconds", "node_seconds",
  "failed_cpu_seconds", "failed_gpu_seconds", "cpu_minor", "gpu_minor", "mem_minor", "unbilled_jobs", "unbilled_minor",
]; // prettier-ignore

/** The select list that `sumsSchema` reads. */
export const SUM_LIST = raw(SUMMED.map((name) => `coalesce(sum(${name}), 0)::text AS ${name}`).join(", "));

const integerText = z.string().transform((text) => BigInt(text));

const sumsShape = {
  jobs: integerText,
  failed_jobs: integerText,
  held_jobs: integerText,
  cpu_seconds: integerText,
  gpu_seconds: integerText,
  mem_mib_seconds: integerText,
  node_seconds: integerText,
  failed_cpu_seconds: integerText,
  failed_gpu_seconds: integerText,
  cpu_minor: integerText,
  gpu_minor: integerText,
  mem_minor: integerText,
  unbilled_jobs: integerText,
  unbilled_minor: integerText,
};

export const sumsSchema = z.object(sumsShape);

/** What a row of `SUM_LIST` says. */
export function sumsOf(row: z.output<typeof sumsSchema>): UsageSums {
  return {
    jobs: row.jobs,
    failedJobs: row.failed_jobs,
    heldJobs: row.held_jobs,
    cpuSeconds: row.cpu_seconds,
    gpuSeconds: row.gpu_seconds,
    memMibSeconds: row.mem_mib_seconds,
    nodeSeconds: row.node_seconds,
    failedCpuSeconds: row.failed_cpu_seconds,
    failedGpuSeconds: row.failed_gpu_seconds,
    cpuMinor: row.cpu_minor,
    gpuMinor: row.gpu_minor,
    memMinor: row.mem_minor,
    costMinor: row.cpu_minor + row.gpu_minor + row.mem_minor,
    unbilledJobs: row.unbilled_jobs,
    unbilledMinor: row.unbilled_minor,
  };
}

/** Conditions on `usage_daily`; only those that are given, so that the planner sees which index fits. */
export function usageConditions(filter: UsageFilter): Sql {
  let conditions = sql`true`;
  if (filter.fromDay !== undefined) conditions = sql`${conditions} AND day >= ${filter.fromDay}::date`;
  if (filter.toDay !== undefined) conditions = sql`${conditions} AND day <= ${filter.toDay}::date`;
  if (filter.cluster !== undefined) conditions = sql`${conditions} AND cluster = ${filter.cluster}`;
  if (filter.userName !== undefined) conditions = sql`${conditions} AND user_name = ${filter.userName}`;
  if (filter.account !== undefined) conditions = sql`${conditions} AND account = ${filter.account}`;
  if (filter.accounts !== undefined) conditions = sql`${conditions} AND ${isOneOf(filter.accounts)}`;
  if (filter.partition !== undefined) conditions = sql`${conditions} AND partition = ${filter.partition}`;
  if (filter.tier !== undefined) conditions = sql`${conditions} AND tier = ${filter.tier}`;
  return conditions;
}

/**
 * Condition on `cluster` and `account` of any table. The planner knows how long the arrays are: few accounts are looked up one by one, many are hashed.
 */
export function isOneOf(accounts: readonly ClusterAccount[]): Sql {
  return sql`(cluster, account) IN (
    SELECT * FROM unnest(${accounts.map(({ cluster }) => cluster)}::text[], ${accounts.map(({ account }) => account)}::text[]))`;
}

export async function usageTotals(queries: Queries, filter: UsageFilter): Promise<UsageSums> {
  return sumsOf(
    await queries.one(sumsSchema, sql`SELECT ${SUM_LIST} FROM usage_daily WHERE ${usageConditions(filter)}`),
  );
}

export const GROUPINGS = ["cluster", "user", "account", "partition", "tier", "month", "day"] as const;

export type Grouping = (typeof GROUPINGS)[number];

const GROUP_EXPRESSIONS: Readonly<Record<Grouping, string>> = {
  cluster: "cluster",
  user: "user_name",
  account: "account",
  partition: "partition",
  tier: "tier",
  month: "to_char(day, 'YYYY-MM')",
  day: "to_char(day, 'YYYY-MM-DD')",
};

export interface UsageGroup extends UsageSums {
  readonly key: string;
}

/** Sums by a key, ordered by the key; `after` continues behind a key. */
export async function usageBy(
  queries: Queries,
  filter: UsageFilter,
  grouping: Grouping,
  page: { readonly after?: string | undefined; readonly limit?: number | undefined } = {},
): Promise<UsageGroup[]> {
  const key = raw(`${GROUP_EXPRESSIONS[grouping]} COLLATE "C"`);
  const from = page.after === undefined ? sql`true` : sql`${key} > ${page.after}::text`;
  const limit = page.limit === undefined ? sql`ALL` : sql`${page.limit}`;
  const rows = await queries.rows(
    sumsSchema.extend({ key: z.string() }),
    sql`SELECT ${key} AS key, ${SUM_LIST} FROM usage_daily WHERE ${usageConditions(filter)} AND ${from}
        GROUP BY 1 ORDER BY 1 LIMIT ${limit}`,
  );
  return rows.map((row) => ({ key: row.key, ...sumsOf(row) }));
}

/** A place in a list that is ordered by cost, then key. */
export interface CostCursor {
  readonly costMinor: bigint;
  readonly key: string;
}

/**
 * The groups that cost most, dearest first (of equals by key); `after` continues behind a group, `before` gives those
 * just in front of one, in the same order.
 */
export async function dearestBy(
  queries: Queries,
  filter: UsageFilter,
  grouping: Grouping,
  page: { readonly limit: number; readonly after?: CostCursor | undefined; readonly before?: CostCursor | undefined },
): Promise<UsageGroup[]> {
  const key = raw(`${GROUP_EXPRESSIONS[grouping]} COLLATE "C"`);
  const cost = raw("sum(cpu_minor + gpu_minor + mem_minor)");
  const isBackwards = page.before !== undefined;
  const order = isBackwards ? sql`${cost}, 1 DESC` : sql`${cost} DESC, 1`;
  const rows = await queries.rows(
    sumsSchema.extend({ key: z.string() }),
    sql`SELECT ${key} AS key, ${SUM_LIST} FROM usage_daily WHERE ${usageConditions(filter)}
        GROUP BY 1 HAVING ${costPosition(key, cost, page)} ORDER BY ${order} LIMIT ${page.limit}`,
  );
  const groups = rows.map((row) => ({ key: row.key, ...sumsOf(row) }));
  return isBackwards ? groups.reverse() : groups;
}

function costPosition(
  key: Sql,
  cost: Sql,
  page: { readonly after?: CostCursor | undefined; readonly before?: CostCursor | undefined },
): Sql {
  const cursor = page.before ?? page.after;
  if (cursor === undefined) return sql`true`;
  const minor = sql`${cursor.costMinor}::numeric`;
  return page.before === undefined
    ? sql`(${cost} < ${minor} OR (${cost} = ${minor} AND ${key} > ${cursor.key}::text))`
    : sql`(${cost} > ${minor} OR (${cost} = ${minor} AND ${key} < ${cursor.key}::text))`;
}

/** Into how many groups the usage of a filter falls. */
export async function countGroups(queries: Queries, filter: UsageFilter, grouping: Grouping): Promise<number> {
  const row = await queries.one(
    z.object({ groups: z.bigint() }),
    sql`SELECT count(DISTINCT ${raw(GROUP_EXPRESSIONS[grouping])}) AS groups FROM usage_daily WHERE ${usageConditions(filter)}`,
  );
  return Number(row.groups);
}

/** The groups that lost most to failed jobs: by GPU time first, then by CPU time; only those that lost anything. */
export async function mostLostBy(
  queries: Queries,
  filter: UsageFilter,
  grouping: Grouping,
  limit: number,
): Promise<UsageGroup[]> {
  const key = raw(`${GROUP_EXPRESSIONS[grouping]} COLLATE "C"`);
  const rows = await queries.rows(
    sumsSchema.extend({ key: z.string() }),
    sql`SELECT ${key} AS key, ${SUM_LIST} FROM usage_daily WHERE ${usageConditions(filter)}
        GROUP BY 1 HAVING sum(failed_jobs) > 0 ORDER BY sum(failed_gpu_seconds) DESC, sum(failed_cpu_seconds) DESC, 1 LIMIT ${limit}`,
  );
  return rows.map((row) => ({ key: row.key, ...sumsOf(row) }));
}

/** First and last day on which finished jobs count, null when there are none. */
export async function usageDayRange(
  queries: Queries,
  filter: UsageFilter,
): Promise<{ first: string; last: string } | null> {
  const row = await queries.one(
    z.object({ first: z.string().nullable(), last: z.string().nullable() }),
    sql`SELECT min(day) AS first, max(day) AS last FROM usage_daily WHERE ${usageConditions(filter)}`,
  );
  return row.first === null || row.last === null ? null : { first: row.first, last: row.last };
}

/**
 * How fresh usage is: the instant up to which every cluster that is synced is complete; without such clusters, when the
 * newest import ended. Null before the first. A cluster nobody has tried to read for a month beside others is gone.
 */
export async function usageAsOf(queries: Queries): Promise<Date | null> {
  const { at } = await queries.one(
    z.object({ at: z.date().nullable() }),
    sql`SELECT coalesce(
          (SELECT min(complete_until) FROM sync_clusters
           WHERE greatest(last_success_at, last_error_at)
                   > (SELECT max(greatest(last_success_at, last_error_at)) FROM sync_clusters) - interval '30 days'),
          (SELECT finished_at FROM import_runs WHERE status = 'done' ORDER BY id DESC LIMIT 1)) AS at`,
  );
  return at;
}

/** Distinct values for filter menus, from the rollup of the window. */
export async function usageValues(
  queries: Queries,
  filter: UsageFilter,
  grouping: "cluster" | "account" | "partition",
): Promise<string[]> {
  const rows = await queries.rows(
    z.object({ value: z.string() }),
    sql`SELECT DISTINCT ${raw(grouping)} AS value FROM usage_daily WHERE ${usageConditions(filter)} ORDER BY 1 LIMIT 500`,
  );
  return rows.map((row) => row.value);
}

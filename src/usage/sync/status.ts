import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import type { ChosenSource } from "./runs.ts";

const chosenSource = z.enum(["slurmrestd", "sacct", "file"]);
const limits = z.array(z.enum(["hides_requeued_runs", "no_exit_codes", "is_no_operator"]));
const count = z.bigint().transform(Number);

/** How one source of a cluster answered when it was last asked. */
export interface SourceStatus {
  readonly source: ChosenSource;
  readonly address: string;
  /** Null: it was never asked. */
  readonly ok: boolean | null;
  readonly checkedAt: Date | null;
  readonly version: string;
  readonly limits: z.output<typeof limits>;
  readonly error: string | null;
}

/** Where a cluster stands. */
export interface ClusterStatus {
  readonly cluster: string;
  /** Everything that ended before is in, as far as the scheduler knew; null: nothing was read from a live source yet. */
  readonly completeUntil: Date | null;
  readonly source: ChosenSource | null;
  readonly lastSuccessAt: Date | null;
  readonly lastError: string | null;
  readonly lastErrorAt: Date | null;
  readonly failures: number;
  readonly vanishedJobs: number;
  readonly accountsSyncedAt: Date | null;
  readonly accountsError: string | null;
  readonly isSyncing: boolean;
  readonly isCanceling: boolean;
  /** Rows of the last days that could not be read. */
  readonly rejects: number;
  readonly sources: readonly SourceStatus[];
}

const clusterSchema = z.object({
  cluster: z.string(),
  complete_until: z.date().nullable(),
  source: chosenSource.nullable(),
  last_success_at: z.date().nullable(),
  last_error: z.string().nullable(),
  last_error_at: z.date().nullable(),
  failures: z.number(),
  vanished_jobs: count,
  accounts_synced_at: z.date().nullable(),
  accounts_error: z.string().nullable(),
  is_syncing: z.boolean(),
  cancel_requested: z.boolean(),
  rejects: count,
});

const sourceSchema = z.object({
  cluster: z.string(),
  source: chosenSource,
  address: z.string(),
  ok: z.boolean().nullable(),
  checked_at: z.date().nullable(),
  version: z.string(),
  limits,
  error: z.string().nullable(),
});

/** The clusters that are synced, by name. One that nobody has tried to read for a month beside others is left out. */
export async function clusterStatuses(queries: Queries): Promise<ClusterStatus[]> {
  const clusters = await queries.rows(
    clusterSchema,
    sql`SELECT c.cluster, c.complete_until, c.source, c.last_success_at, c.last_error, c.last_error_at, c.failures,
               c.vanished_jobs, c.accounts_synced_at, c.accounts_error, c.cancel_requested,
               coalesce(c.lease_until > clock_timestamp(), false) AS is_syncing,
               (SELECT count(*) FROM sync_rejects r WHERE r.cluster = c.cluster) AS rejects
        FROM sync_clusters c
        WHERE greatest(c.last_success_at, c.last_error_at) IS NULL
           OR greatest(c.last_success_at, c.last_error_at)
                > (SELECT max(greatest(last_success_at, last_error_at)) FROM sync_clusters) - interval '30 days'
        ORDER BY c.cluster`,
  );
  const sources = await queries.rows(
    sourceSchema,
    sql`SELECT cluster, source, address, ok, checked_at, version, limits, error FROM sync_sources
        ORDER BY cluster, position`,
  );
  return clusters.map((row) => ({
    cluster: row.cluster,
    completeUntil: row.complete_until,
    source: row.source,
    lastSuccessAt: row.last_success_at,
    lastError: row.last_error,
    lastErrorAt: row.last_error_at,
    failures: row.failures,
    vanishedJobs: row.vanished_jobs,
    accountsSyncedAt: row.accounts_synced_at,
    accountsError: row.accounts_error,
    isSyncing: row.is_syncing,
    isCanceling: row.is_syncing && row.cancel_requested,
    rejects: row.rejects,
    sources: sources
      .filter(({ cluster }) => cluster === row.cluster)
      .map(({ cluster: _cluster, checked_at: checkedAt, ...source }) => ({ ...source, checkedAt })),
  }));
}

/** Seconds since everything of the cluster is in; null while nothing was read from a live source. */
export function lagSeconds({ completeUntil }: ClusterStatus, now: Date): number | null {
  return completeUntil === null ? null : Math.max(0, Math.round((now.getTime() - completeUntil.getTime()) / 1000));
}

const runSchema = z
  .object({
    id: z.bigint(),
    cluster: z.string(),
    requested_by: z.string(),
    started_at: z.date(),
    finished_at: z.date().nullable(),
    status: z.enum(["running", "done", "failed", "canceled"]),
    source: chosenSource.nullable(),
    error: z.string().nullable(),
    from_at: z.date().nullable(),
    to_at: z.date().nullable(),
    windows_total: z.number(),
    windows_done: z.number(),
    rows: count,
    new: count,
    changed: count,
    unchanged: count,
    running: count,
    rejected: count,
  })
  .transform((row) => ({
    id: row.id,
    cluster: row.cluster,
    requestedBy: row.requested_by,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    status: row.status,
    source: row.source,
    error: row.error,
    fromAt: row.from_at,
    /** Null: up to the moment at which it was asked. */
    toAt: row.to_at,
    windowsTotal: row.windows_total,
    windowsDone: row.windows_done,
    rows: row.rows,
    new: row.new,
    changed: row.changed,
    unchanged: row.unchanged,
    running: row.running,
    rejected: row.rejected,
  }));

/** One sync of a cluster, as far as it has come. */
export type SyncRun = z.output<typeof runSchema>;

/** The newest syncs of a cluster. */
export function syncRuns(queries: Queries, cluster: string, limit: number): Promise<SyncRun[]> {
  return queries.rows(
    runSchema,
    sql`SELECT id, cluster, requested_by, started_at, finished_at, status, source, error, from_at, to_at, windows_total,
               windows_done, rows, new, changed, unchanged, running, rejected
        FROM sync_runs WHERE cluster = ${cluster} ORDER BY id DESC LIMIT ${limit}`,
  );
}

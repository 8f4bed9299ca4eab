/** Reads what reconciliations found. */
import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import { BREAK_KINDS } from "./breaks.ts";
import { TRES_NAMES } from "./held-seconds.ts";

/** A run that says nothing for so long has died with its process. */
export const DEAD_AFTER_MINUTES = 30;

const big = z.string().transform((text) => BigInt(text));

const runSchema = z
  .object({
    id: z.bigint(),
    from_day: z.string(),
    to_day: z.string(),
    requested_by: z.string(),
    started_at: z.date(),
    finished_at: z.date().nullable(),
    status: z.enum(["running", "balanced", "broken", "failed"]),
    error: z.string().nullable(),
    days_total: z.number(),
    days_done: z.number(),
    breaks: z.bigint(),
    reconciled_until: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    fromDay: row.from_day,
    toDay: row.to_day,
    requestedBy: row.requested_by,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    status: row.status,
    error: row.error,
    /** Days to compare, each once for every cluster, and how many of them are done. */
    daysTotal: row.days_total,
    daysDone: row.days_done,
    breaks: row.breaks,
    reconciledUntil: row.reconciled_until,
  }));

export type ReconcileRun = z.output<typeof runSchema>;

const RUN_COLUMNS = sql`id, from_day, to_day, requested_by, started_at, finished_at, status, error, days_total, days_done, breaks,
  reconciled_until`;

/** The last reconciliation that came to an end, whatever the end. */
export function lastReconcile(queries: Queries): Promise<ReconcileRun | undefined> {
  return queries.maybeOne(
    runSchema,
    sql`SELECT ${RUN_COLUMNS} FROM reconcile_runs WHERE status <> 'running' ORDER BY id DESC LIMIT 1`,
  );
}

/** The reconciliation that is under way, if its process shows signs of life. */
export function runningReconcile(queries: Queries): Promise<ReconcileRun | undefined> {
  return queries.maybeOne(
    runSchema,
    sql`SELECT ${RUN_COLUMNS} FROM reconcile_runs
        WHERE status = 'running' AND touched_at > clock_timestamp() - make_interval(mins => ${DEAD_AFTER_MINUTES})
        ORDER BY id DESC LIMIT 1`,
  );
}

export function findReconcile(queries: Queries, id: bigint): Promise<ReconcileRun | undefined> {
  return queries.maybeOne(runSchema, sql`SELECT ${RUN_COLUMNS} FROM reconcile_runs WHERE id = ${id}`);
}

/**
 * The last day up to which everything balanced: the day before the first one whose newest comparison found a break, else
 * the last day that was compared. Of several clusters the one that is least far; only clusters of the newest run that
 * compared anything count, so that one that is gone holds nothing up. Null before anything was compared.
 */
export async function reconciledUntil(queries: Queries, cluster?: string): Promise<string | null> {
  const { day } = await queries.one(
    z.object({ day: z.string().nullable() }),
    sql`WITH newest AS (
          SELECT DISTINCT ON (cluster, day) cluster, day, d.breaks + r.undated_breaks AS breaks
          FROM reconcile_days d JOIN reconcile_runs r ON r.id = d.run_id AND r.status IN ('balanced', 'broken')
          WHERE is_over AND (${cluster ?? null}::text IS NULL OR cluster = ${cluster ?? null}::text)
          ORDER BY cluster, day, run_id DESC
        )
        SELECT min(until) AS day
        FROM (
          SELECT cluster, coalesce(min(day) FILTER (WHERE breaks > 0) - 1, max(day)) AS until FROM newest GROUP BY cluster
        ) clusters
        WHERE ${cluster ?? null}::text IS NOT NULL
           OR cluster IN (SELECT cluster FROM reconcile_days
                          WHERE run_id = (SELECT max(id) FROM reconcile_runs WHERE status IN ('balanced', 'broken')))`,
  );
  return day;
}

const sumsSchema = z
  .object({
    jobs: big,
    cpu_seconds: big,
    gpu_seconds: big,
    mem_mib_seconds: big,
    node_seconds: big,
    billing_seconds: big,
  })
  .transform((row) => ({
    jobs: row.jobs,
    cpuSeconds: row.cpu_seconds,
    gpuSeconds: row.gpu_seconds,
    memMibSeconds: row.mem_mib_seconds,
    nodeSeconds: row.node_seconds,
    billingSeconds: row.billing_seconds,
  }));

const daySchema = z
  .object({
    cluster: z.string(),
    day: z.string(),
    is_over: z.boolean(),
    ours: sumsSchema,
    theirs: sumsSchema,
    breaks: z.bigint(),
  })
  .transform(({ is_over, ...row }) => ({ ...row, isOver: is_over }));

export type ReconciledDay = z.output<typeof daySchema>;

/** Days of a run, the newest first; a run has few enough of them to show. */
export function reconciledDays(queries: Queries, runId: bigint): Promise<ReconciledDay[]> {
  return queries.rows(
    daySchema,
    sql`SELECT cluster, day, is_over, ours, theirs, breaks FROM reconcile_days WHERE run_id = ${runId}
        ORDER BY day DESC, cluster`,
  );
}

const totalsSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("absent") }),
  z.object({ kind: z.literal("too_early") }),
  z.object({ kind: z.literal("failed"), reason: z.string() }),
  z.object({
    kind: z.literal("compared"),
    from: z.number(),
    to: z.number(),
    tres: z.array(
      z.object({
        name: z.enum(TRES_NAMES),
        endedAll: big,
        outside: big,
        endedLater: big,
        low: big,
        high: big,
        theirs: big,
      }),
    ),
    untracked: z.array(z.enum(TRES_NAMES)),
  }),
]);

const clusterSchema = z
  .object({ cluster: z.string(), source: z.string(), hidden_runs: z.bigint(), totals: totalsSchema })
  .transform(({ hidden_runs, ...row }) => ({ ...row, hiddenRuns: Number(hidden_runs) }));

export type ReconciledCluster = z.output<typeof clusterSchema>;

export function reconciledClusters(queries: Queries, runId: bigint): Promise<ReconciledCluster[]> {
  return queries.rows(
    clusterSchema,
    sql`SELECT cluster, source, hidden_runs, totals FROM reconcile_clusters WHERE run_id = ${runId} ORDER BY cluster`,
  );
}

const breakSchema = z
  .object({
    position: z.number(),
    kind: z.enum(BREAK_KINDS),
    cluster: z.string().nullable(),
    day: z.string().nullable(),
    raw_job_id: z.string().nullable(),
    submit_at: z.date().nullable(),
    job_id: z.string().nullable(),
    user_name: z.string().nullable(),
    account: z.string().nullable(),
    receipt_id: z.bigint().nullable(),
    receipt_number: z.string().nullable(),
    what: z.string(),
    ours: z.string(),
    theirs: z.string(),
  })
  .transform((row) => ({
    position: row.position,
    kind: row.kind,
    cluster: row.cluster,
    day: row.day,
    rawJobId: row.raw_job_id,
    submitAt: row.submit_at,
    jobId: row.job_id,
    userName: row.user_name,
    account: row.account,
    receiptId: row.receipt_id,
    receiptNumber: row.receipt_number,
    what: row.what,
    ours: row.ours,
    theirs: row.theirs,
  }));

export type FoundBreak = z.output<typeof breakSchema>;

/** Breaks of a run in the order they were found, behind a position. */
export function reconcileBreaks(
  queries: Queries,
  runId: bigint,
  page: { readonly limit: number; readonly after?: number },
): Promise<FoundBreak[]> {
  return queries.rows(
    breakSchema,
    sql`SELECT position, kind, cluster, day, raw_job_id, submit_at, job_id, user_name, account, receipt_id, receipt_number, what,
               ours, theirs
        FROM reconcile_breaks WHERE run_id = ${runId} AND position > ${page.after ?? 0}
        ORDER BY position LIMIT ${page.limit}`,
  );
}

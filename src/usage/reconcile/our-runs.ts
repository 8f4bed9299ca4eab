/** Reads what we hold of a cluster: by day in pages, or by key. */
import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import { parseGpuTypes } from "../import/copy-line.ts";
import type { RunRecord } from "./run-record.ts";

const count = z.bigint().transform(Number);
const epoch = z.bigint().transform(Number);

const runSchema = z
  .object({
    raw_job_id: z.string(),
    job_id: z.string(),
    submit_at: epoch,
    key_is_weak: z.boolean(),
    phase: z.enum(["finished", "active", "unknown"]),
    state: z.string(),
    user_name: z.string(),
    account: z.string(),
    start_at: epoch.nullable(),
    end_at: epoch.nullable(),
    elapsed_seconds: count,
    alloc_cpus: count,
    alloc_gpus: count,
    gpu_types: z.string(),
    alloc_mem_mib: count,
    alloc_nodes: count,
    alloc_billing: count,
  })
  .transform((row): RunRecord => ({
    rawJobId: row.raw_job_id,
    jobId: row.job_id,
    submitAt: row.submit_at,
    keyIsWeak: row.key_is_weak,
    phase: row.phase,
    state: row.state,
    user: row.user_name,
    account: row.account,
    startAt: row.start_at,
    endAt: row.end_at,
    elapsedSeconds: row.elapsed_seconds,
    allocCpus: row.alloc_cpus,
    allocGpus: row.alloc_gpus,
    gpuTypes: parseGpuTypes(row.gpu_types),
    allocMemMib: row.alloc_mem_mib,
    allocNodes: row.alloc_nodes,
    allocBilling: row.alloc_billing,
  }));

const COLUMNS = sql`j.raw_job_id, j.job_id, extract(epoch FROM j.submit_at)::bigint AS submit_at, j.key_is_weak, j.phase, j.state,
  j.user_name, j.account, extract(epoch FROM j.start_at)::bigint AS start_at, extract(epoch FROM j.end_at)::bigint AS end_at,
  j.elapsed_seconds, j.alloc_cpus, j.alloc_gpus, j.gpu_types, j.alloc_mem_mib, j.alloc_nodes, j.alloc_billing`;

const PAGE_RUNS = 10_000;

/** Seconds since 1970 UTC, the end not included. */
export interface EndWindow {
  readonly from: number;
  readonly to: number;
}

/** Runs of a cluster that ended in the window, in pages, by end. */
export async function* ourRunsEndedIn(
  queries: Queries,
  cluster: string,
  window: EndWindow,
): AsyncGenerator<readonly RunRecord[]> {
  for (let last: RunRecord | undefined; ;) {
    const behind =
      last === undefined
        ? sql`true`
        : sql`(j.end_at, j.raw_job_id, j.submit_at) > (to_timestamp(${last.endAt}::bigint), ${last.rawJobId}::text,
               to_timestamp(${last.submitAt}::bigint))`;
    const page: RunRecord[] = await queries.rows(
      runSchema,
      sql`SELECT ${COLUMNS} FROM jobs j
          WHERE j.cluster = ${cluster} AND j.phase <> 'active' AND j.end_at >= to_timestamp(${last?.endAt ?? window.from}::bigint)
            AND j.end_at < to_timestamp(${window.to}::bigint) AND ${behind}
          ORDER BY j.end_at, j.raw_job_id, j.submit_at LIMIT ${PAGE_RUNS}`,
    );
    if (page.length > 0) yield page;
    last = page.at(-1);
    if (page.length < PAGE_RUNS) return;
  }
}

/** Runs by their keys, whatever became of them; those we do not hold are left out. */
export function ourRunsByKey(
  queries: Queries,
  cluster: string,
  keys: readonly Pick<RunRecord, "rawJobId" | "submitAt">[],
): Promise<RunRecord[]> {
  if (keys.length === 0) return Promise.resolve([]);
  return queries.rows(
    runSchema,
    sql`SELECT ${COLUMNS}
        FROM unnest(${keys.map((key) => key.rawJobId)}::text[], ${keys.map((key) => key.submitAt)}::bigint[])
          AS k (raw_job_id, submit_epoch)
        JOIN jobs j ON j.cluster = ${cluster} AND j.raw_job_id = k.raw_job_id AND j.submit_at = to_timestamp(k.submit_epoch)`,
  );
}

/** Runs stored under a weak key, by displayed id and start. */
export function ourWeakRuns(
  queries: Queries,
  cluster: string,
  runs: readonly Pick<RunRecord, "jobId" | "startAt" | "submitAt">[],
): Promise<RunRecord[]> {
  if (runs.length === 0) return Promise.resolve([]);
  return queries.rows(
    runSchema,
    sql`SELECT ${COLUMNS}
        FROM unnest(${runs.map((run) => run.jobId)}::text[], ${runs.map((run) => run.startAt)}::bigint[],
                    ${runs.map((run) => run.submitAt)}::bigint[]) AS k (job_id, start_epoch, submit_epoch)
        JOIN jobs j ON j.key_is_weak AND j.cluster = ${cluster} AND j.job_id = k.job_id
          AND (j.start_at = to_timestamp(k.start_epoch)
               OR (j.start_at IS NULL AND k.start_epoch IS NULL AND j.submit_at = to_timestamp(k.submit_epoch)))`,
  );
}

/** Whether some of a cluster's jobs were stored without their raw id or submit time. */
export async function hasWeakKeys(queries: Queries, cluster: string): Promise<boolean> {
  const row = await queries.maybeOne(
    z.object({ has_weak_keys: z.boolean() }),
    sql`SELECT has_weak_keys FROM clusters WHERE name = ${cluster}`,
  );
  return row?.has_weak_keys ?? false;
}

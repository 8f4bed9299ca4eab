import { z } from "zod";
import { sql, type Database } from "../../db/database.ts";
import type { SourceLimit, TimeWindow } from "../../slurm/source.ts";
import type { ImportTotals } from "../import/import.ts";

/** What was read in the end: a live source, or files. */
export type ChosenSource = "slurmrestd" | "sacct" | "file";

/** How far a run has come. */
export interface RunProgress {
  readonly source: ChosenSource;
  readonly windowsTotal: number;
  readonly windowsDone: number;
  readonly totals: ImportTotals;
}

/** Writes the state of a run that is under way, for the page and the command line of other processes. */
export async function saveProgress(db: Database, runId: bigint, { totals, ...progress }: RunProgress): Promise<void> {
  await db.run(
    sql`UPDATE sync_runs SET source = ${progress.source}, windows_total = ${progress.windowsTotal},
          windows_done = ${progress.windowsDone}, rows = ${totals.rows}, new = ${totals.new}, changed = ${totals.changed},
          unchanged = ${totals.unchanged}, running = ${totals.running}, rejected = ${totals.rejected}
        WHERE id = ${runId}`,
  );
}

export async function saveRange(db: Database, runId: bigint, windows: readonly TimeWindow[]): Promise<void> {
  const from = windows[0]?.from ?? null;
  const to = windows.at(-1)?.to ?? null;
  await db.run(
    sql`UPDATE sync_runs SET from_at = to_timestamp(${from}::bigint), to_at = to_timestamp(${to}::bigint),
          windows_total = ${windows.length} WHERE id = ${runId}`,
  );
}

/** What is known of a source after it was asked; limits and version of one that failed stay as they were. */
export interface SourceState {
  readonly cluster: string;
  readonly source: ChosenSource;
  readonly position: number;
  readonly address: string;
  readonly answer:
    | { readonly ok: true; readonly version: string; readonly limits: readonly SourceLimit[] }
    | { readonly ok: false; readonly error: string };
}

export async function saveSourceState(db: Database, state: SourceState, now: Date): Promise<void> {
  const { answer } = state;
  const version = answer.ok ? answer.version : "";
  const limits = answer.ok ? JSON.stringify(answer.limits) : "[]";
  const error = answer.ok ? null : answer.error;
  await db.run(
    sql`INSERT INTO sync_sources (cluster, source, position, address, ok, checked_at, version, limits, error)
        VALUES (${state.cluster}, ${state.source}, ${state.position}, ${state.address}, ${answer.ok}, ${now}, ${version},
                ${limits}::jsonb, ${error})
        ON CONFLICT (cluster, source) DO UPDATE
          SET position = excluded.position, address = excluded.address, ok = excluded.ok, checked_at = excluded.checked_at,
              error = excluded.error,
              version = CASE WHEN excluded.ok THEN excluded.version ELSE sync_sources.version END,
              limits = CASE WHEN excluded.ok THEN excluded.limits ELSE sync_sources.limits END`,
  );
}

/** Sources that the configuration no longer names are forgotten, so that nobody looks after them. */
export async function keepSourcesOnly(db: Database, cluster: string, sources: readonly ChosenSource[]): Promise<void> {
  await db.run(sql`DELETE FROM sync_sources WHERE cluster = ${cluster} AND source <> ALL(${[...sources]}::text[])`);
}

const clusterSchema = z.object({
  complete_until: z.date().nullable(),
  accounts_synced_at: z.date().nullable(),
});

export function clusterState(
  db: Database,
  cluster: string,
): Promise<{ complete_until: Date | null; accounts_synced_at: Date | null }> {
  return db.one(
    clusterSchema,
    sql`SELECT complete_until, accounts_synced_at FROM sync_clusters WHERE cluster = ${cluster}`,
  );
}

/**
 * Moves the instant up to which a cluster is complete, only by the run that holds the lease; and never back, except from
 * an instant after `now`, which a clock that ran ahead has left.
 * @param run.at seconds since 1970 UTC.
 */
export async function moveCompleteUntil(
  db: Database,
  cluster: string,
  run: { readonly id: bigint; readonly at: number; readonly now: Date },
): Promise<void> {
  await db.run(
    sql`UPDATE sync_clusters
        SET complete_until = CASE WHEN complete_until > ${run.now} THEN to_timestamp(${run.at}::bigint)
                                  ELSE greatest(complete_until, to_timestamp(${run.at}::bigint)) END
        WHERE cluster = ${cluster} AND lease_run = ${run.id}`,
  );
}

export type RunEnd =
  /** `trouble`: what did not work although usage came in, such as a source that had to be passed over. */
  | {
      readonly status: "done";
      readonly source: ChosenSource;
      readonly trouble: string | null;
      readonly vanished: number;
    }
  | { readonly status: "failed" | "canceled"; readonly error: string };

/** Closes a run and says on its cluster how it went. */
export async function closeRun(db: Database, cluster: string, runId: bigint, end: RunEnd, now: Date): Promise<void> {
  const error = end.status === "done" ? end.trouble : end.error;
  await db.transaction(async (tx) => {
    await tx.run(
      sql`UPDATE sync_runs SET status = ${end.status}, finished_at = ${now}, error = ${error} WHERE id = ${runId}`,
    );
    if (end.status === "done") {
      await tx.run(
        sql`UPDATE sync_clusters SET source = ${end.source}, last_success_at = ${now}, failures = 0,
              vanished_jobs = ${end.vanished}, last_error = ${error},
              last_error_at = CASE WHEN ${error}::text IS NULL THEN NULL ELSE ${now}::timestamptz END
            WHERE cluster = ${cluster}`,
      );
    } else if (end.status === "failed") {
      await tx.run(
        sql`UPDATE sync_clusters SET failures = failures + 1, last_error = ${error}, last_error_at = ${now}
            WHERE cluster = ${cluster}`,
      );
    }
  });
}

/** Keeps when the account tree was last read, or why it could not be. */
export async function saveAccountsState(
  db: Database,
  cluster: string,
  state: { readonly at: Date } | { readonly error: string },
): Promise<void> {
  await db.run(
    "at" in state
      ? sql`UPDATE sync_clusters SET accounts_synced_at = ${state.at}, accounts_error = NULL WHERE cluster = ${cluster}`
      : sql`UPDATE sync_clusters SET accounts_error = ${state.error} WHERE cluster = ${cluster}`,
  );
}

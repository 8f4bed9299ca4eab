import { z } from "zod";
import { sql } from "../../db/database.ts";
import { messageOf, UserError } from "../../errors.ts";
import type { JobRecord, RejectedRow } from "../../slurm/job-record.ts";
import { KnownPrices } from "../prices/known-prices.ts";
import { importBatch, type BatchOutcome } from "./batch.ts";
import { jobKey, type ImportContext } from "./context.ts";

/** What a reader of accounting hands over at a time. */
export interface RecordBatch {
  readonly records: readonly JobRecord[];
  readonly rejects: readonly RejectedRow[];
  readonly rowsRead: number;
  readonly bytesRead: number;
}

/** Totals of one import, and how far it has come. */
export interface ImportTotals extends BatchOutcome {
  readonly rows: number;
  readonly rejected: number;
}

export const NOTHING_IMPORTED: ImportTotals = { rows: 0, new: 0, changed: 0, unchanged: 0, running: 0, rejected: 0 };

export function addTotals(a: ImportTotals, b: ImportTotals): ImportTotals {
  return {
    rows: a.rows + b.rows,
    new: a.new + b.new,
    changed: a.changed + b.changed,
    unchanged: a.unchanged + b.unchanged,
    running: a.running + b.running,
    rejected: a.rejected + b.rejected,
  };
}

export interface ImportOptions {
  /** What the records come from, for people: a file name, `standard input`. */
  readonly source: string;
  /** Who imports, for the audit trail. */
  readonly actor: string;
  /** The sync this import is part of. */
  readonly syncRunId?: bigint | undefined;
  /** Gets every row that could not be read, in order. */
  readonly onRejects: (rows: readonly RejectedRow[]) => Promise<void> | void;
  readonly onProgress: (totals: ImportTotals, bytesRead: number) => void;
}

/**
 * Imports everything a reader yields. Batches are committed one after the other, in order; an error keeps what was
 * committed before it and is thrown on, so that importing again completes the work.
 */
export async function importRecords(
  context: ImportContext,
  batches: AsyncIterable<RecordBatch>,
  options: ImportOptions,
): Promise<ImportTotals> {
  const { id } = await context.db.one(
    z.object({ id: z.bigint() }),
    sql`INSERT INTO import_runs (source, started_at, started_by, status, sync_run_id)
        VALUES (${options.source}, ${context.clock.now()}, ${options.actor}, 'running', ${options.syncRunId ?? null})
        RETURNING id`,
  );
  let totals = NOTHING_IMPORTED;
  const prices = new KnownPrices(context.currency);
  let expectsNewJobs = true;
  const write = async (batch: RecordBatch, turn: Promise<unknown>): Promise<void> => {
    const { jobs, repeated } = withoutRepeats(batch.records);
    const counts = { rows: batch.rowsRead, rejected: batch.rejects.length };
    const outcome = await importBatch(context, jobs, {
      id,
      actor: options.actor,
      ...counts,
      repeated,
      turn,
      prices,
      expectsNewJobs,
    });
    expectsNewJobs = outcome.changed === 0 && outcome.unchanged === 0;
    if (batch.rejects.length > 0) await options.onRejects(batch.rejects);
    totals = addTotals(totals, { ...outcome, ...counts });
    options.onProgress(totals, batch.bytesRead);
  };
  // One batch is written, the next is staged, the one after that is read: the database and we both stay busy.
  let writing: Promise<void> = Promise.resolve();
  let staging: Promise<void> = Promise.resolve();
  try {
    for await (const batch of batches) {
      await writing;
      writing = staging;
      staging = write(batch, writing);
      // Looked at by a later `await`; until then it must not count as unhandled.
      staging.catch(() => undefined);
    }
    await staging;
    await finishRun(context, id, null);
    return totals;
  } catch (error) {
    await staging.catch(() => undefined);
    await finishRun(context, id, messageOf(error)).catch(() => undefined);
    if (error instanceof UserError && totals.rows > 0) {
      throw new UserError(
        `${error.message} (${totals.rows} rows before it were imported: ${totals.new} new jobs; importing again completes the rest)`,
        { cause: error },
      );
    }
    throw error;
  }
}

async function finishRun(context: ImportContext, id: bigint, error: string | null): Promise<void> {
  await context.db.run(
    sql`UPDATE import_runs SET finished_at = ${context.clock.now()}, error = ${error},
          status = ${error === null ? "done" : "failed"}
        WHERE id = ${id}`,
  );
}

/** Keeps the last record of each job key, as if they had been imported one after the other. */
function withoutRepeats(records: readonly JobRecord[]): { jobs: Map<string, JobRecord>; repeated: BatchOutcome } {
  const jobs = new Map<string, JobRecord>();
  let changed = 0;
  let unchanged = 0;
  for (const job of records) {
    const key = jobKey(job);
    const known = jobs.get(key);
    if (known === undefined) {
      jobs.set(key, job);
    } else if (sameRecord(known, job) || (known.phase === "finished" && job.phase !== "finished")) {
      unchanged++;
    } else {
      jobs.set(key, job);
      changed++;
    }
  }
  return { jobs, repeated: { new: 0, changed, unchanged, running: 0 } };
}

function sameRecord(a: JobRecord, b: JobRecord): boolean {
  return comparable(a) === comparable(b);
}

function comparable(job: JobRecord): string {
  return JSON.stringify(job, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

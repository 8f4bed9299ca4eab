import { z } from "zod";
import { sql, violates, type Transaction } from "../../db/database.ts";
import type { JobRecord } from "../../slurm/job-record.ts";
import type { KnownPrices } from "../prices/known-prices.ts";
import type { ImportContext } from "./context.ts";
import { mergeJobs } from "./merge.ts";
import { ensureClusters, ensureUsers } from "./people.ts";
import { PricedBatch, type Outcome } from "./priced-batch.ts";

/** What became of the jobs of a batch; every job is counted once. */
export interface BatchOutcome {
  readonly new: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Unfinished jobs, stored or refreshed. */
  readonly running: number;
}

/** Jobs in one transaction: enough to make COPY worth it, few enough that the locks are short and memory stays small. */
export const JOBS_PER_BATCH = 8_000;

/** The import a batch is part of, and what the reader said about the batch. */
export interface ImportRun {
  readonly id: bigint;
  readonly actor: string;
  readonly rows: number;
  readonly rejected: number;
  /** Records of the batch that another record of it replaced. */
  readonly repeated: BatchOutcome;
  /** Settles when the batch before is committed: batches are sent side by side, but committed one after the other. */
  readonly turn: Promise<unknown>;
  /** The price book as this import has read it. */
  readonly prices: KnownPrices;
  /** True while no job of this import was known before: then a batch is tried without staging it first. */
  readonly expectsNewJobs: boolean;
}

/**
 * Writes a batch of jobs with their prices and the daily rollup in one transaction: all of it or nothing.
 * The batch must hold each job key once. Importing the same records again changes nothing.
 */
export async function importBatch(
  context: ImportContext,
  jobs: ReadonlyMap<string, JobRecord>,
  run: ImportRun,
): Promise<BatchOutcome> {
  return context.db.transaction(async (tx) => {
    const outcome = jobs.size === 0 ? await nothing(run) : await writeJobs(context, tx, jobs, run);
    const total = {
      new: outcome.new + run.repeated.new,
      changed: outcome.changed + run.repeated.changed,
      unchanged: outcome.unchanged + run.repeated.unchanged,
      running: outcome.running + run.repeated.running,
    };
    await tx.run(
      sql`UPDATE import_runs
          SET rows = rows + ${run.rows}, rejected = rejected + ${run.rejected}, new = new + ${total.new},
              changed = changed + ${total.changed}, unchanged = unchanged + ${total.unchanged},
              running = running + ${total.running}
          WHERE id = ${run.id}`,
    );
    return total;
  });
}

async function nothing(run: ImportRun): Promise<Outcome> {
  await run.turn;
  return { new: 0, changed: 0, unchanged: 0, running: 0, written: 0 };
}

async function writeJobs(
  context: ImportContext,
  tx: Transaction,
  jobs: ReadonlyMap<string, JobRecord>,
  run: ImportRun,
): Promise<Outcome> {
  // Held until the commit: nobody changes prices while jobs are being priced.
  const { version, id: batchId } = await tx.one(
    z.object({ version: z.bigint(), id: z.bigint() }),
    sql`SELECT version, nextval('job_batch_ids') AS id FROM pricing_state FOR SHARE`,
  );
  const batch = new PricedBatch(context, jobs, { ...(await run.prices.at(tx, version)), batchId });
  const outcome =
    (run.expectsNewJobs ? await insertNewJobs(context, tx, batch, run.turn) : undefined) ??
    (await mergeJobs(context, tx, batch, run.turn));
  if (outcome.written > 0) {
    const { written: _written, ...counts } = outcome;
    tx.audit({
      actor: run.actor,
      action: "usage.imported",
      subject: `import:${run.id}`,
      details: { batch: batchId, ...counts },
    });
  }
  return outcome;
}

/**
 * The first import of a history: rows go straight into `jobs`, which costs a third less than staging them.
 *
 * @returns undefined, with nothing written, when one of the jobs is known already or may be known under another key.
 */
async function insertNewJobs(
  context: ImportContext,
  tx: Transaction,
  batch: PricedBatch,
  turn: Promise<unknown>,
): Promise<Outcome | undefined> {
  const { records } = batch;
  if (records.some((job) => job.keyIsWeak)) return undefined;
  try {
    const sums = await tx.attempt(async () => {
      const added = await batch.copyInto(tx, "jobs");
      await within(PATIENCE_MS, turn);
      // From here to the commit this row keeps out whoever writes jobs of the cluster under other keys.
      if (await ensureClusters(tx, records, context.clock.now())) throw new MaybeKnown();
      return added;
    });
    await ensureUsers(tx, records, context.clock.now());
    await sums.write(tx);
  } catch (error) {
    if (error instanceof MaybeKnown || violates(error, "jobs_pkey")) return undefined;
    throw error;
  }
  const running = records.reduce((count, job) => count + (job.phase === "active" ? 1 : 0), 0);
  return { new: records.length - running, changed: 0, unchanged: 0, running, written: records.length };
}

/**
 * Rows that were copied but not committed make another import of the same jobs wait, and it may be what the batch before
 * us waits for: a circle that the database cannot see, since our turn is no lock of its. Who waits too long lets go.
 */
const PATIENCE_MS = 5_000;

async function within(milliseconds: number, turn: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new MaybeKnown()), milliseconds);
  });
  try {
    await Promise.race([turn, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

/** Another import is at the same jobs, or has stored jobs of this cluster under weak keys. */
class MaybeKnown extends Error {}

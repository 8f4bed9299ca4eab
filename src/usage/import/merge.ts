import { z } from "zod";
import { raw, sql, type Sql, type Transaction } from "../../db/database.ts";
import { addToRollup, dropEmptyRollupRows } from "../rollup.ts";
import type { ImportContext } from "./context.ts";
import { correctBilledJobs } from "./corrections.ts";
import { assignments, columns, COPY_COLUMNS, KEY_COLUMNS, PRICE_COLUMNS, RECORD_COLUMNS } from "./job-columns.ts";
import { ensureClusters, ensureUsers } from "./people.ts";
import type { Outcome, PricedBatch } from "./priced-batch.ts";

/**
 * Writes a batch in which some jobs may be known already: staged by COPY, then one set-based insert of the new ones and
 * one update of those whose record differs, with corrections for what was billed.
 */
export async function mergeJobs(
  context: ImportContext,
  tx: Transaction,
  batch: PricedBatch,
  turn: Promise<unknown>,
): Promise<Outcome> {
  const { records, batchId } = batch;
  await tx.run(sql`CREATE TEMP TABLE job_staging (LIKE jobs, was_known boolean NOT NULL DEFAULT false) ON COMMIT DROP`);
  await batch.copyInto(tx, "job_staging");
  // Up to here nothing was written that another transaction could wait for.
  await turn;
  const isWeak = await ensureClusters(tx, records, context.clock.now());
  await ensureUsers(tx, records, context.clock.now());
  if (isWeak) await adoptKnownKeys(tx);
  if (records.some((job) => job.exitCode === "")) await keepKnownExitCodes(tx);
  const inserted = await tx.run(
    sql`INSERT INTO jobs (${columns(COPY_COLUMNS)})
        SELECT ${columns(COPY_COLUMNS)} FROM job_staging
        ON CONFLICT (cluster, raw_job_id, submit_at) DO NOTHING`,
  );
  if (inserted > 0) {
    await addToRollup(tx, sql`job_staging s JOIN jobs j ON ${sameKey("s", "j")} AND j.batch_id = ${batchId}`, 1);
  }
  const updated = inserted === records.length ? NONE : await updateChanged(context, tx, batch);
  return countOutcome(tx, batch, inserted, updated);
}

const NONE: Updated = { finished: 0, active: 0 };

interface Updated {
  readonly finished: number;
  readonly active: number;
}

async function countOutcome(tx: Transaction, batch: PricedBatch, inserted: number, updated: Updated): Promise<Outcome> {
  const { records, batchId } = batch;
  const active = records.reduce((count, job) => count + (job.phase === "active" ? 1 : 0), 0);
  const { inserted_active, stale } = await tx.one(
    z.object({ inserted_active: z.bigint(), stale: z.bigint() }),
    sql`SELECT count(*) FILTER (WHERE j.batch_id = ${batchId} AND j.phase = 'active' AND NOT s.was_known) AS inserted_active,
               count(*) FILTER (WHERE j.phase = 'finished') AS stale
        FROM job_staging s JOIN jobs j ON ${sameKey("s", "j")}
        WHERE s.phase = 'active'`,
  );
  const running = active - Number(stale);
  const fresh = inserted - Number(inserted_active);
  return {
    new: fresh,
    changed: updated.finished,
    unchanged: records.length - fresh - updated.finished - running,
    running,
    written: inserted + updated.finished + updated.active,
  };
}

function sameKey(left: string, right: string): Sql {
  return raw(KEY_COLUMNS.map((name) => `${left}.${name} = ${right}.${name}`).join(" AND "));
}

/** The same run, whatever its key: same cluster, same displayed id, same start (or, never started, same submit time). */
const SAME_RUN = sql`j.cluster = s.cluster AND j.job_id = s.job_id
  AND (j.start_at = s.start_at OR (j.start_at IS NULL AND s.start_at IS NULL AND j.submit_at = s.submit_at))
  AND (j.raw_job_id, j.submit_at) IS DISTINCT FROM (s.raw_job_id, s.submit_at)`;

/**
 * Jobs known under another key (from a source without JobIDRaw or Submit) keep that key. One statement for each way to
 * find them by an index: those stored under a weak key; and for staged weak keys the finished jobs by user and end, and
 * the unfinished ones by user.
 */
async function adoptKnownKeys(tx: Transaction): Promise<void> {
  const ways = [
    sql`j.key_is_weak`,
    sql`s.key_is_weak AND j.user_name = s.user_name AND j.end_at = s.end_at`,
    sql`s.key_is_weak AND j.user_name = s.user_name AND j.phase <> 'finished'`,
  ];
  for (const way of ways) {
    await tx.run(
      sql`UPDATE job_staging s SET raw_job_id = j.raw_job_id, submit_at = j.submit_at, key_is_weak = j.key_is_weak
          FROM jobs j WHERE ${way} AND ${SAME_RUN}`,
    );
  }
}

/** A source that does not tell exit codes is no news about them. */
async function keepKnownExitCodes(tx: Transaction): Promise<void> {
  await tx.run(
    sql`UPDATE job_staging s SET exit_code = j.exit_code FROM jobs j
        WHERE ${sameKey("s", "j")} AND s.exit_code = '' AND j.exit_code <> '' AND s.phase = j.phase`,
  );
}

/** Rewrites the known jobs whose record differs, and moves the rollup by the difference. */
async function updateChanged(
  context: ImportContext,
  tx: Transaction,
  { jobs, book, batchId }: PricedBatch,
): Promise<Updated> {
  await tx.run(sql`CREATE TEMP TABLE job_before (LIKE jobs) ON COMMIT DROP`);
  // A record of a job that still runs never replaces one of the same job's end: an older dump is not news.
  const differing = await tx.run(
    sql`INSERT INTO job_before
        SELECT j.* FROM job_staging s JOIN jobs j ON ${sameKey("s", "j")}
        WHERE j.batch_id <> ${batchId}
          AND NOT (j.phase = 'finished' AND s.phase <> 'finished')
          AND (${columns(RECORD_COLUMNS, "j")}) IS DISTINCT FROM (${columns(RECORD_COLUMNS, "s")})
        ORDER BY ${columns(KEY_COLUMNS, "j")}
        FOR UPDATE OF j`,
  );
  if (differing === 0) return NONE;
  await tx.run(sql`UPDATE job_staging s SET was_known = true FROM job_before b WHERE ${sameKey("s", "b")}`);
  await correctBilledJobs(context, tx, jobs, book);
  await addToRollup(tx, sql`job_before j`, -1);
  const assigned = assignments([...RECORD_COLUMNS, ...PRICE_COLUMNS, "batch_id"], "s");
  await tx.run(
    sql`UPDATE jobs j SET ${assigned} FROM job_staging s
        WHERE s.was_known AND ${sameKey("s", "j")}`,
  );
  await addToRollup(tx, sql`job_staging s JOIN jobs j ON s.was_known AND ${sameKey("s", "j")}`, 1);
  await dropEmptyRollupRows(tx, sql`SELECT usage_day FROM job_before WHERE usage_day IS NOT NULL`);
  const { active } = await tx.one(
    z.object({ active: z.bigint() }),
    sql`SELECT count(*) AS active FROM job_staging WHERE was_known AND phase = 'active'`,
  );
  return { finished: differing - Number(active), active: Number(active) };
}

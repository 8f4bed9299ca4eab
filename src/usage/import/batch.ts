import { once } from "node:events";
import { finished } from "node:stream/promises";
import { z } from "zod";
import { sql, raw, type Database, type Sql, type Transaction } from "../../db/database.ts";
import type { Currency } from "../../rating/money.ts";
import { chargeFor } from "../../rating/charge.ts";
import type { JobRecord } from "../../slurm/job-record.ts";
import type { Clock } from "../../clock.ts";
import { readPricing, readTierOverrides, tierFor, type Pricing } from "../prices/book.ts";
import { addToRollup, dropEmptyRollupRows } from "../rollup.ts";
import type { SiteDays } from "../site-day.ts";
import { correctBilledJobs } from "./corrections.ts";
import { copyLineOf, storedChargeOf } from "./copy-line.ts";
import { assignments, columns, COPY_COLUMNS, KEY_COLUMNS, PRICE_COLUMNS, RECORD_COLUMNS } from "./job-columns.ts";

/** What importing needs to know of its surroundings. */
export interface ImportContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly currency: Currency;
  readonly days: SiteDays;
}

/** What became of the jobs of a batch; every job is counted once. */
export interface BatchOutcome {
  readonly new: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Unfinished jobs, stored or refreshed. */
  readonly running: number;
}

/** Jobs in one transaction: enough to make COPY worth it, few enough that the locks are short and memory stays small. */
export const JOBS_PER_BATCH = 20_000;

/** The canonical identity of a job, as one string. */
export function jobKey(job: Pick<JobRecord, "cluster" | "rawJobId" | "submitAt">): string {
  return `${job.cluster}\u0000${job.rawJobId}\u0000${job.submitAt}`;
}

/**
 * Writes a batch of jobs with their prices and the daily rollup in one transaction: all of it or nothing.
 * The batch must hold each job key once. Importing the same records again changes nothing.
 */
export async function importBatch(
  context: ImportContext,
  jobs: ReadonlyMap<string, JobRecord>,
  run: { readonly id: bigint; readonly actor: string; readonly rows: number; readonly rejected: number; readonly repeated: BatchOutcome },
): Promise<BatchOutcome> {
  return context.db.transaction(async (tx) => {
    const outcome = jobs.size === 0 ? NO_JOBS : await writeJobs(context, tx, jobs, run.actor, run.id);
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

const NO_JOBS: BatchOutcome = { new: 0, changed: 0, unchanged: 0, running: 0 };

async function writeJobs(
  context: ImportContext,
  tx: Transaction,
  jobs: ReadonlyMap<string, JobRecord>,
  actor: string,
  runId: bigint,
): Promise<BatchOutcome> {
  const records = [...jobs.values()];
  const pricing = await readPricing(tx, context.currency, { hold: true });
  const weakClusters = await ensureClusters(tx, records, context.clock.now());
  await ensureUsers(tx, records, context.clock.now());
  const { id: batchId } = await tx.one(z.object({ id: z.bigint() }), sql`SELECT nextval('job_batch_ids') AS id`);
  await stage(context, tx, records, pricing, batchId);
  if (weakClusters || records.some((job) => job.keyIsWeak)) await adoptKnownKeys(tx);

  const inserted = await tx.run(
    sql`INSERT INTO jobs (${columns(COPY_COLUMNS)})
        SELECT ${columns(COPY_COLUMNS)} FROM job_staging
        ON CONFLICT (cluster, raw_job_id, submit_at) DO NOTHING`,
  );
  const isAllNew = inserted === records.length;
  const fresh = isAllNew
    ? sql`job_staging j`
    : sql`job_staging s JOIN jobs j ON ${sameKey("s", "j")} AND j.batch_id = ${batchId}`;
  if (inserted > 0) await addToRollup(tx, fresh, 1);
  const updated = isAllNew ? { finished: 0, active: 0 } : await updateChanged(context, tx, jobs, pricing, batchId);

  const outcome = await countOutcome(tx, records, { inserted, updated, isAllNew, batchId });
  if (inserted + updated.finished + updated.active > 0) {
    tx.audit({
      actor,
      action: "usage.imported",
      subject: `import:${runId}`,
      details: { batch: batchId, ...outcome },
    });
  }
  return outcome;
}

async function countOutcome(
  tx: Transaction,
  records: readonly JobRecord[],
  written: { inserted: number; updated: { finished: number; active: number }; isAllNew: boolean; batchId: bigint },
): Promise<BatchOutcome> {
  const active = records.reduce((count, job) => count + (job.phase === "active" ? 1 : 0), 0);
  if (written.isAllNew) return { new: records.length - active, changed: 0, unchanged: 0, running: active };
  const { inserted_active, stale } = await tx.one(
    z.object({ inserted_active: z.bigint(), stale: z.bigint() }),
    sql`SELECT count(*) FILTER (WHERE j.batch_id = ${written.batchId} AND j.phase = 'active' AND NOT s.was_known) AS inserted_active,
               count(*) FILTER (WHERE j.phase = 'finished') AS stale
        FROM job_staging s JOIN jobs j ON ${sameKey("s", "j")}
        WHERE s.phase = 'active'`,
  );
  const running = active - Number(stale);
  const fresh = written.inserted - Number(inserted_active);
  return {
    new: fresh,
    changed: written.updated.finished,
    unchanged: records.length - fresh - written.updated.finished - running,
    running,
  };
}

function sameKey(left: string, right: string): Sql {
  return raw(KEY_COLUMNS.map((name) => `${left}.${name} = ${right}.${name}`).join(" AND "));
}

/** True when one of the batch's clusters holds jobs under weak keys. */
async function ensureClusters(tx: Transaction, records: readonly JobRecord[], now: Date): Promise<boolean> {
  const isWeakByName = new Map<string, boolean>();
  for (const job of records) isWeakByName.set(job.cluster, (isWeakByName.get(job.cluster) ?? false) || job.keyIsWeak);
  let anyWeak = false;
  for (const [name, isWeak] of [...isWeakByName].sort()) {
    const { has_weak_keys } = await tx.one(
      z.object({ has_weak_keys: z.boolean() }),
      sql`INSERT INTO clusters (name, first_seen_at, has_weak_keys) VALUES (${name}, ${now}, ${isWeak})
          ON CONFLICT (name) DO UPDATE SET has_weak_keys = clusters.has_weak_keys OR excluded.has_weak_keys
          RETURNING has_weak_keys`,
    );
    anyWeak ||= has_weak_keys;
  }
  return anyWeak;
}

/** A user that nobody here knows gets a row; the newest job says which account is theirs by default. */
async function ensureUsers(tx: Transaction, records: readonly JobRecord[], now: Date): Promise<void> {
  const newest = new Map<string, JobRecord>();
  for (const job of records) {
    const known = newest.get(job.user);
    if (known === undefined || known.submitAt < job.submitAt) newest.set(job.user, job);
  }
  const rows = [...newest.values()].sort((a, b) => (a.user < b.user ? -1 : 1));
  await tx.run(
    sql`INSERT INTO users (username, created_at, default_account, account_seen_at)
        SELECT name, ${now}, account, to_timestamp(submit_at)
        FROM unnest(${rows.map((job) => job.user)}::text[], ${rows.map((job) => job.account)}::text[],
                    ${rows.map((job) => job.submitAt)}::bigint[]) AS seen (name, account, submit_at)
        ORDER BY name
        ON CONFLICT (username) DO UPDATE
          SET default_account = excluded.default_account, account_seen_at = excluded.account_seen_at
          WHERE users.account_seen_at IS NULL
             OR (excluded.account_seen_at > users.account_seen_at)`,
  );
}

const ENCODED_CHUNK_CHARS = 256 * 1024;

async function stage(
  context: ImportContext,
  tx: Transaction,
  records: readonly JobRecord[],
  pricing: Pricing,
  batchId: bigint,
): Promise<void> {
  const overrides = await readTierOverrides(tx, [...new Set(records.map((job) => job.user))]);
  await tx.run(sql`CREATE TEMP TABLE job_staging (LIKE jobs) ON COMMIT DROP`);
  await tx.run(sql`ALTER TABLE job_staging ADD COLUMN was_known boolean NOT NULL DEFAULT false`);
  const copy = tx.copyFrom(`COPY job_staging (${COPY_COLUMNS.join(", ")}) FROM STDIN`);
  const done = finished(copy);
  // The error arrives through `done`; this keeps a failure during the writes from being reported as unhandled.
  done.catch(() => undefined);
  const now = Math.floor(context.clock.now().getTime() / 1000);
  let chunk = "";
  for (const job of records) {
    const tier = tierFor(pricing, overrides, { username: job.user, account: job.account });
    const charge = storedChargeOf(chargeFor(job, tier, pricing.book, now));
    chunk += copyLineOf(job, charge, context.days, batchId);
    if (chunk.length >= ENCODED_CHUNK_CHARS) {
      if (!copy.write(chunk) && !copy.destroyed) await Promise.race([once(copy, "drain"), done]);
      chunk = "";
    }
  }
  copy.end(chunk);
  await done;
}

/**
 * Jobs known under another key (from a source without JobIDRaw or Submit) keep that key: same cluster, same displayed
 * id and same start are the same run.
 */
async function adoptKnownKeys(tx: Transaction): Promise<void> {
  await tx.run(
    sql`UPDATE job_staging s SET raw_job_id = j.raw_job_id, submit_at = j.submit_at, key_is_weak = j.key_is_weak
        FROM jobs j
        WHERE j.cluster = s.cluster AND j.job_id = s.job_id AND j.start_at = s.start_at
          AND (j.key_is_weak OR s.key_is_weak)
          AND (j.raw_job_id, j.submit_at) IS DISTINCT FROM (s.raw_job_id, s.submit_at)`,
  );
}

/** Rewrites the known jobs whose record differs, and moves the rollup by the difference. */
async function updateChanged(
  context: ImportContext,
  tx: Transaction,
  jobs: ReadonlyMap<string, JobRecord>,
  pricing: Pricing,
  batchId: bigint,
): Promise<{ finished: number; active: number }> {
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
  if (differing === 0) return { finished: 0, active: 0 };
  await tx.run(sql`UPDATE job_staging s SET was_known = true FROM job_before b WHERE ${sameKey("s", "b")}`);
  await correctBilledJobs(context, tx, jobs, pricing.book);
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


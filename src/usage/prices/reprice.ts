import { z } from "zod";
import { sql, type Database, type Transaction } from "../../db/database.ts";
import type { Clock } from "../../clock.ts";
import { chargeFor } from "../../rating/charge.ts";
import type { Currency } from "../../rating/money.ts";
import { storedChargeOf, type StoredCharge } from "../import/copy-line.ts";
import { jobColumns, jobSchema, type StoredJob } from "../jobs.ts";
import { addToRollup, dropEmptyRollupRows } from "../rollup.ts";
import { readPricing, readTierOverrides, tierLookup, type Pricing } from "./book.ts";

export interface RepriceContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly currency: Currency;
}

const BATCH_JOBS = 2_000;

const taskSchema = z.object({
  id: z.bigint(),
  user_name: z.string().nullable(),
  after_user: z.string().nullable(),
  after_end_at: z.string().nullable(),
  after_cluster: z.string().nullable(),
  after_raw: z.string().nullable(),
  after_submit: z.string().nullable(),
});

type Task = z.output<typeof taskSchema>;

/** What is left to do, for pages and readiness. */
export async function openRepriceTasks(db: Database): Promise<{ tasks: number; jobsSeen: bigint }> {
  const row = await db.one(
    z.object({ tasks: z.bigint(), jobs_seen: z.bigint() }),
    sql`SELECT count(*) AS tasks, coalesce(sum(jobs_seen), 0)::bigint AS jobs_seen FROM reprice_tasks WHERE finished_at IS NULL`,
  );
  return { tasks: Number(row.tasks), jobsSeen: row.jobs_seen };
}

/** Works until no task is left, or until told to stop between two batches. Safe on any number of replicas at once. */
export async function repriceAll(context: RepriceContext, signal?: AbortSignal): Promise<void> {
  while (signal?.aborted !== true && (await repriceBatch(context)));
}

/**
 * Re-prices the next batch of unbilled jobs of the oldest open task, in one transaction with the rollup and the task's
 * cursor. False when there is nothing to do, or another replica is doing it.
 */
export async function repriceBatch(context: RepriceContext): Promise<boolean> {
  return context.db.transaction(async (tx) => {
    const task = await tx.maybeOne(
      taskSchema,
      sql`SELECT id, user_name, after_user, after_end_at::text, after_cluster, after_raw, after_submit::text
          FROM reprice_tasks WHERE finished_at IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`,
    );
    if (task === undefined) return false;
    // Before the jobs, as an import does: locks are always taken in this order.
    const pricing = await readPricing(tx, context.currency, { hold: true });
    const jobs = await nextJobs(tx, task);
    const changed = await repriceJobs(tx, jobs, pricing);
    await moveCursor(context, tx, task, jobs, changed);
    return true;
  });
}

/** Unbilled jobs after the task's cursor, locked, in the order of the index they are read by. */
async function nextJobs(tx: Transaction, task: Task): Promise<StoredJob[]> {
  return tx.rows(
    jobSchema,
    sql`SELECT ${jobColumns("j")} FROM jobs j
        WHERE j.receipt_id IS NULL AND j.phase = 'finished'
          AND (${task.user_name}::text IS NULL OR j.user_name = ${task.user_name}::text)
          AND (${task.after_user}::text IS NULL
               OR (j.user_name, j.end_at, j.cluster, j.raw_job_id, j.submit_at)
                > (${task.after_user}::text, ${task.after_end_at}::timestamptz, ${task.after_cluster}::text,
                   ${task.after_raw}::text, ${task.after_submit}::timestamptz))
        ORDER BY j.user_name, j.end_at, j.cluster, j.raw_job_id, j.submit_at
        LIMIT ${BATCH_JOBS} FOR UPDATE OF j`,
  );
}

async function moveCursor(
  context: RepriceContext,
  tx: Transaction,
  task: Task,
  jobs: readonly StoredJob[],
  changed: number,
): Promise<void> {
  const last = jobs.at(-1);
  const isLast = jobs.length < BATCH_JOBS || last === undefined || last.endAt === null;
  await tx.run(
    isLast
      ? sql`UPDATE reprice_tasks SET finished_at = ${context.clock.now()}, jobs_seen = jobs_seen + ${jobs.length},
              jobs_changed = jobs_changed + ${changed} WHERE id = ${task.id}`
      : sql`UPDATE reprice_tasks SET jobs_seen = jobs_seen + ${jobs.length}, jobs_changed = jobs_changed + ${changed},
              after_user = ${last.user}, after_end_at = to_timestamp(${last.endAt}::bigint), after_cluster = ${last.cluster},
              after_raw = ${last.rawJobId}, after_submit = to_timestamp(${last.submitAt}::bigint)
            WHERE id = ${task.id}`,
  );
  if (changed > 0) {
    tx.audit({
      actor: "system",
      action: "usage.repriced",
      subject: `reprice:${task.id}`,
      details: { jobs: changed },
    });
  }
}

/**
 * Prices the given jobs by a book that is held and writes those whose price differs. The jobs must be locked by this
 * transaction and not be billed.
 */
export async function repriceJobs(tx: Transaction, jobs: readonly StoredJob[], pricing: Pricing): Promise<number> {
  const overrides = await readTierOverrides(tx, [...new Set(jobs.map((job) => job.user))]);
  const tierOf = tierLookup(pricing, overrides);
  const changes: { job: StoredJob; charge: StoredCharge }[] = [];
  for (const job of jobs) {
    const charge = storedChargeOf(chargeFor(job, tierOf(job), pricing.book));
    if (!isSameCharge(job, charge)) changes.push({ job, charge });
  }
  if (changes.length > 0) await writeCharges(tx, changes);
  return changes.length;
}

function isSameCharge(job: StoredJob, charge: StoredCharge): boolean {
  return (
    job.tier === charge.tier &&
    job.chargeKind === charge.kind &&
    job.freeReason === charge.freeReason &&
    job.rateId === charge.rateId &&
    job.ruleSetId === charge.ruleSetId &&
    job.cpuMinor === charge.cpuMinor &&
    job.gpuMinor === charge.gpuMinor &&
    job.memMinor === charge.memMinor
  );
}

async function writeCharges(
  tx: Transaction,
  changes: readonly { job: StoredJob; charge: StoredCharge }[],
): Promise<void> {
  const changed = sql`unnest(
      ${changes.map(({ job }) => job.cluster)}::text[], ${changes.map(({ job }) => job.rawJobId)}::text[],
      ${changes.map(({ job }) => job.submitAt)}::bigint[], ${changes.map(({ charge }) => charge.tier)}::text[],
      ${changes.map(({ charge }) => charge.kind)}::text[], ${changes.map(({ charge }) => charge.freeReason)}::text[],
      ${changes.map(({ charge }) => charge.rateId)}::integer[], ${changes.map(({ charge }) => charge.ruleSetId)}::integer[],
      ${changes.map(({ charge }) => charge.cpuMinor.toString())}::bigint[],
      ${changes.map(({ charge }) => charge.gpuMinor.toString())}::bigint[],
      ${changes.map(({ charge }) => charge.memMinor.toString())}::bigint[])
    AS c (cluster, raw_job_id, submit_epoch, tier, charge_kind, free_reason, rate_id, rule_set_id, cpu_minor, gpu_minor, mem_minor)`;
  await tx.run(sql`CREATE TEMP TABLE repriced ON COMMIT DROP AS
    SELECT c.*, to_timestamp(c.submit_epoch) AS submit_at FROM ${changed}`);
  const touched = sql`repriced c JOIN jobs j ON j.cluster = c.cluster AND j.raw_job_id = c.raw_job_id AND j.submit_at = c.submit_at`;
  await addToRollup(tx, touched, -1);
  await tx.run(
    sql`UPDATE jobs j SET tier = c.tier, charge_kind = c.charge_kind, free_reason = c.free_reason, rate_id = c.rate_id,
          rule_set_id = c.rule_set_id, cpu_minor = c.cpu_minor, gpu_minor = c.gpu_minor, mem_minor = c.mem_minor
        FROM repriced c
        WHERE j.cluster = c.cluster AND j.raw_job_id = c.raw_job_id AND j.submit_at = c.submit_at`,
  );
  await addToRollup(tx, touched, 1);
  await dropEmptyRollupRows(tx, sql`SELECT j.usage_day FROM ${touched}`);
  await tx.run(sql`DROP TABLE repriced`);
}

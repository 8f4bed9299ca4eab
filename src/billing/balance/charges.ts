/** Second link of the chain: what was used was charged, or stands there with the reason why it was not. */
import { z } from "zod";
import { sql, type Database, type Queries } from "../../db/database.ts";
import { chargeFor } from "../../rating/charge.ts";
import type { Currency } from "../../rating/money.ts";
import { storedChargeOf, type StoredCharge } from "../../usage/import/copy-line.ts";
import { jobColumns, jobSchema, type StoredJob } from "../../usage/jobs.ts";
import { readPricing, readTierOverrides, tierLookup, type Pricing } from "../../usage/prices/book.ts";
import type { Break } from "../../usage/reconcile/breaks.ts";
import { endedOn, JOB_COLUMNS, jobBreaks, type BooksDay, type Found } from "./window.ts";

const PAGE_JOBS = 4_000;

/**
 * Jobs on no receipt whose stored charge is not what the price book says now. Jobs that wait to be priced anew are no
 * break: `repricing` counts them.
 */
export async function checkUnbilledCharges(
  db: Database,
  currency: Currency,
  day: BooksDay,
  alive: () => Promise<void>,
): Promise<{ readonly breaks: readonly Break[]; readonly repricing: number }> {
  const breaks: Break[] = [];
  let repricing = 0;
  for (let last: StoredJob | undefined; ;) {
    const pricing = await readPricing(db, currency, { hold: false });
    const page: StoredJob[] = await unbilledJobs(db, day, last);
    const suspects = (await wronglyCharged(db, page, pricing)).map(({ job }) => job);
    if (suspects.length > 0) {
      const confirmed = await confirm(db, currency, suspects);
      breaks.push(...confirmed.wrong.map((one) => breakOf(one, day.day)));
      repricing += confirmed.repricing;
    }
    await alive();
    last = page.at(-1);
    if (page.length < PAGE_JOBS) return { breaks, repricing };
  }
}

function unbilledJobs(queries: Queries, day: BooksDay, after: StoredJob | undefined): Promise<StoredJob[]> {
  const behind =
    after === undefined
      ? sql`true`
      : sql`(j.end_at, j.cluster, j.raw_job_id, j.submit_at) > (to_timestamp(${after.endAt}::bigint), ${after.cluster}::text,
             ${after.rawJobId}::text, to_timestamp(${after.submitAt}::bigint))`;
  return queries.rows(
    jobSchema,
    sql`SELECT ${jobColumns("j")} FROM jobs j
        WHERE ${endedOn({ ...day, from: after?.endAt ?? day.from })} AND j.receipt_id IS NULL AND ${behind}
        ORDER BY j.end_at, j.cluster, j.raw_job_id, j.submit_at LIMIT ${PAGE_JOBS}`,
  );
}

interface WrongCharge {
  readonly job: StoredJob;
  readonly ours: string;
  readonly theirs: string;
}

async function wronglyCharged(
  queries: Queries,
  jobs: readonly StoredJob[],
  pricing: Pricing,
): Promise<readonly WrongCharge[]> {
  const overrides = await readTierOverrides(queries, [...new Set(jobs.map((job) => job.user))]);
  const tierOf = tierLookup(pricing, overrides);
  return jobs.flatMap((job) => {
    const stored = { ...job, kind: job.chargeKind };
    const charge = storedChargeOf(chargeFor(job, tierOf(job), pricing.book));
    return wordsOf(stored) === wordsOf(charge) ? [] : [{ job, ours: wordsOf(stored), theirs: wordsOf(charge) }];
  });
}

/**
 * Looks again while nobody can change prices: a job that was billed, changed or priced anew since the first look is none,
 * and one of somebody whose jobs are being priced anew waits for that.
 */
function confirm(
  db: Database,
  currency: Currency,
  suspects: readonly StoredJob[],
): Promise<{ readonly wrong: readonly WrongCharge[]; readonly repricing: number }> {
  return db.transaction(async (tx) => {
    const pricing = await readPricing(tx, currency, { hold: true });
    const tasks = await tx.rows(
      z.object({ user_name: z.string().nullable() }),
      sql`SELECT user_name FROM reprice_tasks WHERE finished_at IS NULL`,
    );
    const now = await tx.rows(
      jobSchema,
      sql`SELECT ${jobColumns("j")}
          FROM unnest(${suspects.map((job) => job.cluster)}::text[], ${suspects.map((job) => job.rawJobId)}::text[],
                      ${suspects.map((job) => job.submitAt)}::bigint[]) AS k (cluster, raw_job_id, submit_epoch)
          JOIN jobs j ON j.cluster = k.cluster AND j.raw_job_id = k.raw_job_id AND j.submit_at = to_timestamp(k.submit_epoch)
          WHERE j.receipt_id IS NULL AND j.phase = 'finished'`,
    );
    const wrong = await wronglyCharged(tx, now, pricing);
    const waits = ({ job }: WrongCharge): boolean =>
      tasks.some(({ user_name }) => user_name === null || user_name === job.user);
    return { wrong: wrong.filter((one) => !waits(one)), repricing: wrong.filter(waits).length };
  });
}

function breakOf({ job, ours, theirs }: WrongCharge, day: string): Break {
  const { cluster, user: userName, account } = job;
  return { kind: "charge", day, cluster, job, userName, account, what: "charge", ours, theirs };
}

/** A charge in words that are the same only for the same charge; amounts in minor units. */
function wordsOf({ kind, tier, freeReason, rateId, ruleSetId, cpuMinor, gpuMinor, memMinor }: StoredCharge): string {
  const reason = freeReason === null ? "" : ` (${freeReason})`;
  return `${kind}${reason}, tier ${tier}, rate ${rateId ?? "none"}, rules ${ruleSetId ?? "none"}, cpu ${cpuMinor} + gpu ${gpuMinor} + mem ${memMinor}`;
}

/** Finished jobs that are neither priced, nor free for a stated reason, nor held, nor without use. */
export function checkUnexplained(queries: Queries, day: BooksDay): Promise<Found> {
  return jobBreaks(
    queries,
    { kind: "charge", day: day.day },
    sql`SELECT ${JOB_COLUMNS}, 'exemption' AS what,
               j.charge_kind || ', reason ' || coalesce(j.free_reason, 'none') || ', ' || j.elapsed_seconds || ' s, '
                 || (j.cpu_minor + j.gpu_minor + j.mem_minor) AS ours,
               'a price, or a stated reason for none' AS theirs
        FROM jobs j
        WHERE ${endedOn(day)}
          AND NOT CASE j.charge_kind
                    WHEN 'priced' THEN true
                    WHEN 'free' THEN j.free_reason IS NOT NULL AND j.cpu_minor + j.gpu_minor + j.mem_minor = 0
                    WHEN 'held' THEN j.free_reason IS NOT NULL AND j.cpu_minor + j.gpu_minor + j.mem_minor = 0
                    WHEN 'nothing' THEN j.elapsed_seconds = 0 AND j.cpu_minor + j.gpu_minor + j.mem_minor = 0
                    ELSE false
                  END`,
  );
}

import { z } from "zod";
import { join, sql, type Queries, type Sql } from "../../db/database.ts";
import { jobColumns, jobSchema, type StoredJob } from "../jobs.ts";
import { FAILED_STATES } from "../rollup.ts";
import type { SiteDays } from "../site-day.ts";
import { addDays } from "../site-day.ts";

/** Which jobs are listed; undefined means any. */
export interface JobFilter {
  /** Local days of the job's end, both included. */
  readonly fromDay: string;
  readonly toDay: string;
  readonly userName?: string | undefined;
  readonly cluster?: string | undefined;
  readonly account?: string | undefined;
  readonly partition?: string | undefined;
  readonly tier?: string | undefined;
  readonly state?: string | undefined;
  /** True: only jobs that failed or were lost, by any of those states. */
  readonly failed?: boolean | undefined;
  /** True: only jobs on a receipt; false: only jobs on none. */
  readonly billed?: boolean | undefined;
  /** Part of the job's name or account, or the beginning of its id. */
  readonly search?: string | undefined;
}

/** Position in a list that is ordered by end, cluster, raw id and submit time. */
export interface JobCursor {
  readonly endAt: number;
  readonly cluster: string;
  readonly rawJobId: string;
  readonly submitAt: number;
}

/** A cursor comes from outside: it must not hold what the database cannot compare with. */
const cursorEpoch = z.int().min(-100_000_000_000).max(1_000_000_000_000);
const cursorText = z.string().regex(/^[^\0]*$/u);
const cursorSchema = z.tuple([cursorEpoch, cursorText, cursorText, cursorEpoch]);

export function encodeJobCursor(cursor: JobCursor): string {
  return Buffer.from(JSON.stringify([cursor.endAt, cursor.cluster, cursor.rawJobId, cursor.submitAt])).toString(
    "base64url",
  );
}

/** Undefined for anything that is no cursor: the list then starts at its beginning. */
export function decodeJobCursor(text: string | undefined): JobCursor | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    const parsed = cursorSchema.safeParse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
    if (!parsed.success) return undefined;
    const [endAt, cluster, rawJobId, submitAt] = parsed.data;
    return { endAt, cluster, rawJobId, submitAt };
  } catch {
    return undefined;
  }
}

export function cursorOf(job: StoredJob): JobCursor {
  return { endAt: job.endAt ?? 0, cluster: job.cluster, rawJobId: job.rawJobId, submitAt: job.submitAt };
}

/** A finished-jobs page, newest end first, and whether there is more on either side. */
export interface JobPage {
  readonly jobs: readonly StoredJob[];
  readonly hasNewer: boolean;
  readonly hasOlder: boolean;
}

/** One page of finished jobs, newest first: behind `older` (going back in time) or before `newer`. */
export async function finishedJobs(
  queries: Queries,
  days: SiteDays,
  filter: JobFilter,
  page: { readonly limit: number; readonly older?: JobCursor | undefined; readonly newer?: JobCursor | undefined },
): Promise<JobPage> {
  const isBackwards = page.newer !== undefined;
  const position = positionCondition(page.newer ?? page.older, isBackwards);
  const order = isBackwards
    ? sql`j.end_at, j.cluster, j.raw_job_id, j.submit_at`
    : sql`j.end_at DESC, j.cluster DESC, j.raw_job_id DESC, j.submit_at DESC`;
  const rows = await queries.rows(
    jobSchema,
    sql`SELECT ${jobColumns("j")}, r.number AS receipt_number
        FROM jobs j LEFT JOIN receipts r ON r.id = j.receipt_id
        WHERE ${jobConditions(days, filter)} AND j.phase = 'finished' AND ${position}
        ORDER BY ${order} LIMIT ${page.limit + 1}`,
  );
  const hasMore = rows.length > page.limit;
  const jobs = rows.slice(0, page.limit);
  if (!isBackwards) return { jobs, hasNewer: page.older !== undefined, hasOlder: hasMore };
  return { jobs: jobs.reverse(), hasNewer: hasMore, hasOlder: true };
}

/** Every finished job of a filter, oldest first, in pages that follow each other by key: for files of any size. */
export async function* allFinishedJobs(
  queries: Queries,
  days: SiteDays,
  filter: JobFilter,
): AsyncGenerator<StoredJob[]> {
  const limit = 1_000;
  let after: JobCursor | undefined;
  for (;;) {
    const jobs = await queries.rows(
      jobSchema,
      sql`SELECT ${jobColumns("j")}, r.number AS receipt_number
          FROM jobs j LEFT JOIN receipts r ON r.id = j.receipt_id
          WHERE ${jobConditions(days, filter)} AND j.phase = 'finished' AND ${positionCondition(after, true)}
          ORDER BY j.end_at, j.cluster, j.raw_job_id, j.submit_at LIMIT ${limit}`,
    );
    if (jobs.length > 0) yield jobs;
    const last = jobs.at(-1);
    if (jobs.length < limit || last === undefined) return;
    after = cursorOf(last);
  }
}

/** Pending, running and unknown-state jobs, newest submit first; at most `limit`. */
export function unfinishedJobs(
  queries: Queries,
  filter: { readonly userName?: string | undefined; readonly startedOnly?: boolean },
  limit: number,
): Promise<StoredJob[]> {
  let conditions = sql`j.phase <> 'finished'`;
  if (filter.userName !== undefined) conditions = sql`${conditions} AND j.user_name = ${filter.userName}`;
  if (filter.startedOnly === true) conditions = sql`${conditions} AND j.start_at IS NOT NULL`;
  return queries.rows(
    jobSchema,
    sql`SELECT ${jobColumns("j")} FROM jobs j WHERE ${conditions}
        ORDER BY j.submit_at DESC, j.cluster, j.raw_job_id LIMIT ${limit}`,
  );
}

/** One job by its key. */
export function findJob(
  queries: Queries,
  key: { readonly cluster: string; readonly rawJobId: string; readonly submitAt: number },
): Promise<StoredJob | undefined> {
  return queries.maybeOne(
    jobSchema,
    sql`SELECT ${jobColumns("j")}, r.number AS receipt_number
        FROM jobs j LEFT JOIN receipts r ON r.id = j.receipt_id
        WHERE j.cluster = ${key.cluster} AND j.raw_job_id = ${key.rawJobId} AND j.submit_at = to_timestamp(${key.submitAt}::bigint)`,
  );
}

function jobConditions(days: SiteDays, filter: JobFilter): Sql {
  const from = days.startOf(filter.fromDay);
  const end = days.startOf(addDays(filter.toDay, 1));
  let conditions = sql`j.end_at >= to_timestamp(${from}::bigint) AND j.end_at < to_timestamp(${end}::bigint)`;
  if (filter.userName !== undefined) conditions = sql`${conditions} AND j.user_name = ${filter.userName}`;
  if (filter.cluster !== undefined) conditions = sql`${conditions} AND j.cluster = ${filter.cluster}`;
  if (filter.account !== undefined) conditions = sql`${conditions} AND j.account = ${filter.account}`;
  if (filter.partition !== undefined) conditions = sql`${conditions} AND j.partition = ${filter.partition}`;
  if (filter.tier !== undefined) conditions = sql`${conditions} AND j.tier = ${filter.tier}`;
  if (filter.state !== undefined) conditions = sql`${conditions} AND j.state = ${filter.state}`;
  if (filter.failed === true) conditions = sql`${conditions} AND j.state IN (${join(FAILED_STATES)})`;
  if (filter.billed === true) conditions = sql`${conditions} AND j.receipt_id IS NOT NULL`;
  if (filter.billed === false) conditions = sql`${conditions} AND j.receipt_id IS NULL`;
  if (filter.search !== undefined && filter.search !== "") {
    const part = `%${escapeLike(filter.search)}%`;
    const start = `${escapeLike(filter.search)}%`;
    conditions = sql`${conditions} AND (j.job_id LIKE ${start} OR j.job_name ILIKE ${part} OR j.account ILIKE ${part})`;
  }
  return conditions;
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/gu, (character) => `\\${character}`);
}

function positionCondition(cursor: JobCursor | undefined, isForwards: boolean): Sql {
  if (cursor === undefined) return sql`true`;
  const position = sql`(to_timestamp(${cursor.endAt}::bigint), ${cursor.cluster}::text, ${cursor.rawJobId}::text,
                        to_timestamp(${cursor.submitAt}::bigint))`;
  const key = sql`(j.end_at, j.cluster, j.raw_job_id, j.submit_at)`;
  return isForwards ? sql`${key} > ${position}` : sql`${key} < ${position}`;
}

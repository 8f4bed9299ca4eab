/** The jobs that a check of our own books looks at: those that ended on one local day of the site. */
import { z } from "zod";
import { sql, type Queries, type Sql } from "../../db/database.ts";
import type { Break, BrokenJob } from "../../usage/reconcile/breaks.ts";

export interface BooksDay {
  /** `YYYY-MM-DD` */
  readonly day: string;
  /** First second of the day and of the next, since 1970 UTC. */
  readonly from: number;
  readonly to: number;
}

/** Condition on `jobs j`. */
export function endedOn({ from, to }: BooksDay): Sql {
  return sql`(j.phase = 'finished' AND j.end_at >= to_timestamp(${from}::bigint) AND j.end_at < to_timestamp(${to}::bigint))`;
}

/** What one query finds of breaks: the first ones, and how many there are. */
export interface Found {
  readonly breaks: readonly Break[];
  readonly total: bigint;
}

/** Rows a query of breaks hands over; beyond, they are only counted. */
export const MOST_FOUND = 1_000;

const jobRowSchema = z
  .object({
    cluster: z.string(),
    raw_job_id: z.string(),
    job_id: z.string(),
    submit_epoch: z.bigint().transform(Number),
    user_name: z.string(),
    account: z.string(),
    what: z.string(),
    ours: z.string(),
    theirs: z.string(),
    total: z.bigint(),
  })
  .transform((row) => ({
    cluster: row.cluster,
    job: { rawJobId: row.raw_job_id, jobId: row.job_id, submitAt: row.submit_epoch } satisfies BrokenJob,
    userName: row.user_name,
    account: row.account,
    what: row.what,
    ours: row.ours,
    theirs: row.theirs,
    total: row.total,
  }));

/** Columns of a job, as the query of `jobBreaks` must select them beside `what`, `ours` and `theirs`. */
export const JOB_COLUMNS = sql`j.cluster, j.raw_job_id, j.job_id, extract(epoch FROM j.submit_at)::bigint AS submit_epoch,
  j.user_name, j.account`;

/** Runs a query that finds jobs that do not balance. */
export async function jobBreaks(
  queries: Queries,
  about: { readonly kind: Break["kind"]; readonly day: string },
  query: Sql,
): Promise<Found> {
  const rows = await queries.rows(
    jobRowSchema,
    sql`SELECT found.*, count(*) OVER () AS total FROM (${query}) found ORDER BY cluster, raw_job_id, submit_epoch LIMIT ${MOST_FOUND}`,
  );
  return { breaks: rows.map(({ total: _total, ...row }) => ({ ...about, ...row })), total: rows[0]?.total ?? 0n };
}

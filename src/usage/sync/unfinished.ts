import { z } from "zod";
import { sql, type Actor, type Database } from "../../db/database.ts";
import { jobKey } from "../import/context.ts";

/** The key of a job of a known cluster. */
export interface UnfinishedJob {
  readonly rawJobId: string;
  readonly submitAt: number;
}

const PAGE = 5_000;

/**
 * Unfinished jobs of a cluster that a sync up to now has not met: the scheduler's list does not show them any more. Jobs
 * whose key was inferred are left out, since the scheduler knows them under another one.
 */
export async function unmetJobs(db: Database, cluster: string, met: ReadonlySet<string>): Promise<UnfinishedJob[]> {
  const unmet: UnfinishedJob[] = [];
  let after: UnfinishedJob | undefined;
  for (;;) {
    const from =
      after === undefined
        ? sql`true`
        : sql`(raw_job_id, submit_at) > (${after.rawJobId}::text, to_timestamp(${after.submitAt}::bigint))`;
    const page: UnfinishedJob[] = await db.rows(
      z
        .object({ raw_job_id: z.string(), submit_epoch: z.bigint() })
        .transform((row) => ({ rawJobId: row.raw_job_id, submitAt: Number(row.submit_epoch) })),
      sql`SELECT raw_job_id, extract(epoch FROM submit_at)::bigint AS submit_epoch FROM jobs
          WHERE cluster = ${cluster} AND phase = 'active' AND NOT key_is_weak AND ${from}
          ORDER BY raw_job_id, submit_at LIMIT ${PAGE}`,
    );
    for (const job of page) if (!met.has(jobKey({ cluster, ...job }))) unmet.push(job);
    after = page.at(-1);
    if (page.length < PAGE) return unmet;
  }
}

/** State of a job that was pending or running when it was last seen, and that accounting no longer knows. */
export const VANISHED = "VANISHED";

/**
 * Sets jobs aside that the scheduler no longer knows: they are neither running nor finished, and are never billed
 * unless accounting names them again. Returns how many jobs of the cluster are set aside now.
 */
export async function setAside(
  db: Database,
  cluster: string,
  jobs: readonly UnfinishedJob[],
  by: Actor,
): Promise<number> {
  return db.transaction(async (tx) => {
    if (jobs.length > 0) {
      const changed = await tx.run(
        sql`UPDATE jobs j SET phase = 'unknown', state = ${VANISHED}, charge_kind = 'held', free_reason = 'unknown_state'
            FROM unnest(${jobs.map((job) => job.rawJobId)}::text[], ${jobs.map((job) => job.submitAt)}::bigint[])
              AS v (raw_job_id, submit_epoch)
            WHERE j.cluster = ${cluster} AND j.raw_job_id = v.raw_job_id AND j.submit_at = to_timestamp(v.submit_epoch)
              AND j.phase = 'active'`,
      );
      if (changed > 0) {
        tx.audit({ ...by, action: "usage.set_aside", subject: `cluster:${cluster}`, details: { jobs: changed } });
      }
    }
    const { count } = await tx.one(
      z.object({ count: z.bigint() }),
      sql`SELECT count(*) AS count FROM jobs
          WHERE phase <> 'finished' AND phase = 'unknown' AND cluster = ${cluster} AND state = ${VANISHED}`,
    );
    return Number(count);
  });
}

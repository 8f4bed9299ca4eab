import { z } from "zod";
import { sql, type Sql } from "../db/database.ts";

/** The identity of a job, as queries take it and give it. */
export interface JobKey {
  readonly cluster: string;
  readonly rawJobId: string;
  /** Seconds since 1970 UTC. */
  readonly submitAt: number;
}

export const jobKeySchema = z
  .object({ cluster: z.string(), raw_job_id: z.string(), submit_epoch: z.bigint().transform(Number) })
  .transform((row): JobKey => ({ cluster: row.cluster, rawJobId: row.raw_job_id, submitAt: row.submit_epoch }));

/** Select list of `jobKeySchema`, of `jobs j`. */
export const JOB_KEY_COLUMNS = sql`j.cluster, j.raw_job_id, extract(epoch FROM j.submit_at)::bigint AS submit_epoch`;

/** A FROM item `k (cluster, raw_job_id, submit_at)` with a row for each key. */
export function jobKeyRows(keys: readonly JobKey[]): Sql {
  return sql`(SELECT cluster, raw_job_id, to_timestamp(submit_epoch) AS submit_at
              FROM unnest(${keys.map((key) => key.cluster)}::text[], ${keys.map((key) => key.rawJobId)}::text[],
                          ${keys.map((key) => key.submitAt)}::bigint[]) AS keys (cluster, raw_job_id, submit_epoch)) AS k`;
}

/** What our jobs held within a window, as sreport counts it: the seconds in the window of all runs, whenever they end. */
import { z } from "zod";
import { raw, sql, type Queries } from "../../db/database.ts";

/** The TRES that are compared, by sreport's names, with the column of `jobs` they come from. */
export const TRES = {
  cpu: "alloc_cpus",
  "gres/gpu": "alloc_gpus",
  mem: "alloc_mem_mib",
  billing: "alloc_billing",
} as const;

export type TresName = keyof typeof TRES;

export const TRES_NAMES: readonly TresName[] = ["cpu", "gres/gpu", "mem", "billing"];

/** Seconds of one TRES; memory in MiB-seconds. */
export interface HeldSeconds {
  /**
   * Within the window. Where a job was suspended and crosses the window's edge, nobody but the scheduler knows on which side
   * it stood still: the true number lies between the two.
   */
  readonly low: bigint;
  readonly high: bigint;
  /** Of the jobs that ended in the site's days: all they held, and what of it lies within the window. */
  readonly endedAll: bigint;
  readonly endedWithin: bigint;
}

export interface HeldByUser {
  readonly account: string;
  readonly userName: string;
  readonly tres: Readonly<Record<TresName, HeldSeconds>>;
}

export interface HeldWindows {
  /** Whole hours that sreport is asked for, seconds since 1970 UTC, the end not included. */
  readonly hours: { readonly from: number; readonly to: number };
  /** The site's days. */
  readonly days: { readonly from: number; readonly to: number };
}

const text = z.string().transform((value) => BigInt(value));
const heldSchema = z.object({ low: text, high: text, ended_all: text, ended_within: text }).transform((row) => ({
  low: row.low,
  high: row.high,
  endedAll: row.ended_all,
  endedWithin: row.ended_within,
}));

const rowSchema = z
  .object({
    account: z.string(),
    user_name: z.string(),
    cpu: heldSchema,
    "gres/gpu": heldSchema,
    mem: heldSchema,
    billing: heldSchema,
  })
  .transform(({ account, user_name, ...tres }): HeldByUser => ({ account, userName: user_name, tres }));

const SUMS = Object.entries(TRES)
  .map(
    ([name, column]) => `jsonb_build_object(
      'low', coalesce(sum(${column} * low), 0)::text, 'high', coalesce(sum(${column} * high), 0)::text,
      'ended_all', coalesce(sum(${column} * elapsed_seconds) FILTER (WHERE ended), 0)::text,
      'ended_within', coalesce(sum(${column} * high) FILTER (WHERE ended), 0)::text) AS "${name}"`,
  )
  .join(", ");

/** Per account and user of a cluster, finished and running jobs alike. */
export function heldSeconds(queries: Queries, cluster: string, { hours, days }: HeldWindows): Promise<HeldByUser[]> {
  const from = sql`to_timestamp(${hours.from}::bigint)`;
  const to = sql`to_timestamp(${hours.to}::bigint)`;
  const ended = sql`(end_at >= to_timestamp(${days.from}::bigint) AND end_at < to_timestamp(${days.to}::bigint))`;
  return queries.rows(
    rowSchema,
    sql`SELECT account, user_name, ${raw(SUMS)}
        FROM (
          SELECT account, user_name, alloc_cpus, alloc_gpus, alloc_mem_mib, alloc_billing, elapsed_seconds, ended,
                 CASE WHEN is_inside THEN elapsed_seconds ELSE greatest(overlap - stood_still, 0) END AS low,
                 CASE WHEN is_inside THEN elapsed_seconds ELSE least(overlap, elapsed_seconds) END AS high
          FROM (
            SELECT j.*, ${ended} AS ended, start_at >= ${from} AND end_at <= ${to} AS is_inside,
                   greatest(extract(epoch FROM end_at - start_at)::bigint - elapsed_seconds, 0) AS stood_still,
                   coalesce(greatest(extract(epoch FROM least(end_at, ${to}) - greatest(start_at, ${from}))::bigint, 0), 0) AS overlap
            FROM jobs j
            WHERE cluster = ${cluster} AND phase <> 'active' AND end_at >= to_timestamp(${days.from}::bigint)
              AND (end_at < to_timestamp(${days.to}::bigint) OR start_at < ${to})
          ) finished
          UNION ALL
          SELECT account, user_name, alloc_cpus, alloc_gpus, alloc_mem_mib, alloc_billing, elapsed_seconds, false,
                 CASE WHEN state = 'SUSPENDED' THEN least(overlap, elapsed_seconds) ELSE overlap END, overlap
          FROM (
            SELECT j.*, extract(epoch FROM ${to} - greatest(start_at, ${from}))::bigint AS overlap
            FROM jobs j
            WHERE cluster = ${cluster} AND phase = 'active' AND start_at < ${to}
          ) running
        ) held
        GROUP BY account, user_name
        ORDER BY account, user_name`,
  );
}

import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";

/** What waits to be billed. */
export interface UnbilledTotals {
  readonly users: number;
  readonly jobs: bigint;
  readonly minor: bigint;
  /** First local day with such a job; null when there is none. */
  readonly firstDay: string | null;
}

/** Jobs on no receipt up to and including a local day, of one user or of everybody. Reads only the days that have some. */
export async function unbilledTotals(
  queries: Queries,
  filter: { readonly toDay?: string | undefined; readonly userName?: string | undefined } = {},
): Promise<UnbilledTotals> {
  let conditions = sql`unbilled_jobs > 0`;
  if (filter.toDay !== undefined) conditions = sql`${conditions} AND day <= ${filter.toDay}::date`;
  if (filter.userName !== undefined) conditions = sql`${conditions} AND user_name = ${filter.userName}`;
  const row = await queries.one(
    z.object({ users: z.bigint(), jobs: z.string(), minor: z.string(), first_day: z.string().nullable() }),
    sql`SELECT count(DISTINCT user_name) AS users, coalesce(sum(unbilled_jobs), 0)::text AS jobs,
               coalesce(sum(unbilled_minor), 0)::text AS minor, min(day) AS first_day
        FROM usage_daily WHERE ${conditions}`,
  );
  return { users: Number(row.users), jobs: BigInt(row.jobs), minor: BigInt(row.minor), firstDay: row.first_day };
}

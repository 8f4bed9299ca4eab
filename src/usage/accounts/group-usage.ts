/** Usage of a group of accounts, from the daily sums. */
import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import {
  isOneOf,
  SUM_LIST,
  sumsOf,
  sumsSchema,
  usageConditions,
  type ClusterAccount,
  type UsageFilter,
  type UsageSums,
} from "../queries/summary.ts";

/** Days of the usage, both included, and whose. */
export type GroupFilter = Pick<UsageFilter, "fromDay" | "toDay" | "userName">;

export interface AccountUsage extends ClusterAccount, UsageSums {}

/** Sums per account, by cluster and account; accounts without usage are left out. */
export async function usageByAccount(
  queries: Queries,
  accounts: readonly ClusterAccount[],
  filter: GroupFilter,
): Promise<AccountUsage[]> {
  const rows = await queries.rows(
    sumsSchema.extend({ cluster: z.string(), account: z.string() }),
    sql`SELECT cluster, account, ${SUM_LIST} FROM usage_daily WHERE ${usageConditions({ ...filter, accounts })}
        GROUP BY cluster, account ORDER BY cluster, account`,
  );
  return rows.map((row) => ({ cluster: row.cluster, account: row.account, ...sumsOf(row) }));
}

export interface MemberUsage extends AccountUsage {
  readonly userName: string;
}

const ACCOUNTS_AT_ONCE = 50;

/** Sums per account and member, by cluster, account and member, some accounts at a time. */
export async function* usageByMember(
  queries: Queries,
  accounts: readonly ClusterAccount[],
  filter: GroupFilter,
): AsyncGenerator<MemberUsage[]> {
  for (let from = 0; from < accounts.length; from += ACCOUNTS_AT_ONCE) {
    const some = accounts.slice(from, from + ACCOUNTS_AT_ONCE);
    const rows = await queries.rows(
      sumsSchema.extend({ cluster: z.string(), account: z.string(), user_name: z.string() }),
      sql`SELECT cluster, account, user_name, ${SUM_LIST} FROM usage_daily
          WHERE ${usageConditions({ ...filter, accounts: some })}
          GROUP BY cluster, account, user_name ORDER BY cluster, account, user_name`,
    );
    yield rows.map((row) => ({
      cluster: row.cluster,
      account: row.account,
      userName: row.user_name,
      ...sumsOf(row),
    }));
  }
}

/** First and last day with usage on any of the accounts; a look at both ends of each account in the index. */
export async function groupDayRange(
  queries: Queries,
  accounts: readonly ClusterAccount[],
): Promise<{ first: string; last: string } | null> {
  const row = await queries.one(
    z.object({ first: z.string().nullable(), last: z.string().nullable() }),
    sql`SELECT min(ends.first) AS first, max(ends.last) AS last
        FROM unnest(${accounts.map(({ cluster }) => cluster)}::text[], ${accounts.map(({ account }) => account)}::text[])
               AS one (cluster, account)
        CROSS JOIN LATERAL (SELECT min(d.day) AS first, max(d.day) AS last FROM usage_daily d
                            WHERE d.cluster = one.cluster AND d.account = one.account) AS ends`,
  );
  return row.first === null || row.last === null ? null : { first: row.first, last: row.last };
}

/** Whether somebody belongs to one of the accounts, or has ever used one. */
export async function isMember(
  queries: Queries,
  accounts: readonly ClusterAccount[],
  userName: string,
): Promise<boolean> {
  const { found } = await queries.one(
    z.object({ found: z.boolean() }),
    sql`SELECT EXISTS (SELECT FROM usage_daily WHERE ${usageConditions({ userName, accounts })})
            OR EXISTS (SELECT FROM account_members WHERE user_name = ${userName} AND ${isOneOf(accounts)}) AS found`,
  );
  return found;
}

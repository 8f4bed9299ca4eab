import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import type { NaturalTier, Tier } from "../../rating/tiers.ts";
import { naturalTierOf, tierSchema, type Pricing } from "./book.ts";

/** What decides natural tiers. */
type TierRules = Pick<Pricing, "tierRules" | "accountTree">;

/** A user and the price tier they have, with the rule or the override that gave it. */
export interface TierUser {
  readonly username: string;
  readonly defaultAccount: string;
  /** What the rules give, and which of them. */
  readonly natural: NaturalTier;
  readonly override: Tier | null;
  readonly tier: Tier;
}

export interface TierUserFilter {
  /** Beginning of the username or of the default account. */
  readonly search?: string | undefined;
  readonly overriddenOnly?: boolean | undefined;
}

const userSchema = z.object({
  username: z.string(),
  default_account: z.string(),
  tier_override: tierSchema.nullable(),
});

/** Users by name, behind `after` or just in front of `before`, with the tier that holds for their default account. */
export async function listTierUsers(
  queries: Queries,
  rules: TierRules,
  filter: TierUserFilter,
  page: { readonly limit: number; readonly after?: string | undefined; readonly before?: string | undefined },
): Promise<TierUser[]> {
  let conditions = sql`true`;
  if (filter.search !== undefined && filter.search !== "") {
    const start = `${filter.search.replace(/[\\%_]/gu, (character) => `\\${character}`)}%`;
    conditions = sql`(username LIKE ${start} OR default_account LIKE ${start})`;
  }
  if (filter.overriddenOnly === true) conditions = sql`${conditions} AND tier_override IS NOT NULL`;
  if (page.before !== undefined) conditions = sql`${conditions} AND username < ${page.before}`;
  else if (page.after !== undefined) conditions = sql`${conditions} AND username > ${page.after}`;
  const order = page.before === undefined ? sql`username` : sql`username DESC`;
  const rows = await queries.rows(
    userSchema,
    sql`SELECT username, default_account, tier_override FROM users WHERE ${conditions} ORDER BY ${order} LIMIT ${page.limit}`,
  );
  const users = rows.map((row) => tierUserOf(row, rules));
  return page.before === undefined ? users : users.reverse();
}

export async function findTierUser(
  queries: Queries,
  rules: TierRules,
  username: string,
): Promise<TierUser | undefined> {
  const row = await queries.maybeOne(
    userSchema,
    sql`SELECT username, default_account, tier_override FROM users WHERE username = ${username}`,
  );
  return row === undefined ? undefined : tierUserOf(row, rules);
}

function tierUserOf(row: z.output<typeof userSchema>, rules: TierRules): TierUser {
  const natural = naturalTierOf(rules, { username: row.username, account: row.default_account, cluster: null });
  const override = row.tier_override;
  return {
    username: row.username,
    defaultAccount: row.default_account,
    natural,
    override,
    tier: override ?? natural.tier,
  };
}

/** The default accounts of the named users, for those that have one. */
export async function defaultAccounts(queries: Queries, usernames: readonly string[]): Promise<Map<string, string>> {
  if (usernames.length === 0) return new Map();
  const rows = await queries.rows(
    z.object({ username: z.string(), default_account: z.string() }),
    sql`SELECT username, default_account FROM users WHERE username = ANY(${[...usernames]}::text[]) AND default_account <> ''`,
  );
  return new Map(rows.map((row) => [row.username, row.default_account]));
}

import { z } from "zod";
import { join, sql, type Queries } from "../../db/database.ts";
import type { Currency } from "../../rating/money.ts";
import type { PriceBook, Rate, RuleSet } from "../../rating/price-book.ts";
import { naturalTier, TIER_SUBJECTS, TIERS, type NaturalTier, type Tier, type TierRule } from "../../rating/tiers.ts";
import { accountsAbove, NO_ACCOUNT_TREE, readAccountTree, type AccountTree } from "../accounts/tree.ts";

/** A rate as it is stored: with who set it, when and why. */
export interface StoredRate extends Rate {
  readonly note: string;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly priceVersion: bigint;
}

export interface StoredRuleSet extends RuleSet {
  readonly note: string;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly priceVersion: bigint;
}

export interface StoredPriceBook extends PriceBook {
  readonly rates: readonly StoredRate[];
  readonly ruleSets: readonly StoredRuleSet[];
}

/** All that decides a price, read at one moment. */
export interface Pricing {
  readonly version: bigint;
  readonly book: StoredPriceBook;
  readonly tierRules: readonly TierRule[];
  /** Read only where a rule looks at it: whoever changes the tree then changes the version too. */
  readonly accountTree: AccountTree;
}

export const tierSchema = z.enum(TIERS);

const epochOrNull = z
  .date()
  .nullable()
  .transform((date) => (date === null ? null : Math.floor(date.getTime() / 1000)));

const rateSchema = z
  .object({
    id: z.number(),
    tier: tierSchema,
    cluster: z.string().nullable(),
    partition: z.string().nullable(),
    qos: z.string().nullable(),
    cpu_micro: z.bigint(),
    gpu_micro: z.bigint(),
    mem_micro: z.bigint(),
    gpu_type_micro: z.record(z.string(), z.string()),
    effective_from: epochOrNull,
    note: z.string(),
    created_at: z.date(),
    created_by: z.string(),
    price_version: z.bigint(),
  })
  .transform((row): StoredRate => ({
    id: row.id,
    tier: row.tier,
    cluster: row.cluster,
    partition: row.partition,
    qos: row.qos,
    cpuMicro: row.cpu_micro,
    gpuMicro: row.gpu_micro,
    memMicro: row.mem_micro,
    gpuTypeMicro: new Map(Object.entries(row.gpu_type_micro).map(([type, micro]) => [type, BigInt(micro)])),
    effectiveFrom: row.effective_from,
    note: row.note,
    createdAt: row.created_at,
    createdBy: row.created_by,
    priceVersion: row.price_version,
  }));

export const exemptionSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("state"), state: z.string().min(1), reason: z.string().min(1) }),
  z.object({ kind: z.literal("partition"), partition: z.string().min(1), reason: z.string().min(1) }),
  z.object({ kind: z.literal("shorter_than"), seconds: z.int().positive(), reason: z.string().min(1) }),
]);

const shareSchema = z.object({
  tier: tierSchema,
  millionths: z.string().transform((text) => BigInt(text)),
  reason: z.string(),
});

const ruleSetSchema = z
  .object({
    id: z.number(),
    basis: z.enum(["allocated", "used"]),
    exemptions: z.array(exemptionSchema),
    shares: z.array(shareSchema),
    effective_from: epochOrNull,
    note: z.string(),
    created_at: z.date(),
    created_by: z.string(),
    price_version: z.bigint(),
  })
  .transform((row): StoredRuleSet => ({
    id: row.id,
    basis: row.basis,
    exemptions: row.exemptions,
    shares: row.shares,
    effectiveFrom: row.effective_from,
    note: row.note,
    createdAt: row.created_at,
    createdBy: row.created_by,
    priceVersion: row.price_version,
  }));

const tierRuleSchema = z.object({
  id: z.number(),
  position: z.number(),
  subject: z.enum(TIER_SUBJECTS),
  pattern: z.string(),
  tier: tierSchema,
});

/**
 * Reads the price book. With `hold: true`, inside a transaction, nobody can change prices until it ends: whoever writes
 * prices onto jobs needs that.
 */
export async function readPricing(queries: Queries, currency: Currency, options: { hold: boolean }): Promise<Pricing> {
  const { version } = await queries.one(
    z.object({ version: z.bigint() }),
    options.hold ? sql`SELECT version FROM pricing_state FOR SHARE` : sql`SELECT version FROM pricing_state`,
  );
  const rates = await queries.rows(
    rateSchema,
    sql`SELECT id, tier, cluster, partition, qos, cpu_micro, gpu_micro, mem_micro, gpu_type_micro, effective_from,
               note, created_at, created_by, price_version
        FROM rates ORDER BY id`,
  );
  const ruleSets = await queries.rows(
    ruleSetSchema,
    sql`SELECT id, basis, exemptions, shares, effective_from, note, created_at, created_by, price_version
        FROM rule_sets ORDER BY id`,
  );
  const tierRules = await queries.rows(
    tierRuleSchema,
    sql`SELECT id, position, subject, pattern, tier FROM tier_rules ORDER BY position, id`,
  );
  const looksAtTree = tierRules.some(({ subject }) => subject === "account_tree");
  const accountTree = looksAtTree ? await readAccountTree(queries) : NO_ACCOUNT_TREE;
  return { version, book: { currency, rates, ruleSets }, tierRules, accountTree };
}

/** The book as it was at a version of the prices: what a receipt issued then was priced by. */
export function bookAsOf(book: StoredPriceBook, version: bigint): StoredPriceBook {
  return {
    currency: book.currency,
    rates: book.rates.filter((rate) => rate.priceVersion <= version),
    ruleSets: book.ruleSets.filter((rules) => rules.priceVersion <= version),
  };
}

/** Tier overrides of the named users. */
export async function readTierOverrides(queries: Queries, usernames: readonly string[]): Promise<Map<string, Tier>> {
  if (usernames.length === 0) return new Map();
  const rows = await queries.rows(
    z.object({ username: z.string(), tier_override: tierSchema }),
    sql`SELECT username, tier_override FROM users
        WHERE tier_override IS NOT NULL AND username IN (${join(usernames)})`,
  );
  return new Map(rows.map((row) => [row.username, row.tier_override]));
}

/** Whose jobs: a user's on an account of a cluster. */
export interface TierOwner {
  readonly username: string;
  readonly account: string;
  /** Null where the account is known without its cluster: the first cluster that has it counts. */
  readonly cluster: string | null;
}

/** The tier that the rules give, and which of them. */
export function naturalTierOf(
  { tierRules, accountTree }: Pick<Pricing, "tierRules" | "accountTree">,
  { username, account, cluster }: TierOwner,
): NaturalTier {
  return naturalTier(tierRules, { username, account, ancestors: accountsAbove(accountTree, cluster, account) });
}

/** The tier a user's jobs on an account are priced by: the override, else the natural tier. */
export function tierFor(pricing: Pricing, overrides: ReadonlyMap<string, Tier>, owner: TierOwner): Tier {
  return overrides.get(owner.username) ?? naturalTierOf(pricing, owner).tier;
}

/** As `tierFor`, for many jobs of few people: each user on an account of a cluster is looked at once. */
export function tierLookup(
  pricing: Pricing,
  overrides: ReadonlyMap<string, Tier>,
): (job: { readonly user: string; readonly account: string; readonly cluster: string }) => Tier {
  const known = new Map<string, Map<string, Map<string, Tier>>>();
  return ({ user, account, cluster }) => {
    let byUser = known.get(cluster);
    if (byUser === undefined) known.set(cluster, (byUser = new Map()));
    let byAccount = byUser.get(user);
    if (byAccount === undefined) byUser.set(user, (byAccount = new Map()));
    let tier = byAccount.get(account);
    if (tier === undefined)
      byAccount.set(account, (tier = tierFor(pricing, overrides, { username: user, account, cluster })));
    return tier;
  };
}

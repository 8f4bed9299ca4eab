import { z } from "zod";
import type { Clock } from "../../clock.ts";
import { sql, type Database, type Transaction, type Actor } from "../../db/database.ts";
import { ConflictError, UserError } from "../../errors.ts";
import { formatMicro, MICRO, type Currency } from "../../rating/money.ts";
import type { Basis, Exemption } from "../../rating/price-book.ts";
import type { Tier, TierRuleSubject } from "../../rating/tiers.ts";
import { naturalTierOf, readPricing } from "./book.ts";

/** Prices to set for a tier, in millionths of the currency unit per hour. */
export interface NewRate {
  readonly tier: Tier;
  readonly cpuMicro: bigint;
  readonly gpuMicro: bigint;
  readonly memMicro: bigint;
  /** Undefined: keep the prices by GPU type of the version before. */
  readonly gpuTypeMicro?: ReadonlyMap<string, bigint> | undefined;
  readonly cluster?: string | null;
  readonly partition?: string | null;
  readonly qos?: string | null;
  /** Null: for all usage that is not billed yet. */
  readonly effectiveFrom: Date | null;
  readonly note: string;
}

export interface PriceContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly currency: Currency;
}

/** Adds a version of a tier's rate; nothing is edited. Unbilled jobs are re-priced in the background. */
export async function setRate(context: PriceContext, rate: NewRate, by: Actor): Promise<{ id: number }> {
  return context.db.transaction(async (tx) => {
    const version = await nextPriceVersion(tx);
    const { book } = await readPricing(tx, context.currency, { hold: false });
    const scope = { cluster: rate.cluster ?? null, partition: rate.partition ?? null, qos: rate.qos ?? null };
    const before = book.rates.findLast(
      (old) =>
        old.tier === rate.tier &&
        old.cluster === scope.cluster &&
        old.partition === scope.partition &&
        old.qos === scope.qos,
    );
    const types = rate.gpuTypeMicro ?? before?.gpuTypeMicro ?? new Map<string, bigint>();
    const typesJson = Object.fromEntries([...types].map(([type, micro]) => [type, micro.toString()]));
    const { id } = await tx.one(
      z.object({ id: z.number() }),
      sql`INSERT INTO rates (tier, cluster, partition, qos, cpu_micro, gpu_micro, mem_micro, gpu_type_micro,
                             effective_from, note, price_version, created_at, created_by)
          VALUES (${rate.tier}, ${scope.cluster}, ${scope.partition}, ${scope.qos}, ${rate.cpuMicro}, ${rate.gpuMicro},
                  ${rate.memMicro}, ${JSON.stringify(typesJson)}::jsonb, ${rate.effectiveFrom}, ${rate.note}, ${version},
                  ${context.clock.now()}, ${by.actor})
          RETURNING id`,
    );
    await repriceEverybody(tx, context.clock.now(), `rate ${id} of tier ${rate.tier}`);
    tx.audit({
      ...by,
      action: "rate.set",
      subject: `rate:${id}`,
      details: {
        tier: rate.tier,
        ...scope,
        effective_from: rate.effectiveFrom,
        note: rate.note,
        after: priceFacts({ ...rate, gpuTypeMicro: types }),
        before: before === undefined ? null : priceFacts(before),
      },
    });
    return { id };
  });
}

function priceFacts(rate: {
  cpuMicro: bigint;
  gpuMicro: bigint;
  memMicro: bigint;
  gpuTypeMicro: ReadonlyMap<string, bigint>;
}): object {
  return {
    cpu: formatMicro(rate.cpuMicro),
    gpu: formatMicro(rate.gpuMicro),
    mem: formatMicro(rate.memMicro),
    gpu_types: Object.fromEntries([...rate.gpuTypeMicro].map(([type, micro]) => [type, formatMicro(micro)])),
  };
}

export interface NewRules {
  readonly basis: Basis;
  readonly exemptions: readonly Exemption[];
  readonly shares: readonly { readonly tier: Tier; readonly millionths: bigint; readonly reason: string }[];
  readonly effectiveFrom: Date | null;
  readonly note: string;
}

/** Adds a version of the charging rules: basis, exemptions, shares. Unbilled jobs are re-priced in the background. */
export async function setRules(context: PriceContext, rules: NewRules, by: Actor): Promise<{ id: number }> {
  for (const share of rules.shares) {
    if (share.millionths < 0n || share.millionths > MICRO)
      throw new UserError("a share takes a percentage from 0 to 100");
    if (share.reason.trim() === "")
      throw new UserError("a share needs a reason: it is shown with every job it applies to");
  }
  const shares = rules.shares.map((share) => ({ ...share, millionths: share.millionths.toString() }));
  return context.db.transaction(async (tx) => {
    const version = await nextPriceVersion(tx);
    const { id } = await tx.one(
      z.object({ id: z.number() }),
      sql`INSERT INTO rule_sets (basis, exemptions, shares, effective_from, note, price_version, created_at, created_by)
          VALUES (${rules.basis}, ${JSON.stringify(rules.exemptions)}::jsonb, ${JSON.stringify(shares)}::jsonb,
                  ${rules.effectiveFrom}, ${rules.note}, ${version}, ${context.clock.now()}, ${by.actor})
          RETURNING id`,
    );
    await repriceEverybody(tx, context.clock.now(), `charging rules ${id}`);
    tx.audit({
      ...by,
      action: "rules.set",
      subject: `rules:${id}`,
      details: {
        basis: rules.basis,
        exemptions: rules.exemptions,
        shares,
        effective_from: rules.effectiveFrom,
        note: rules.note,
      },
    });
    return { id };
  });
}

/**
 * Sets which tier a user pays; an override equal to the natural tier is removed. Returns what holds now.
 *
 * @throws {UserError} 404 when there is no such user.
 */
export async function setTierOverride(
  context: PriceContext,
  username: string,
  tier: Tier | null,
  by: Actor,
): Promise<{ override: Tier | null; natural: Tier }> {
  return context.db.transaction(async (tx) => {
    await nextPriceVersion(tx);
    const pricing = await readPricing(tx, context.currency, { hold: false });
    const user = await tx.maybeOne(
      z.object({ default_account: z.string(), tier_override: z.string().nullable() }),
      sql`SELECT default_account, tier_override FROM users WHERE username = ${username} FOR UPDATE`,
    );
    if (user === undefined) throw new UserError(`there is no user "${username}"`, { status: 404 });
    const natural = naturalTierOf(pricing, { username, account: user.default_account, cluster: null }).tier;
    const override = tier === natural ? null : tier;
    if (override === user.tier_override) return { override, natural };
    await tx.run(sql`UPDATE users SET tier_override = ${override} WHERE username = ${username}`);
    await tx.run(
      sql`INSERT INTO reprice_tasks (user_name, reason, created_at)
          VALUES (${username}, ${`tier of ${username}`}, ${context.clock.now()})`,
    );
    tx.audit({
      ...by,
      action: override === null ? "tier.override_removed" : "tier.override_set",
      subject: `user:${username}`,
      details: { before: user.tier_override, after: override, natural },
    });
    return { override, natural };
  });
}

/** Adds or changes the rule for a pattern. */
export async function setTierRule(
  context: PriceContext,
  rule: { subject: TierRuleSubject; pattern: string; tier: Tier; position: number },
  by: Actor,
): Promise<void> {
  await context.db.transaction(async (tx) => {
    await nextPriceVersion(tx);
    await tx.run(
      sql`INSERT INTO tier_rules (position, subject, pattern, tier)
          VALUES (${rule.position}, ${rule.subject}, ${rule.pattern}, ${rule.tier})
          ON CONFLICT (subject, pattern) DO UPDATE SET tier = excluded.tier, position = excluded.position`,
    );
    await repriceEverybody(tx, context.clock.now(), `tier rule for ${rule.subject} ${rule.pattern}`);
    tx.audit({
      ...by,
      action: "tier_rule.set",
      subject: `tier_rule:${rule.subject}:${rule.pattern}`,
      details: { ...rule },
    });
  });
}

export async function removeTierRule(context: PriceContext, id: number, by: Actor): Promise<void> {
  await context.db.transaction(async (tx) => {
    await nextPriceVersion(tx);
    const removed = await tx.maybeOne(
      z.object({ subject: z.string(), pattern: z.string(), tier: z.string() }),
      sql`DELETE FROM tier_rules WHERE id = ${id} RETURNING subject, pattern, tier`,
    );
    if (removed === undefined) throw new ConflictError("this rule is gone already");
    await repriceEverybody(tx, context.clock.now(), `tier rule for ${removed.subject} ${removed.pattern} removed`);
    tx.audit({
      ...by,
      action: "tier_rule.removed",
      subject: `tier_rule:${removed.subject}:${removed.pattern}`,
      details: removed,
    });
  });
}

/** Waits for those who are pricing right now, and makes the next ones wait for this change. */
export async function nextPriceVersion(tx: Transaction): Promise<bigint> {
  const { version } = await tx.one(
    z.object({ version: z.bigint() }),
    sql`UPDATE pricing_state SET version = version + 1 RETURNING version`,
  );
  return version;
}

/** One task for all; those still open are covered by it. */
export async function repriceEverybody(tx: Transaction, now: Date, reason: string): Promise<void> {
  await tx.run(sql`UPDATE reprice_tasks SET finished_at = ${now} WHERE finished_at IS NULL`);
  await tx.run(sql`INSERT INTO reprice_tasks (user_name, reason, created_at) VALUES (NULL, ${reason}, ${now})`);
}

import type { Currency } from "./money.ts";
import type { Tier } from "./tiers.ts";

/** One version of the prices of a tier. Prices are millionths of the currency unit per hour. */
export interface Rate {
  readonly id: number;
  readonly tier: Tier;
  /** Null: any. A rate that names a cluster, partition or QOS is for jobs of exactly that one. */
  readonly cluster: string | null;
  readonly partition: string | null;
  readonly qos: string | null;
  /** Per CPU core-hour. */
  readonly cpuMicro: bigint;
  /** Per GPU-hour, for GPU types that have no price of their own. */
  readonly gpuMicro: bigint;
  /** Per GiB-hour of memory. */
  readonly memMicro: bigint;
  /** Per GPU-hour of a type. */
  readonly gpuTypeMicro: ReadonlyMap<string, bigint>;
  /** Seconds since 1970 UTC; null: for all usage that is not billed yet. */
  readonly effectiveFrom: number | null;
}

export type Basis = "allocated" | "used";

/** A reason why a job costs nothing, switched on by an admin and shown with the job. */
export type Exemption =
  | { readonly kind: "state"; readonly state: string; readonly reason: string }
  | { readonly kind: "partition"; readonly partition: string; readonly reason: string }
  | { readonly kind: "shorter_than"; readonly seconds: number; readonly reason: string };

/** The part of the price that a tier pays; the rest is subsidy. */
export interface Share {
  readonly tier: Tier;
  /** Millionths of the full price, 0 to 1,000,000. */
  readonly millionths: bigint;
  readonly reason: string;
}

/** One version of all charging rules. */
export interface RuleSet {
  readonly id: number;
  readonly basis: Basis;
  readonly exemptions: readonly Exemption[];
  readonly shares: readonly Share[];
  readonly effectiveFrom: number | null;
}

/** All versions of all prices and rules, and the currency they are in: what a charge is computed from, and nothing else. */
export interface PriceBook {
  readonly currency: Currency;
  readonly rates: readonly Rate[];
  readonly ruleSets: readonly RuleSet[];
}

/** What decides which rate holds for a job. */
export interface RateQuestion {
  readonly cluster: string;
  readonly partition: string;
  readonly qos: string;
  /** The job's end; for a running job the moment its cost so far is asked for. Seconds since 1970 UTC. */
  readonly at: number;
}

/**
 * The rate that holds: of the narrowest scope that matches, the newest version whose `effectiveFrom` is not after `at`.
 * Newest means set last (highest id). A scope that names the QOS is narrower than one that names the partition, and that
 * narrower than one that names the cluster.
 */
export function rateInForce(book: PriceBook, tier: Tier, question: RateQuestion): Rate | undefined {
  let best: Rate | undefined;
  let bestScope = -1;
  for (const rate of book.rates) {
    if (rate.tier !== tier || !holdsAt(rate, question.at) || !inScope(rate, question)) continue;
    const scope = scopeOf(rate);
    if (best === undefined || scope > bestScope || (scope === bestScope && rate.id > best.id)) {
      best = rate;
      bestScope = scope;
    }
  }
  return best;
}

/** The rules that hold at an instant: the version set last among those in force. */
export function rulesInForce(book: PriceBook, at: number): RuleSet | undefined {
  let best: RuleSet | undefined;
  for (const rules of book.ruleSets) {
    if (holdsAt(rules, at) && (best === undefined || rules.id > best.id)) best = rules;
  }
  return best;
}

function holdsAt(version: { readonly effectiveFrom: number | null }, at: number): boolean {
  return version.effectiveFrom === null || version.effectiveFrom <= at;
}

function inScope(rate: Rate, question: RateQuestion): boolean {
  return (
    (rate.cluster === null || rate.cluster === question.cluster) &&
    (rate.partition === null || rate.partition === question.partition) &&
    (rate.qos === null || rate.qos === question.qos)
  );
}

function scopeOf(rate: Rate): number {
  return (rate.qos === null ? 0 : 4) + (rate.partition === null ? 0 : 2) + (rate.cluster === null ? 0 : 1);
}

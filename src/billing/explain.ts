import type { Queries } from "../db/database.ts";
import { chargeFor, type Charge, type ChargeLine } from "../rating/charge.ts";
import type { Basis } from "../rating/price-book.ts";
import type { Tier } from "../rating/tiers.ts";
import type { StoredJob } from "../usage/jobs.ts";
import { readTierOverrides, tierFor, type Pricing } from "../usage/prices/book.ts";
import { jobKey } from "../usage/import/context.ts";
import { differencesOf, receiptItemsOf, type BilledDifference } from "./billed-jobs.ts";
import type { ReceiptItem } from "./queries.ts";

/** Why a job costs what it costs, in the terms a page shows. */
export interface Explanation {
  /** As in a charge; `billed` prices come from the receipt's snapshot. */
  readonly kind: "priced" | "free" | "nothing" | "accruing" | "held";
  readonly isBilled: boolean;
  readonly tier: Tier;
  readonly lines: readonly Omit<ChargeLine, "shareMillionths">[];
  readonly totalMinor: bigint;
  /** What was counted; null where nothing was. */
  readonly basis: Basis | null;
  /** The rate's id and the instant it is in force from (seconds since 1970 UTC; null: for all usage not yet billed). */
  readonly rate: { readonly id: number; readonly effectiveFrom: number | null } | null;
  /** Why it is free or held: the exemption's own words, or `unknown_state`, `no_rate`. */
  readonly reason: string | null;
  /** The part of the price this tier pays, where it is not all of it. */
  readonly share: { readonly millionths: bigint; readonly reason: string } | null;
  /** What its record cost more or less since it was billed: still to be settled, and settled on later receipts. */
  readonly openCorrectionsMinor: bigint;
  readonly settledCorrectionsMinor: bigint;
}

/** Explains a job with a price book that was read before: the receipt's snapshot for a billed job, the book for any other. */
export async function explainJob(queries: Queries, pricing: Pricing, job: StoredJob, now: Date): Promise<Explanation> {
  const [explanation] = await explainJobs(queries, pricing, [job], now);
  if (explanation === undefined) throw new Error("no explanation came back for a job");
  return explanation;
}

/** As `explainJob` for a job on no receipt, when the tier is known already: lists need no query per row. */
export function explainUnbilled(pricing: Pricing, job: StoredJob, tier: Tier, now: Date): Explanation {
  const at = Math.floor(now.getTime() / 1000);
  // A running job has held its resources until now, whatever the last sync saw.
  const current =
    job.phase === "active" && job.startAt !== null && job.state === "RUNNING"
      ? { ...job, elapsedSeconds: Math.max(0, at - job.startAt) }
      : job;
  return explainCharge(chargeFor(current, tier, pricing.book, at));
}

/** Says of a charge what a page shows. */
export function explainCharge(charge: Charge): Explanation {
  const { tier } = charge;
  const isPriced = charge.kind === "priced" || charge.kind === "accruing";
  const share = isPriced ? charge.rules.shares.find((candidate) => candidate.tier === tier) : undefined;
  return {
    kind: charge.kind,
    isBilled: false,
    tier,
    lines: isPriced ? charge.lines : [],
    totalMinor: isPriced ? charge.totalMinor : 0n,
    basis: isPriced ? charge.rules.basis : null,
    rate: isPriced ? { id: charge.rate.id, effectiveFrom: charge.rate.effectiveFrom } : null,
    reason: charge.kind === "free" ? charge.free.reason : charge.kind === "held" ? charge.reason : null,
    share: share === undefined ? null : { millionths: share.millionths, reason: share.reason },
    openCorrectionsMinor: 0n,
    settledCorrectionsMinor: 0n,
  };
}

/** As `explainJob` for a list, in its order: a handful of queries, however many jobs. */
export async function explainJobs(
  queries: Queries,
  pricing: Pricing,
  jobs: readonly StoredJob[],
  now: Date,
): Promise<Explanation[]> {
  const keys = jobs.flatMap((job) => (job.receiptId === null ? [] : [{ ...job, receiptId: job.receiptId }]));
  const items = new Map((await receiptItemsOf(queries, keys)).map((item) => [jobKey(item), item]));
  const differences = new Map((await differencesOf(queries, keys)).map((one) => [jobKey(one), one]));
  const overrides = await readTierOverrides(queries, [...new Set(jobs.map((job) => job.user))]);
  return jobs.map((job) => {
    const item = job.receiptId === null ? undefined : items.get(jobKey(job));
    if (item !== undefined) return explainBilled(pricing, item, differences.get(jobKey(job)));
    return explainUnbilled(
      pricing,
      job,
      tierFor(pricing, overrides, { username: job.user, account: job.account, cluster: job.cluster }),
      now,
    );
  });
}

function explainBilled(pricing: Pricing, item: ReceiptItem, difference: BilledDifference | undefined): Explanation {
  const rate = pricing.book.rates.find((candidate) => candidate.id === item.rateId);
  const rules = pricing.book.ruleSets.find((candidate) => candidate.id === item.ruleSetId);
  const share = rules?.shares.find((candidate) => candidate.tier === item.tier);
  return {
    kind: item.chargeKind,
    isBilled: true,
    tier: item.tier,
    lines: item.lines,
    totalMinor: item.costMinor,
    basis: item.chargeKind === "priced" ? (rules?.basis ?? null) : null,
    rate: rate === undefined ? null : { id: rate.id, effectiveFrom: rate.effectiveFrom },
    reason: item.freeReason,
    share: share === undefined ? null : { millionths: share.millionths, reason: share.reason },
    openCorrectionsMinor: difference?.owedMinor ?? 0n,
    settledCorrectionsMinor: difference?.adjustedMinor ?? 0n,
  };
}

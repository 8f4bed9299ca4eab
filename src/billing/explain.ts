import { z } from "zod";
import { sql, type Queries } from "../db/database.ts";
import { chargeFor, type ChargeLine } from "../rating/charge.ts";
import type { Basis } from "../rating/price-book.ts";
import type { Tier } from "../rating/tiers.ts";
import type { StoredJob } from "../usage/jobs.ts";
import { readTierOverrides, tierFor, type Pricing } from "../usage/prices/book.ts";
import { receiptItemOf } from "./queries.ts";

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
  /** Differences that Slurm reported after the job was billed, still to be settled. */
  readonly openCorrectionsMinor: bigint;
}

/** Explains a job with a price book that was read before: the receipt's snapshot for a billed job, the book for any other. */
export async function explainJob(queries: Queries, pricing: Pricing, job: StoredJob, now: Date): Promise<Explanation> {
  if (job.receiptId !== null) {
    const billed = await explainBilled(queries, pricing, job, job.receiptId);
    if (billed !== undefined) return billed;
  }
  const overrides = await readTierOverrides(queries, [job.user]);
  const tier = tierFor(pricing, overrides, { username: job.user, account: job.account });
  return explainUnbilled(pricing, job, tier, now);
}

/** As `explainJob` for a job on no receipt, when the tier is known already: lists need no query per row. */
export function explainUnbilled(pricing: Pricing, job: StoredJob, tier: Tier, now: Date): Explanation {
  const at = Math.floor(now.getTime() / 1000);
  // A running job has held its resources until now, whatever the last sync saw.
  const current = job.phase === "active" && job.startAt !== null && job.state === "RUNNING" ? { ...job, elapsedSeconds: Math.max(0, at - job.startAt) } : job;
  const charge = chargeFor(current, tier, pricing.book, at);
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
  };
}

async function explainBilled(queries: Queries, pricing: Pricing, job: StoredJob, receiptId: bigint): Promise<Explanation | undefined> {
  const item = await receiptItemOf(queries, receiptId, job);
  if (item === undefined) return undefined;
  const rate = pricing.book.rates.find((candidate) => candidate.id === item.rateId);
  const rules = pricing.book.ruleSets.find((candidate) => candidate.id === item.ruleSetId);
  const share = rules?.shares.find((candidate) => candidate.tier === item.tier);
  const { difference } = await queries.one(
    z.object({ difference: z.string() }),
    sql`SELECT coalesce(sum(after_minor - before_minor), 0)::text AS difference FROM corrections
        WHERE cluster = ${job.cluster} AND raw_job_id = ${job.rawJobId} AND submit_at = to_timestamp(${job.submitAt}::bigint)
          AND receipt_id = ${receiptId} AND status = 'open'`,
  );
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
    openCorrectionsMinor: BigInt(difference),
  };
}

/** What other prices would have made of the usage there was: an estimate from daily sums, never a bill. */
import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import { roundHalfEven } from "../../rating/money.ts";
import { rateInForce, type PriceBook, type Rate } from "../../rating/price-book.ts";
import type { Tier } from "../../rating/tiers.ts";

/** Allocated usage of a tier in one cluster's partition: as fine as the daily sums know what a rate may be narrowed to. */
export interface ScopeUsage {
  readonly cluster: string;
  readonly partition: string;
  readonly jobs: bigint;
  readonly cpuSeconds: bigint;
  readonly gpuSeconds: bigint;
  readonly memMibSeconds: bigint;
}

/** Usage of a tier's finished jobs that ended on these local days, both included. */
export async function usageByScope(
  queries: Queries,
  tier: Tier,
  window: { readonly fromDay: string; readonly toDay: string },
): Promise<ScopeUsage[]> {
  const sum = z.string().transform((text) => BigInt(text));
  const rows = await queries.rows(
    z.object({ cluster: z.string(), partition: z.string(), jobs: sum, cpu: sum, gpu: sum, mem: sum }),
    sql`SELECT cluster, partition, sum(jobs)::text AS jobs, sum(cpu_seconds)::text AS cpu, sum(gpu_seconds)::text AS gpu,
               sum(mem_mib_seconds)::text AS mem
        FROM usage_daily
        WHERE tier = ${tier} AND day >= ${window.fromDay}::date AND day <= ${window.toDay}::date
        GROUP BY cluster, partition ORDER BY cluster, partition`,
  );
  return rows.map(({ cluster, partition, jobs, cpu, gpu, mem }) => {
    return { cluster, partition, jobs, cpuSeconds: cpu, gpuSeconds: gpu, memMibSeconds: mem };
  });
}

/** One resource before and after: how much there was, and what it would cost. */
export interface PreviewLine {
  readonly resource: "cpu" | "gpu" | "mem";
  readonly base: bigint;
  readonly beforeMinor: bigint;
  readonly afterMinor: bigint;
}

export interface RatePreview {
  readonly jobs: bigint;
  readonly lines: readonly PreviewLine[];
  readonly beforeMinor: bigint;
  readonly afterMinor: bigint;
}

type Prices = Omit<Rate, "id" | "effectiveFrom">;

/**
 * Prices the same usage by the book and by the book with one version more. GPUs are counted at the price for types
 * without one of their own, and exemptions and shares are left out, on both sides alike.
 */
export function previewRate(book: PriceBook, next: Prices, usage: readonly ScopeUsage[], at: number): RatePreview {
  const newest = book.rates.reduce((most, { id }) => Math.max(most, id), 0);
  const after: PriceBook = { ...book, rates: [...book.rates, { ...next, id: newest + 1, effectiveFrom: null }] };
  const touched = usage.map((one) => {
    const question = { cluster: one.cluster, partition: one.partition, qos: next.qos ?? "", at };
    return {
      usage: one,
      before: rateInForce(book, next.tier, question),
      after: rateInForce(after, next.tier, question),
    };
  });
  const perUnit = 10n ** BigInt(book.currency.minorDigits);
  const line = (
    resource: PreviewLine["resource"],
    basePerHour: bigint,
    baseOf: (one: ScopeUsage) => bigint,
    priceOf: (rate: Prices) => bigint,
  ): PreviewLine => {
    const cost = (side: "before" | "after"): bigint =>
      touched.reduce((sum, one) => {
        const rate = one[side];
        return rate === undefined ? sum : sum + baseOf(one.usage) * priceOf(rate);
      }, 0n);
    const minor = (exact: bigint): bigint => roundHalfEven(exact * perUnit, basePerHour * 1_000_000n);
    return {
      resource,
      base: usage.reduce((sum, one) => sum + baseOf(one), 0n),
      beforeMinor: minor(cost("before")),
      afterMinor: minor(cost("after")),
    };
  };
  const lines = [
    line(
      "cpu",
      3_600n,
      ({ cpuSeconds }) => cpuSeconds,
      ({ cpuMicro }) => cpuMicro,
    ),
    line(
      "gpu",
      3_600n,
      ({ gpuSeconds }) => gpuSeconds,
      ({ gpuMicro }) => gpuMicro,
    ),
    line(
      "mem",
      1_024n * 3_600n,
      ({ memMibSeconds }) => memMibSeconds,
      ({ memMicro }) => memMicro,
    ),
  ];
  const sum = (of: (one: PreviewLine) => bigint): bigint => lines.reduce((all, one) => all + of(one), 0n);
  return {
    jobs: usage.reduce((all, one) => all + one.jobs, 0n),
    lines,
    beforeMinor: sum(({ beforeMinor }) => beforeMinor),
    afterMinor: sum(({ afterMinor }) => afterMinor),
  };
}

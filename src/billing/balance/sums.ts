/** The sums of our own books over the jobs that ended in some days. */
import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import { COST, ITEM_COST, OWED, SETTLED_JOBS } from "./settlement.ts";
import { endedOn, type BooksDay } from "./window.ts";

/** Usage that was charged in one way: `priced`, `free` for a reason, `nothing` (never ran), `held` (no price yet). */
export interface UsageSum {
  readonly kind: string;
  /** Why it is free or held. */
  readonly reason: string | null;
  readonly jobs: bigint;
  readonly cpuSeconds: bigint;
  readonly gpuSeconds: bigint;
  readonly memMibSeconds: bigint;
  readonly minor: bigint;
}

/** Charges = receipts + settled corrections + corrections still to be settled + unbilled, in minor units. */
export interface ChargeSums {
  readonly totalMinor: bigint;
  readonly billedMinor: bigint;
  readonly settledMinor: bigint;
  readonly owedMinor: bigint;
  readonly unbilledMinor: bigint;
}

export const NO_CHARGES: ChargeSums = {
  totalMinor: 0n,
  billedMinor: 0n,
  settledMinor: 0n,
  owedMinor: 0n,
  unbilledMinor: 0n,
};

const big = z.string().transform((text) => BigInt(text));

export async function usageOfDay(queries: Queries, day: BooksDay): Promise<UsageSum[]> {
  const rows = await queries.rows(
    z.object({
      charge_kind: z.string(),
      reason: z.string().nullable(),
      jobs: z.bigint(),
      cpu_seconds: big,
      gpu_seconds: big,
      mem_mib_seconds: big,
      minor: big,
    }),
    sql`SELECT j.charge_kind, j.free_reason AS reason, count(*) AS jobs, sum(j.alloc_cpus * j.elapsed_seconds)::text AS cpu_seconds,
               sum(j.alloc_gpus * j.elapsed_seconds)::text AS gpu_seconds,
               sum(j.alloc_mem_mib * j.elapsed_seconds)::text AS mem_mib_seconds, sum${COST}::text AS minor
        FROM jobs j WHERE ${endedOn(day)} GROUP BY j.charge_kind, j.free_reason`,
  );
  return rows.map((row) => ({
    kind: row.charge_kind,
    reason: row.reason,
    jobs: row.jobs,
    cpuSeconds: row.cpu_seconds,
    gpuSeconds: row.gpu_seconds,
    memMibSeconds: row.mem_mib_seconds,
    minor: row.minor,
  }));
}

export async function chargesOfDay(queries: Queries, day: BooksDay): Promise<ChargeSums> {
  const row = await queries.one(
    z.object({ total: big, billed: big, settled: big, owed: big, unbilled: big }),
    sql`SELECT coalesce(sum${COST}, 0)::text AS total,
               coalesce(sum(${ITEM_COST}) FILTER (WHERE j.receipt_id IS NOT NULL), 0)::text AS billed,
               coalesce(sum(a.settled), 0)::text AS settled, coalesce(sum${OWED}, 0)::text AS owed,
               coalesce(sum${COST} FILTER (WHERE j.receipt_id IS NULL), 0)::text AS unbilled
        FROM ${SETTLED_JOBS} WHERE ${endedOn(day)}`,
  );
  return {
    totalMinor: row.total,
    billedMinor: row.billed,
    settledMinor: row.settled,
    owedMinor: row.owed,
    unbilledMinor: row.unbilled,
  };
}

/** Adds what is summed under the same kind and reason. */
export function addUsage(sums: Map<string, UsageSum>, more: readonly UsageSum[]): void {
  for (const one of more) {
    const key = JSON.stringify([one.kind, one.reason]);
    const known = sums.get(key);
    sums.set(
      key,
      known === undefined
        ? one
        : {
            ...one,
            jobs: known.jobs + one.jobs,
            cpuSeconds: known.cpuSeconds + one.cpuSeconds,
            gpuSeconds: known.gpuSeconds + one.gpuSeconds,
            memMibSeconds: known.memMibSeconds + one.memMibSeconds,
            minor: known.minor + one.minor,
          },
    );
  }
}

export function addCharges(a: ChargeSums, b: ChargeSums): ChargeSums {
  return {
    totalMinor: a.totalMinor + b.totalMinor,
    billedMinor: a.billedMinor + b.billedMinor,
    settledMinor: a.settledMinor + b.settledMinor,
    owedMinor: a.owedMinor + b.owedMinor,
    unbilledMinor: a.unbilledMinor + b.unbilledMinor,
  };
}

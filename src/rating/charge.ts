import { MICRO, roundHalfEven } from "./money.ts";
import { rateInForce, rulesInForce, type Exemption, type PriceBook, type Rate, type RuleSet } from "./price-book.ts";
import type { Tier } from "./tiers.ts";

/** What a price depends on; a `JobRecord` is one. */
export interface RatableJob {
  readonly cluster: string;
  readonly partition: string;
  readonly qos: string;
  readonly phase: "finished" | "active" | "unknown";
  readonly state: string;
  /** Seconds since 1970 UTC. */
  readonly endAt: number | null;
  readonly elapsedSeconds: number;
  readonly allocCpus: number;
  readonly allocMemMib: number;
  readonly allocGpus: number;
  readonly gpuTypes: readonly { readonly type: string; readonly count: number }[];
  readonly usedCpuMs: bigint | null;
  readonly usedMemKibSeconds: bigint | null;
}

/** What was counted, in base units, and how many of them make one hour unit. */
export interface Quantity {
  readonly base: bigint;
  /** 3,600 for seconds, 3,600,000 for milliseconds, 1,024 × 3,600 for MiB-seconds to GiB-hours, 1,024² × 3,600 for KiB-seconds. */
  readonly basePerHour: bigint;
}

/** One resource of one job: quantity × rate × share, exact, then rounded once. */
export interface ChargeLine {
  readonly resource: "cpu" | "gpu" | "mem";
  /** The type this line prices by its own rate, or the single type it counts; null for a mix without prices of their own. */
  readonly gpuType: string | null;
  /** Cores, GPUs or MiB that were held; null where the line counts what was used. */
  readonly allocated: number | null;
  readonly quantity: Quantity;
  readonly rateMicro: bigint;
  readonly shareMillionths: bigint;
  readonly amountMinor: bigint;
}

/** Why a finished job is free: the exemption that matched. */
export interface FreeReason {
  readonly kind: Exemption["kind"];
  readonly reason: string;
}

/**
 * The price of one job, or why it has none:
 * `priced` it ended and costs what its lines say; `free` an exemption holds; `nothing` it never ran;
 * `accruing` it still runs, the lines say what it would cost if it ended now; `held` it cannot be priced yet.
 */
export type Charge =
  | {
      readonly kind: "priced" | "accruing";
      readonly tier: Tier;
      readonly rate: Rate;
      readonly rules: RuleSet;
      readonly lines: readonly ChargeLine[];
      readonly totalMinor: bigint;
    }
  | { readonly kind: "free"; readonly tier: Tier; readonly rules: RuleSet; readonly free: FreeReason }
  | { readonly kind: "nothing"; readonly tier: Tier; readonly rules: RuleSet }
  | { readonly kind: "held"; readonly tier: Tier; readonly reason: "unknown_state" | "no_rate" };

const SECONDS_PER_HOUR = 3_600n;
const MS_PER_HOUR = 3_600_000n;
const MIB_SECONDS_PER_GIB_HOUR = 1_024n * 3_600n;
const KIB_SECONDS_PER_GIB_HOUR = 1_024n * 1_024n * 3_600n;

/**
 * Prices one job for a tier, with the rates and rules in force when it ended. Pure: the same job, tier and book always
 * give the same charge.
 *
 * @param at for a job that has not ended: the instant its cost so far is asked for, in seconds since 1970 UTC.
 */
export function chargeFor(job: RatableJob, tier: Tier, book: PriceBook, at?: number): Charge {
  if (job.phase === "unknown") return { kind: "held", tier, reason: "unknown_state" };
  const instant = job.phase === "finished" ? job.endAt : (at ?? job.endAt ?? Number.MAX_SAFE_INTEGER);
  if (instant === null) return { kind: "held", tier, reason: "unknown_state" };
  const rules = rulesInForce(book, instant);
  if (rules === undefined) return { kind: "held", tier, reason: "no_rate" };
  if (job.phase === "finished") {
    if (job.elapsedSeconds === 0) return { kind: "nothing", tier, rules };
    const free = exemptionOf(job, rules);
    if (free !== undefined) return { kind: "free", tier, rules, free };
  }
  const rate = rateInForce(book, tier, { cluster: job.cluster, partition: job.partition, qos: job.qos, at: instant });
  if (rate === undefined) return { kind: "held", tier, reason: "no_rate" };
  const kind = job.phase === "finished" ? "priced" : "accruing";
  return { kind, ...priceWith(job, tier, rate, rules, book.currency.minorDigits) };
}

/** Prices a job with a rate and rules that are already chosen, as a correction of a billed job needs. */
export function priceWith(
  job: RatableJob,
  tier: Tier,
  rate: Rate,
  rules: RuleSet,
  minorDigits: number,
): { tier: Tier; rate: Rate; rules: RuleSet; lines: ChargeLine[]; totalMinor: bigint } {
  const share = rules.shares.find((candidate) => candidate.tier === tier)?.millionths ?? MICRO;
  const lines = [...resourceLines(job, rate, rules)].map((line): ChargeLine => {
    return {
      ...line,
      shareMillionths: share,
      amountMinor: lineAmount(line.quantity, line.rateMicro, share, minorDigits),
    };
  });
  return { tier, rate, rules, lines, totalMinor: lines.reduce((sum, line) => sum + line.amountMinor, 0n) };
}

/** quantity × rate × share in minor units: one rational, rounded once, half to even. */
export function lineAmount(
  quantity: Quantity,
  rateMicro: bigint,
  shareMillionths: bigint,
  minorDigits: number,
): bigint {
  const minorPerUnit = 10n ** BigInt(minorDigits);
  if (shareMillionths === MICRO) {
    return roundHalfEven(quantity.base * rateMicro * minorPerUnit, quantity.basePerHour * MICRO);
  }
  return roundHalfEven(
    quantity.base * rateMicro * shareMillionths * minorPerUnit,
    quantity.basePerHour * MICRO * MICRO,
  );
}

function exemptionOf(job: RatableJob, rules: RuleSet): FreeReason | undefined {
  for (const exemption of rules.exemptions) {
    const holds =
      exemption.kind === "state"
        ? exemption.state === job.state
        : exemption.kind === "partition"
          ? exemption.partition === job.partition
          : job.elapsedSeconds < exemption.seconds;
    if (holds) return { kind: exemption.kind, reason: exemption.reason };
  }
  return undefined;
}

type UnpricedLine = Omit<ChargeLine, "shareMillionths" | "amountMinor">;

function* resourceLines(job: RatableJob, rate: Rate, rules: RuleSet): Generator<UnpricedLine> {
  const elapsed = BigInt(job.elapsedSeconds);
  const usesUsed = rules.basis === "used";
  if (usesUsed && job.usedCpuMs !== null) {
    yield line("cpu", null, null, job.usedCpuMs, MS_PER_HOUR, rate.cpuMicro);
  } else if (job.allocCpus > 0) {
    yield line("cpu", null, job.allocCpus, BigInt(job.allocCpus) * elapsed, SECONDS_PER_HOUR, rate.cpuMicro);
  }
  yield* gpuLines(job, rate, elapsed);
  if (usesUsed && job.usedMemKibSeconds !== null) {
    yield line("mem", null, null, job.usedMemKibSeconds, KIB_SECONDS_PER_GIB_HOUR, rate.memMicro);
  } else if (job.allocMemMib > 0) {
    yield line(
      "mem",
      null,
      job.allocMemMib,
      BigInt(job.allocMemMib) * elapsed,
      MIB_SECONDS_PER_GIB_HOUR,
      rate.memMicro,
    );
  }
}

/** A line for every GPU type with a price of its own, and one for all the rest together. */
function* gpuLines(job: RatableJob, rate: Rate, elapsed: bigint): Generator<UnpricedLine> {
  let rest = job.allocGpus;
  const restTypes: string[] = [];
  for (const gpu of job.gpuTypes) {
    const own = rate.gpuTypeMicro.get(gpu.type);
    if (own === undefined) {
      restTypes.push(gpu.type);
      continue;
    }
    rest -= gpu.count;
    yield line("gpu", gpu.type, gpu.count, BigInt(gpu.count) * elapsed, SECONDS_PER_HOUR, own);
  }
  if (rest <= 0) return;
  const onlyType = restTypes.length === 1 && rest === countOf(job, restTypes[0]) ? (restTypes[0] ?? null) : null;
  yield line("gpu", onlyType, rest, BigInt(rest) * elapsed, SECONDS_PER_HOUR, rate.gpuMicro);
}

function countOf(job: RatableJob, type: string | undefined): number {
  return job.gpuTypes.find((gpu) => gpu.type === type)?.count ?? 0;
}

function line(
  resource: ChargeLine["resource"],
  gpuType: string | null,
  allocated: number | null,
  base: bigint,
  basePerHour: bigint,
  rateMicro: bigint,
): UnpricedLine {
  return { resource, gpuType, allocated, quantity: { base, basePerHour }, rateMicro };
}

/** Sums of a charge's lines by resource, zero where there is none. */
export function amountsByResource(charge: Charge): { cpuMinor: bigint; gpuMinor: bigint; memMinor: bigint } {
  let cpuMinor = 0n;
  let gpuMinor = 0n;
  let memMinor = 0n;
  if (charge.kind === "priced" || charge.kind === "accruing") {
    for (const { resource, amountMinor } of charge.lines) {
      if (resource === "cpu") cpuMinor += amountMinor;
      else if (resource === "gpu") gpuMinor += amountMinor;
      else memMinor += amountMinor;
    }
  }
  return { cpuMinor, gpuMinor, memMinor };
}

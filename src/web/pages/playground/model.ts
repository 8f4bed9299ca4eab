/** What the price calculator is asked, and what it answers. */
import type { Tier } from "../../../rating/tiers.ts";
import type { WhyView } from "../me/job-model.ts";

/** The fields as they were typed; their names are those of the address. */
export const CALC_FIELDS = ["cores", "gpus", "gpu_type", "memory", "hours", "jobs", "cluster", "partition"] as const;
export type CalcField = (typeof CALC_FIELDS)[number];
export type CalcTexts = Readonly<Record<CalcField, string>>;

/** A job that was asked for, in base units. */
export interface AskedJob {
  readonly cores: number;
  readonly gpus: number;
  readonly gpuType: string;
  readonly memMib: number;
  readonly seconds: number;
  readonly jobs: number;
  readonly cluster: string;
  readonly partition: string;
}

export type CalcProblems = Partial<Record<CalcField, CalcWrongKey>>;
export type CalcWrongKey =
  | "calc.wrong.cores"
  | "calc.wrong.gpus"
  | "calc.wrong.gpuType"
  | "calc.wrong.memory"
  | "calc.wrong.hours"
  | "calc.wrong.jobs"
  | "calc.wrong.place";

/** What one job of the asked kind costs a tier. */
export interface TierCost {
  readonly tier: Tier;
  readonly isOwn: boolean;
  readonly cpuMinor: bigint;
  readonly gpuMinor: bigint;
  readonly memMinor: bigint;
  readonly oneMinor: bigint;
  readonly allMinor: bigint;
  readonly why: WhyView;
}

export interface CalcAnswer {
  readonly asked: AskedJob;
  readonly own: TierCost;
  readonly tiers: readonly TierCost[];
  /** With the tax a receipt adds; null where it adds none. */
  readonly taxed: { readonly tax: string; readonly totalMinor: bigint } | null;
}

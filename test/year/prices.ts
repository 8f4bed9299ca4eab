/** What the centre changes about its prices in a life. Amounts are decimals, as an admin types them. */
import { localDay, midnightOf } from "./berlin.ts";
import { FAVOURED_USER } from "./people.ts";

export type Tier = "mu" | "gov" | "private";

export interface RateChange {
  readonly kind: "rate";
  readonly tier: Tier;
  /** Per core-hour, GPU-hour and GiB-hour. */
  readonly cpu: string;
  readonly gpu: string;
  readonly mem: string;
  /** Per hour of a GPU type that has a price of its own. */
  readonly gpuTypes: Readonly<Record<string, string>>;
  /** Null: for all usage that is not billed yet. */
  readonly from: number | null;
}

export interface RulesChange {
  readonly kind: "rules";
  /** End states that cost nothing. */
  readonly freeStates: readonly string[];
  /** Percent of the full price that a tier pays. */
  readonly shares: readonly { readonly tier: Tier; readonly percent: number }[];
  readonly from: number | null;
}

export interface OverrideChange {
  readonly kind: "override";
  readonly user: string;
  readonly tier: Tier;
}

export type PriceChange = (RateChange | RulesChange | OverrideChange) & {
  /** When the admin enters it; seconds since 1970 UTC. */
  readonly at: number;
};

/** Prices from the first day on, then changes with an effective day, without one, and with one in the past. */
export function priceChanges(from: number, to: number): PriceChange[] {
  const when = (share: number): number => from + Math.floor((to - from) * share);
  const dayOf = (at: number): number => midnightOf(localDay(at));
  return [
    { at: from, kind: "rate", tier: "mu", cpu: "1.25", gpu: "42.5", mem: "0.035", gpuTypes: { a100: "55.123457" }, from: null },
    { at: from, kind: "rate", tier: "gov", cpu: "2", gpu: "65", mem: "0.05", gpuTypes: { a100: "80" }, from: null },
    { at: from, kind: "rate", tier: "private", cpu: "3.999999", gpu: "140.5", mem: "0.1", gpuTypes: {}, from: null },
    { at: when(0.2), kind: "override", user: FAVOURED_USER, tier: "gov" },
    { at: when(0.35), kind: "rate", tier: "mu", cpu: "1.5", gpu: "45", mem: "0.0375", gpuTypes: { a100: "50", h100: "90.9" }, from: dayOf(when(0.42)) },
    { at: when(0.45), kind: "rules", freeStates: ["NODE_FAIL"], shares: [], from: dayOf(when(0.5)) },
    { at: when(0.55), kind: "rate", tier: "gov", cpu: "1.111111", gpu: "60", mem: "0.055", gpuTypes: { a100: "77.7", h100: "111" }, from: null },
    { at: when(0.7), kind: "rate", tier: "private", cpu: "4.2", gpu: "150", mem: "0.12", gpuTypes: { a100: "160" }, from: dayOf(when(0.65)) },
    { at: when(0.8), kind: "rules", freeStates: ["NODE_FAIL", "BOOT_FAIL"], shares: [{ tier: "gov", percent: 75 }], from: dayOf(when(0.82)) },
  ]; // prettier-ignore
}

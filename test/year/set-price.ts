import { parseMicro } from "../../src/rating/money.ts";
import { setRate, setRules, setTierOverride, type PriceContext } from "../../src/usage/prices/change.ts";
import type { PriceChange, RateChange, RulesChange } from "./prices.ts";

const by = { actor: "root" };

/** Enters a change of prices as an admin does. */
export async function setPrice(context: PriceContext, change: PriceChange): Promise<void> {
  switch (change.kind) {
    case "override":
      await setTierOverride(context, change.user, change.tier, by);
      return;
    case "rules":
      await setRules(context, rulesOf(change), by);
      return;
    case "rate":
      await setRate(context, rateOf(change), by);
  }
}

function rulesOf({ freeStates, shares, from }: RulesChange): Parameters<typeof setRules>[1] {
  return {
    basis: "allocated",
    exemptions: freeStates.map((state) => ({ kind: "state", state, reason: "not the job's fault" })),
    shares: shares.map(({ tier, percent }) => ({ tier, millionths: BigInt(percent) * 10_000n, reason: "subsidy" })),
    effectiveFrom: dateOf(from),
    note: "",
  };
}

function rateOf({ tier, cpu, gpu, mem, gpuTypes, from }: RateChange): Parameters<typeof setRate>[1] {
  return {
    tier,
    cpuMicro: micro(cpu),
    gpuMicro: micro(gpu),
    memMicro: micro(mem),
    gpuTypeMicro: new Map(Object.entries(gpuTypes).map(([type, price]) => [type, micro(price)])),
    effectiveFrom: dateOf(from),
    note: "",
  };
}

function dateOf(at: number | null): Date | null {
  return at === null ? null : new Date(at * 1000);
}

function micro(price: string): bigint {
  const value = parseMicro(price);
  if (value === undefined) throw new Error(`${price} is not a price`);
  return value;
}

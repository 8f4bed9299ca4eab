import type { Charge, ChargeLine } from "../rating/charge.ts";
import type { Tier } from "../rating/tiers.ts";

/** One resource line of a receipt: the sum of its jobs' lines, each of which was rounded once. */
export interface LineSum {
  readonly tier: Tier;
  readonly resource: ChargeLine["resource"];
  readonly gpuType: string | null;
  readonly rateId: number;
  readonly rateMicro: bigint;
  readonly shareMillionths: bigint;
  readonly base: bigint;
  readonly basePerHour: bigint;
  readonly amountMinor: bigint;
}

const RESOURCE_ORDER: readonly string[] = ["cpu", "gpu", "mem"];

/** Adds up charge lines that were priced alike. */
export class LineSums {
  readonly #sums = new Map<string, LineSum>();

  add(charge: Extract<Charge, { kind: "priced" | "accruing" }>): void {
    for (const line of charge.lines) {
      const key = [
        charge.tier,
        line.resource,
        line.gpuType,
        charge.rate.id,
        line.shareMillionths,
        line.quantity.basePerHour,
      ].join("|");
      const known = this.#sums.get(key);
      this.#sums.set(key, {
        tier: charge.tier,
        resource: line.resource,
        gpuType: line.gpuType,
        rateId: charge.rate.id,
        rateMicro: line.rateMicro,
        shareMillionths: line.shareMillionths,
        base: (known?.base ?? 0n) + line.quantity.base,
        basePerHour: line.quantity.basePerHour,
        amountMinor: (known?.amountMinor ?? 0n) + line.amountMinor,
      });
    }
  }

  /** CPU, GPU by type, memory; within them the older rate first. */
  lines(): LineSum[] {
    return [...this.#sums.values()].sort(
      (a, b) =>
        RESOURCE_ORDER.indexOf(a.resource) - RESOURCE_ORDER.indexOf(b.resource) ||
        (a.gpuType ?? "").localeCompare(b.gpuType ?? "", "en") ||
        a.rateId - b.rateId,
    );
  }
}

import { MICRO, roundHalfEven } from "./money.ts";

/** Tax on a receipt. A rate of 7 % is 70,000 millionths. */
export interface TaxRule {
  readonly label: string;
  readonly rateMicro: bigint;
  /** True: the prices already contain the tax. */
  readonly inclusive: boolean;
}

/** Tax of a subtotal and the total to pay, rounded once, half to even. No rule: no tax. */
export function taxOn(subtotalMinor: bigint, tax: TaxRule | null): { taxMinor: bigint; totalMinor: bigint } {
  if (tax === null) return { taxMinor: 0n, totalMinor: subtotalMinor };
  if (tax.inclusive) {
    return { taxMinor: roundHalfEven(subtotalMinor * tax.rateMicro, MICRO + tax.rateMicro), totalMinor: subtotalMinor };
  }
  const taxMinor = roundHalfEven(subtotalMinor * tax.rateMicro, MICRO);
  return { taxMinor, totalMinor: subtotalMinor + taxMinor };
}

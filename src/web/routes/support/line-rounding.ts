import type { ReceiptLine } from "../../../billing/queries.ts";
import { lineAmount } from "../../../rating/charge.ts";
import { currencyOf } from "../../../rating/money.ts";

/** Whether a line's amount is not its quantity × rate, rounded once: the sum of its jobs' amounts need not be. */
export function isRounded(
  { quantity, rateMicro, shareMillionths, amountMinor }: ReceiptLine,
  currency: string,
): boolean {
  return lineAmount(quantity, rateMicro, shareMillionths, currencyOf(currency)?.minorDigits ?? 2) !== amountMinor;
}

import { currencyOf, formatMinor } from "../rating/money.ts";
import type { Receipt } from "./queries.ts";

/** Columns of the file of paid receipts. */
export function paidColumns(
  instant: (epochSeconds: number) => string,
): { readonly header: string; readonly value: (receipt: Receipt) => string | number | bigint | null }[] {
  const at = (date: Date | null): string | null => (date === null ? null : instant(Math.floor(date.getTime() / 1000)));
  const money = (receipt: Receipt, minor: bigint): string =>
    formatMinor(minor, currencyOf(receipt.currency) ?? { code: receipt.currency, minorDigits: 2 });
  return [
    { header: "receipt", value: (receipt) => receipt.number },
    { header: "user", value: (receipt) => receipt.userName },
    { header: "accounts", value: (receipt) => receipt.accounts },
    { header: "tier", value: (receipt) => receipt.tier },
    { header: "jobs", value: (receipt) => receipt.jobs },
    { header: "up_to", value: (receipt) => receipt.cutoffDay },
    { header: "issued", value: (receipt) => at(receipt.issuedAt) },
    { header: "paid", value: (receipt) => at(receipt.paidAt) },
    { header: "method", value: (receipt) => receipt.paidMethod },
    { header: "reference", value: (receipt) => receipt.paidReference },
    { header: "subtotal", value: (receipt) => money(receipt, receipt.subtotalMinor) },
    { header: "tax", value: (receipt) => money(receipt, receipt.taxMinor) },
    { header: "total", value: (receipt) => money(receipt, receipt.totalMinor) },
    { header: "currency", value: (receipt) => receipt.currency },
    // Part of the subtotal; at the end, so that the columns before keep their places.
    { header: "adjustments", value: (receipt) => money(receipt, receipt.adjustmentsMinor) },
    { header: "credited", value: (receipt) => money(receipt, receipt.creditedMinor) },
    { header: "received", value: (receipt) => money(receipt, receipt.receivedMinor) },
  ];
}

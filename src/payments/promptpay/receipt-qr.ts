/** The PromptPay QR of a receipt: paid from any Thai bank's app, found again on the bank's statement. */
import { currencyOf } from "../../rating/money.ts";
import { paymentReference } from "../bank/reference.ts";
import { promptPayPayload } from "./qr.ts";
import type { PromptPayTarget } from "./target.ts";

/** Who is paid, as the site is configured. */
export interface PromptPaySite {
  readonly target: PromptPayTarget;
  readonly name: string;
}

export interface ReceiptQr {
  /** Text of the code. */
  readonly payload: string;
  /** What the payer has to give where their app lets them. */
  readonly reference: string;
  readonly name: string;
  readonly amountMinor: bigint;
}

/** Null where the receipt cannot be paid like that: it is not open, or not in THB. */
export function receiptQr(
  site: PromptPaySite | null,
  receipt: { readonly number: string; readonly status: string; readonly currency: string; readonly dueMinor: bigint },
): ReceiptQr | null {
  const currency = currencyOf(receipt.currency);
  const isPayable = receipt.status === "pending" && receipt.dueMinor > 0n && currency?.code === "THB";
  if (site === null || currency === undefined || !isPayable) return null;
  const reference = paymentReference(receipt.number);
  const request = { target: site.target, amountMinor: receipt.dueMinor, currency, reference };
  return { payload: promptPayPayload(request), reference, name: site.name, amountMinor: receipt.dueMinor };
}

import { encode, tag, withCrcTag, type TLVTag } from "promptparse";
import { UserError } from "../../errors.ts";
import { formatMinor, type Currency } from "../../rating/money.ts";
import { isMobile, type PromptPayTarget } from "./target.ts";

/** Application ids of the Thai QR Payment Standard: credit transfer to a PromptPay ID, and domestic bill payment. */
const CREDIT_TRANSFER = "A000000677010111";
const BILL_PAYMENT = "A000000677010112";
/** 9,999,999,999.99 THB: tag 54 holds 13 characters. */
const MAX_SATANG = 999_999_999_999n;

export interface PromptPayRequest {
  readonly target: PromptPayTarget;
  /** Satang, 1 to 999,999,999,999. */
  readonly amountMinor: bigint;
  readonly currency: Currency;
  /** What comes back on the bank's statement: 1 to 20 of A-Z and 0-9 (`paymentReference` of a receipt). */
  readonly reference: string;
}

/**
 * The text of a PromptPay QR for an exact amount (EMVCo merchant-presented QR, Thai QR Payment Standard). It says "12"
 * (dynamic) in tag 01: Thai apps lock the amount of such a code, and it is meant for one payment.
 *
 * A biller gets the reference as ref 1 of tag 30, which the paying app shows and the bank reports. A transfer to a
 * PromptPay ID has no such field: the reference goes into tag 62, which an app may leave out.
 * @throws UserError for a currency other than THB, an amount out of range or a reference that the code cannot carry.
 */
export function promptPayPayload({ target, amountMinor, currency, reference }: PromptPayRequest): string {
  if (currency.code !== "THB" || currency.minorDigits !== 2)
    throw new UserError(`PromptPay pays in THB only; the amount is in ${currency.code}.`);
  const amount = formatMinor(amountMinor, currency);
  if (amountMinor < 1n || amountMinor > MAX_SATANG)
    throw new UserError(`PromptPay carries amounts from 0.01 to 9999999999.99 THB; the amount is ${amount} THB.`);
  if (!/^[A-Z0-9]{1,20}$/u.test(reference))
    throw new UserError(`A PromptPay reference is 1 to 20 characters of A-Z and 0-9; this one is "${reference}".`);
  const fields = [
    tag("00", "01"),
    tag("01", "12"),
    accountOf(target, reference),
    tag("53", "764"),
    tag("54", amount),
    tag("58", "TH"),
  ];
  // Bill number and reference label: which of the two an app shows is its own choice.
  if (target.kind === "person") fields.push(tag("62", encode([tag("01", reference), tag("05", reference)])));
  return withCrcTag(encode(fields), "63");
}

function accountOf(target: PromptPayTarget, reference: string): TLVTag {
  if (target.kind === "biller")
    return tag("30", encode([tag("00", BILL_PAYMENT), tag("01", target.billerId), tag("02", reference)]));
  return tag("29", encode([tag("00", CREDIT_TRANSFER), proxyOf(target.id)]));
}

function proxyOf(id: string): TLVTag {
  // A mobile number is written with its country code, in 13 digits.
  if (isMobile(id)) return tag("01", `0066${id.slice(1)}`);
  return id.length === 13 ? tag("02", id) : tag("03", id);
}

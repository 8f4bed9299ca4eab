import { UserError } from "../../errors.ts";
import { currencyOf } from "../../rating/money.ts";
import { elementsAt, textAt, type XmlElement } from "./xml-tree.ts";
import { quoted } from "./statement.ts";

export interface CamtAmount {
  /** Minor units of `currency`. */
  readonly minor: bigint;
  /** ISO 4217 code. */
  readonly currency: string;
}

/**
 * The amount of an element that has `Amt` and, unless `direction` is given, `CdtDbtInd`: positive for a credit,
 * negative for a debit. A reversal has the sign of what it does, not of what it takes back (ISO 20022, RvslInd).
 * @throws UserError naming `place`.
 */
export function signedAmount(element: XmlElement, place: string): CamtAmount {
  const amount = elementsAt(element, "Amt").at(0);
  if (amount === undefined) throw new UserError(`There is no amount (Amt) in ${place}.`);
  return withDirection(plainAmount(amount, place), textAt(element, "CdtDbtInd"), place);
}

/** @throws UserError for an indicator that is not CRDT or DBIT. */
export function withDirection({ minor, currency }: CamtAmount, indicator: string, place: string): CamtAmount {
  if (indicator === "CRDT") return { minor, currency };
  if (indicator === "DBIT") return { minor: -minor, currency };
  throw new UserError(`CdtDbtInd in ${place} is ${quoted(indicator)}; accepted are CRDT and DBIT.`);
}

/** An amount element, `<Amt Ccy="THB">1.50</Amt>`: a decimal of XML Schema without sign, exact in minor units. */
export function plainAmount(element: XmlElement, place: string): CamtAmount {
  const code = element.attributes.get("Ccy") ?? "";
  const currency = currencyOf(code);
  if (currency === undefined)
    throw new UserError(`The amount in ${place} has the currency ${quoted(code)}; accepted are codes of ISO 4217.`);
  const match = /^\+?(\d{0,18})(?:\.(\d{0,18}))?$/u.exec(element.text);
  const whole = match?.[1] ?? "";
  const fraction = (match?.[2] ?? "").replace(/0+$/u, "");
  if (match === null || !/\d/u.test(element.text) || fraction.length > currency.minorDigits)
    throw new UserError(
      `The amount in ${place} is ${quoted(element.text)}; accepted are digits with at most ${currency.minorDigits} decimals after a point.`,
    );
  return { minor: BigInt(whole + fraction.padEnd(currency.minorDigits, "0")), currency: currency.code };
}

import type { Currency } from "../../rating/money.ts";

export type DecimalMark = "." | ",";

/** A number cell: nothing in it, an amount in minor units, or something else. */
export type AmountCell =
  { readonly kind: "empty" } | { readonly kind: "amount"; readonly minor: bigint } | { readonly kind: "unreadable" };

const EMPTY: AmountCell = { kind: "empty" };
const UNREADABLE: AmountCell = { kind: "unreadable" };

const UNIT = String.raw`(฿|€|£|บาท|[A-Z]{3})?`;
const SIGNED = new RegExp(String.raw`^([-+]?)\s*${UNIT}\s*([-+]?)\s*([\d.,]*\d)\s*${UNIT}\s*([-+]?)$`, "iu");
const UNIT_CODES: ReadonlyMap<string, string> = new Map([["฿", "THB"], ["บาท", "THB"], ["€", "EUR"], ["£", "GBP"]]); // prettier-ignore

/** More digits than any bank account holds, and few enough for a column of the database. */
const MAX_DIGITS = 18;

interface Bare {
  readonly digits: string;
  readonly negative: boolean;
  readonly units: readonly string[];
}

/**
 * Which mark separates the decimals in a file, by all its number cells: `1,234.50` and `100.0` speak for the point,
 * `1.234,50` and `1.234` (thousands, as no amount has three decimals) for the comma. Where nothing tells, the point.
 */
export function decimalMarkOf(cells: readonly string[], { minorDigits }: Currency): DecimalMark {
  let pointVotes = 0;
  for (const cell of cells) {
    const digits = bareNumber(cell)?.digits ?? "";
    const marks = digits.replace(/\d/gu, "");
    const last = marks.at(-1);
    if (last === undefined) continue;
    const isThree = marks.length === 1 && /^[1-9]\d{0,2}.\d{3}$/u.test(digits);
    // In a currency of three decimals, this is a thousand or one: it says nothing.
    if (isThree && minorDigits === 3) continue;
    const isGrouping = isThree || (marks.length > 1 && new Set(marks).size === 1);
    pointVotes += (last === ".") === isGrouping ? -1 : 1;
  }
  return pointVotes < 0 ? "," : ".";
}

/**
 * Reads `1,234.50`, `(100.00)`, `-100`, `100.00-`, `฿100.00` or `100.00 THB`. A blank or a mere dash is empty. It is
 * unreadable with another currency than that of the row, or more decimals than the currency has.
 */
export function readAmountCell(cell: string, mark: DecimalMark, currency: Currency): AmountCell {
  if (/^[-–—]*$/u.test(cell.trim())) return EMPTY;
  const bare = bareNumber(cell);
  if (bare === undefined || bare.units.some((unit) => unit !== currency.code)) return UNREADABLE;
  const grouping = mark === "." ? "," : ".";
  const fraction = currency.minorDigits === 0 ? "" : String.raw`(?:[${mark}](\d{1,${currency.minorDigits}}))?`;
  const number = new RegExp(String.raw`^([1-9]\d{0,2}(?:[${grouping}]\d{3})+|\d*)${fraction}$`, "u").exec(bare.digits);
  if (number === null) return UNREADABLE;
  const whole = (number[1] ?? "").replaceAll(grouping, "");
  const digits = whole + (number[2] ?? "").padEnd(currency.minorDigits, "0");
  if (digits.length > MAX_DIGITS) return UNREADABLE;
  const minor = BigInt(digits);
  return { kind: "amount", minor: bare.negative ? -minor : minor };
}

/** Digits with their marks, and what stands around them; undefined when that is anything but a sign or a currency. */
function bareNumber(cell: string): Bare | undefined {
  const text = cell
    .normalize("NFKC")
    .replaceAll("\u2212", "-")
    .trim()
    // Blanks and apostrophes as thousands separators.
    .replace(/(?<=\d)[\s'’](?=\d{3}(?!\d))/gu, "");
  const bracketed = /^\((.*)\)$/u.exec(text)?.[1];
  const match = SIGNED.exec(bracketed ?? text);
  if (match === null) return undefined;
  const [, before = "", unitBefore = "", between = "", digits = "", unitAfter = "", after = ""] = match;
  const signs = before + between + after;
  if (signs.length > 1 || (bracketed !== undefined && signs !== "")) return undefined;
  const units = [unitBefore, unitAfter].filter((unit) => unit !== "");
  return {
    digits,
    negative: bracketed !== undefined || signs === "-",
    units: units.map((unit) => UNIT_CODES.get(unit) ?? unit.toUpperCase()),
  };
}

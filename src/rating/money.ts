/**
 * Exact money: amounts are integer minor units (satang, cents) in a bigint, prices are millionths of the currency unit
 * in a bigint, and the only place where anything is rounded is `roundHalfEven`.
 */

/** ISO 4217 minor units that are not 2 (list one, amendment 177). */
const MINOR_DIGITS: Readonly<Record<string, number>> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
  CLF: 4, UYW: 4,
}; // prettier-ignore

export interface Currency {
  /** ISO 4217 alphabetic code. */
  readonly code: string;
  /** How many decimals the minor unit stands for. */
  readonly minorDigits: number;
}

const KNOWN_CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** The currency of a code such as `THB`; undefined for what ISO 4217 does not list. */
export function currencyOf(code: string): Currency | undefined {
  const upper = code.toUpperCase();
  if (!KNOWN_CURRENCIES.has(upper)) return undefined;
  return { code: upper, minorDigits: MINOR_DIGITS[upper] ?? 2 };
}

/** `numerator / denominator` rounded to the nearest integer, a tie to the even one. The denominator must be positive. */
export function roundHalfEven(numerator: bigint, denominator: bigint): bigint {
  if (denominator <= 0n) throw new RangeError("the denominator must be positive");
  const quotient = numerator / denominator;
  const remainder = numerator - quotient * denominator;
  if (remainder === 0n) return quotient;
  const negative = numerator < 0n;
  const twice = 2n * (negative ? -remainder : remainder);
  const away = negative ? quotient - 1n : quotient + 1n;
  if (twice > denominator) return away;
  if (twice < denominator) return quotient;
  return quotient % 2n === 0n ? quotient : away;
}

/** Millionths in one unit of currency (rates) or in one whole (shares, tax rates). */
export const MICRO = 1_000_000n;

/** Ten million millions: no rate is larger. */
const MAX_MICRO = 10n ** 13n * MICRO;

/**
 * Reads a non-negative decimal with at most six places (`"42.5"`) as millionths (42500000n), exactly.
 * Undefined for anything else: signs, exponents, blanks, too many places, absurd size.
 */
export function parseMicro(text: string): bigint | undefined {
  const match = /^(\d{1,14})(?:\.(\d{1,6})0*)?$/u.exec(text.trim());
  const whole = match?.[1];
  if (whole === undefined) return undefined;
  const micro = BigInt(whole) * MICRO + BigInt((match?.[2] ?? "").padEnd(6, "0"));
  return micro <= MAX_MICRO ? micro : undefined;
}

/** Millionths as a plain decimal without trailing zeros: 42500000n is `42.5`. */
export function formatMicro(micro: bigint): string {
  const fraction = (micro % MICRO).toString().padStart(6, "0").replace(/0+$/u, "");
  return fraction === "" ? `${micro / MICRO}` : `${micro / MICRO}.${fraction}`;
}

/** Minor units as a plain decimal, for files and APIs: 12345n in THB is `123.45`. */
export function formatMinor(minor: bigint, currency: Currency): string {
  const sign = minor < 0n ? "-" : "";
  const digits = (minor < 0n ? -minor : minor).toString().padStart(currency.minorDigits + 1, "0");
  if (currency.minorDigits === 0) return sign + digits;
  return `${sign}${digits.slice(0, -currency.minorDigits)}.${digits.slice(-currency.minorDigits)}`;
}

/** Far above any receipt, far below what a bigint column holds. */
const MAX_MINOR = 10n ** 15n;

/**
 * Reads an amount as people write it (`1,234.50`, `1234.5`, `20`) as minor units of a currency, exactly. Undefined for
 * anything else: signs, other separators, more decimals than the currency has, absurd size.
 */
export function parseMinor(text: string, { minorDigits }: Currency): bigint | undefined {
  const match = /^(\d{1,15}|\d{1,3}(?:,\d{3}){1,5})(?:\.(\d{1,4}))?$/u.exec(text.trim());
  const whole = match?.[1];
  const fraction = match?.[2] ?? "";
  if (whole === undefined || fraction.length > minorDigits) return undefined;
  const minor = BigInt(whole.replaceAll(",", "") + fraction.padEnd(minorDigits, "0"));
  return minor <= MAX_MINOR ? minor : undefined;
}

/** An amount with its currency, as messages show it: `1234.50 THB`. */
export function amountText(minor: bigint, code: string): string {
  const currency = currencyOf(code);
  return currency === undefined ? `${minor} ${code}` : `${formatMinor(minor, currency)} ${currency.code}`;
}

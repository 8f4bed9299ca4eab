/** Our amounts (minor units of ISO 4217) and Stripe's. Source: docs.stripe.com/currencies, "minor units in API amounts". */
import { UserError } from "../../errors.ts";
import { currencyOf, formatMinor, type Currency } from "../../rating/money.ts";

/** Where Stripe counts in other decimals than ISO 4217. UGX and ISK have none, but are sent as if they had two. */
const DECIMALS_AT_STRIPE: Readonly<Record<string, number>> = { MGA: 0, UGX: 2, ISK: 2 };

/** Stripe takes three decimals at most, and then the last digit must be 0. */
const MOST_DECIMALS = 3;

/**
 * The amount as Stripe's API takes it.
 *
 * @throws {UserError} when exactly this amount cannot be charged in this currency; nothing is ever rounded.
 */
export function toStripeAmount(amountMinor: bigint, currency: Currency): number {
  const shown = `${formatMinor(amountMinor, currency)} ${currency.code}`;
  if (amountMinor <= 0n) throw unchargeable(shown, "the amount must be more than zero");
  const decimals = decimalsAtStripe(currency);
  if (decimals > MOST_DECIMALS) throw unchargeable(shown, `it does not take ${currency.code}`);
  const amount = rescale(amountMinor, currency.minorDigits, decimals);
  if (amount === undefined) throw unchargeable(shown, `in ${currency.code} it takes whole units only`);
  if (decimals === MOST_DECIMALS && amount % 10n !== 0n) {
    throw unchargeable(shown, `in ${currency.code} the last of the three decimals must be 0`);
  }
  if (amount > BigInt(Number.MAX_SAFE_INTEGER)) throw unchargeable(shown, "the amount is too large");
  return Number(amount);
}

/** An amount of Stripe's in our minor units; undefined when the currency is unknown or has no such amount. */
export function fromStripeAmount(amount: number, currencyCode: string): bigint | undefined {
  const currency = currencyOf(currencyCode);
  if (currency === undefined || !Number.isSafeInteger(amount)) return undefined;
  return rescale(BigInt(amount), decimalsAtStripe(currency), currency.minorDigits);
}

function decimalsAtStripe(currency: Currency): number {
  return DECIMALS_AT_STRIPE[currency.code] ?? currency.minorDigits;
}

/** Undefined when digits other than 0 would be lost. */
function rescale(amount: bigint, from: number, to: number): bigint | undefined {
  if (to >= from) return amount * 10n ** BigInt(to - from);
  const divisor = 10n ** BigInt(from - to);
  return amount % divisor === 0n ? amount / divisor : undefined;
}

function unchargeable(shown: string, reason: string): UserError {
  return new UserError(`${shown} cannot be paid through Stripe: ${reason}`, { status: 422 });
}

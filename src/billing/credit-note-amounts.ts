/** How much a credit note gives back, line by line: pure, and exact to the minor unit. */
import { UserError } from "../errors.ts";
import { amountText } from "../rating/money.ts";
import { taxOn, type TaxRule } from "../rating/tax.ts";

/** A receipt with what was credited of it so far; amounts in minor units. */
export interface Creditable {
  /** ISO 4217. */
  readonly currency: string;
  readonly subtotalMinor: bigint;
  readonly taxMinor: bigint;
  /** Null where the receipt has no tax. */
  readonly tax: TaxRule | null;
  /** Of all credit notes so far. */
  readonly creditedSubtotalMinor: bigint;
  readonly creditedTaxMinor: bigint;
  readonly lines: readonly CreditableLine[];
}

export interface CreditableLine {
  readonly position: number;
  readonly amountMinor: bigint;
  /** By earlier credit notes. */
  readonly creditedMinor: bigint;
}

/** A line of a credit note: of the receipt's line at that position, or of its adjustments and corrections. */
export interface CreditLine {
  readonly receiptPosition: number | null;
  readonly amountMinor: bigint;
}

export interface CreditAmounts {
  readonly lines: readonly CreditLine[];
  readonly subtotalMinor: bigint;
  readonly taxMinor: bigint;
  readonly totalMinor: bigint;
}

/** Everything that was not credited yet. */
export function fullCredit(receipt: Creditable): CreditAmounts {
  const lines = receipt.lines
    .map((line): CreditLine => ({
      receiptPosition: line.position,
      amountMinor: line.amountMinor - line.creditedMinor,
    }))
    .filter(({ amountMinor }) => amountMinor !== 0n);
  // What is left are the adjustments of earlier receipts, less corrections that were credited: it may be negative.
  const rest = remainingSubtotal(receipt) - lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  return withTax(receipt, rest === 0n ? lines : [...lines, { receiptPosition: null, amountMinor: rest }]);
}

/**
 * Given amounts of given lines.
 * @throws {UserError} for a line that does not exist, or more than is left of it or of the receipt.
 */
export function lineCredit(receipt: Creditable, amounts: ReadonlyMap<number, bigint>): CreditAmounts {
  const lines: CreditLine[] = [];
  for (const [position, amountMinor] of amounts) {
    const line = receipt.lines.find((one) => one.position === position);
    if (line === undefined) throw new UserError(`the receipt has no line ${position}`);
    const left = line.amountMinor - line.creditedMinor;
    if (amountMinor <= 0n || amountMinor > left)
      throw new UserError(
        `line ${position}: takes at most ${amountText(left, receipt.currency)}, which is what is left of it`,
      );
    lines.push({ receiptPosition: position, amountMinor });
  }
  if (lines.length === 0) throw new UserError("nothing to credit: give an amount for at least one line");
  const credit = withTax(receipt, lines);
  const left = remainingSubtotal(receipt);
  if (credit.subtotalMinor > left)
    throw new UserError(`only ${amountText(left, receipt.currency)} of the receipt is left to be credited, before tax`);
  return credit;
}

/** What corrections are owed, as far as something is left of the receipt. */
export function correctionCredit(receipt: Creditable, amountMinor: bigint): CreditAmounts {
  return withTax(receipt, [{ receiptPosition: null, amountMinor }]);
}

/** What can still be credited, without tax that comes on top. */
export function remainingSubtotal({ subtotalMinor, creditedSubtotalMinor }: Creditable): bigint {
  return subtotalMinor - creditedSubtotalMinor;
}

/**
 * Tax is taken on all that was ever credited, less what credit notes have given back of it: so however a receipt is
 * credited piece by piece, the pieces never come to more, or in the end to less, than its own tax.
 */
function withTax(receipt: Creditable, lines: readonly CreditLine[]): CreditAmounts {
  const subtotalMinor = lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  const credited = receipt.creditedSubtotalMinor + subtotalMinor;
  const taxInAll = credited === receipt.subtotalMinor ? receipt.taxMinor : taxOn(credited, receipt.tax).taxMinor;
  const taxMinor = taxInAll - receipt.creditedTaxMinor;
  const isOnTop = receipt.tax !== null && !receipt.tax.inclusive;
  return { lines, subtotalMinor, taxMinor, totalMinor: subtotalMinor + (isOnTop ? taxMinor : 0n) };
}

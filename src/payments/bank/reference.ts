const RECEIPT_NUMBER = /^R-(\d{4})-(\d{6,15})$/u;

/**
 * What payers type and a QR code carries for a receipt: `R-2026-000123` is `R2026000123`, at most 20 characters.
 * @throws RangeError for what is not a receipt number.
 */
export function paymentReference(receiptNumber: string): string {
  if (!RECEIPT_NUMBER.test(receiptNumber)) throw new RangeError(`not a receipt number: ${receiptNumber}`);
  return receiptNumber.replaceAll("-", "");
}

/** What a payer or a bank puts where we have a hyphen. */
const GAP = String.raw`[^\p{L}\p{M}\p{N}]{0,3}`;
/** A year of four digits and a number of six or more; the first ten digits may be split by a bank's line wrapping. */
const WRAPPED = String.raw`(2\s?0\s?\d\s?\d)${GAP}(\d(?:\s?\d){5}\d*)`;
const PLAIN = String.raw`(20\d\d)${GAP}(\d{6,})`;
/**
 * Where a word ends in R, as in TRANSFER, a date after a blank would look like a number of ours: there, only a hyphen
 * may follow the R. One Latin letter before it makes it another kind of document (AR, CR, PR).
 */
const FREE = String.raw`(?<![a-z])R${GAP}${WRAPPED}`;
const GLUED = String.raw`(?<=[a-z]{2})R-?${PLAIN}`;
const MENTION = new RegExp(String.raw`(?:${FREE}|${GLUED})(?!\d)`, "giu");

/**
 * Receipt numbers in what a bank made of a payer's text, each once, in canonical form and in the order of their
 * mention. They are found in either case, with any or no punctuation and blanks in place of the hyphens, wrapped over
 * lines, and glued to other words. A longer run of digits is never cut to a shorter number.
 */
export function receiptNumbersIn(text: string): string[] {
  const found = new Set<string>();
  for (const [, freeYear, freeNumber, gluedYear, gluedNumber] of text.normalize("NFKC").matchAll(MENTION)) {
    const year = (freeYear ?? gluedYear ?? "").replace(/\s/gu, "");
    const number = (freeNumber ?? gluedNumber ?? "").replace(/\s/gu, "");
    // Numbers are padded to six digits and no further: longer ones with a leading zero are dates and account numbers.
    if (number.length <= 15 && (number.length === 6 || !number.startsWith("0"))) found.add(`R-${year}-${number}`);
  }
  return [...found];
}

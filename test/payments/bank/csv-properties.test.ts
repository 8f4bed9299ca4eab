import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { readStatement } from "../../../src/payments/bank/read-statement.ts";
import type { BankStatement } from "../../../src/payments/bank/statement.ts";
import { bookings, collapsed, type Booking } from "./arbitrary-lines.ts";
import { THB, utf8 } from "./thb.ts";
import { utf16, windows874, writeCsv, type CsvStyle } from "./write-csv.ts";

const styles: fc.Arbitrary<CsvStyle> = fc.record({
  delimiter: fc.constantFrom(",", ";", "\t"),
  mark: fc.constantFrom(".", ","),
  thousands: fc.boolean(),
  columns: fc.constantFrom("signed", "two", "direction"),
  dates: fc.constantFrom("iso", "dmy", "buddhist", "short buddhist"),
  names: fc.constantFrom("english", "thai"),
  newestFirst: fc.boolean(),
  preamble: fc.boolean(),
  lineBreak: fc.constantFrom("\n", "\r\n"),
});

const ENCODINGS: Readonly<Record<string, (text: string) => Uint8Array>> = {
  "UTF-8": utf8,
  "UTF-8 with a mark": (text) => utf8(`\uFEFF${text}`),
  "UTF-16LE": (text) => utf16(text, "le"),
  "UTF-16BE": (text) => utf16(text, "be"),
  "Windows-874": windows874,
};

function expected(written: readonly Booking[], { newestFirst, preamble }: CsvStyle) {
  return (newestFirst ? written.toReversed() : written).map(({ day, minor, text, name, reference }) => ({
    bookedOn: day,
    amountMinor: minor,
    currency: "THB",
    account: preamble ? "1234567890" : "",
    text: collapsed(text, name, reference),
    bankReference: reference,
    counterparty: name,
    isReversal: false,
  }));
}

describe.each(Object.keys(ENCODINGS))("an export in %s", (encoding) => {
  test("gives the lines that were written, in any style", () => {
    const encode = ENCODINGS[encoding] ?? utf8;
    fc.assert(
      fc.property(bookings, styles, (written, style) => {
        // Two or three Thai letters alone may be UTF-8 by chance; column names are not.
        const inThai = encoding === "Windows-874" ? { ...style, names: "thai" as const } : style;
        const statement = readStatement(encode(writeCsv(written, inThai)), { currency: THB });
        expect(statement.rejects).toEqual([]);
        expect(statement.lines).toMatchObject(expected(written, style));
      }),
    );
  });
});

describe("an export cut anywhere", () => {
  /** What is read of a cut file, or undefined when it is refused. */
  function readCut(bytes: Uint8Array, end: number): BankStatement | undefined {
    try {
      return readStatement(bytes.subarray(0, end), { currency: THB });
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      return undefined;
    }
  }

  test("gives nothing wrong: it is refused, or ends with a reject, or at the end of a row", () => {
    fc.assert(
      fc.property(bookings, styles, fc.double({ min: 0, max: 1, noNaN: true }), (written, style, share) => {
        const bytes = utf8(writeCsv(written, style));
        const end = Math.floor(share * bytes.length);
        const cut = readCut(bytes, end);
        if (cut === undefined) return;
        const all = expected(written, style);
        expect(cut.lines).toMatchObject(all.slice(0, cut.lines.length));
        // The balance is the last column: a row without all its digits is whole in everything else.
        const rest = new TextDecoder().decode(bytes.subarray(end));
        const atRowEnd = /^[\d.,]*\r?\n/u.test(rest) || bytes[end - 1] === 10;
        if (cut.lines.length < all.length) expect(cut.rejects.length > 0 || atRowEnd).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("is never silently shorter when the file states its closing balance", () => {
    fc.assert(
      fc.property(bookings, styles, fc.double({ min: 0, max: 1, noNaN: true }), (written, style, share) => {
        const bytes = utf8(writeCsv(written, { ...style, preamble: true, newestFirst: false }));
        const cut = readCut(bytes, Math.floor(share * bytes.length));
        if (cut !== undefined && cut.lines.length < written.length) {
          // Movements that cancel out leave the balance where it is said to end.
          const missing = written.slice(cut.lines.length).reduce((sum, { minor }) => sum + minor, 0n);
          expect(cut.rejects.length > 0 || missing === 0n).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

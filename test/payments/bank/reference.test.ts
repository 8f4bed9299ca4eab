import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paymentReference, receiptNumbersIn } from "../../../src/payments/bank/reference.ts";

const receiptNumbers = fc
  .tuple(fc.integer({ min: 2000, max: 2099 }), fc.integer({ min: 1, max: 20_000_000 }))
  .map(([year, number]) => ({ year: String(year), number: String(number).padStart(6, "0") }));
const canonical = ({ year, number }: { year: string; number: string }): string => `R-${year}-${number}`;

describe("the reference of a receipt", () => {
  test("is its number without hyphens, short enough for a QR code", () => {
    expect(paymentReference("R-2026-000123")).toBe("R2026000123");
    expect(paymentReference("R-2026-123456789012345")).toHaveLength(20);
  });

  test("is not made of anything else", () => {
    for (const other of ["", "R2026000123", "R-2026-123", "C-2026-000123", "R-2026-1234567890123456"])
      expect(() => paymentReference(other)).toThrow(RangeError);
  });

  test("is found again in itself", () => {
    fc.assert(
      fc.property(receiptNumbers, (receipt) => {
        expect(receiptNumbersIn(paymentReference(canonical(receipt)))).toEqual([canonical(receipt)]);
      }),
    );
  });
});

describe("a receipt number is found in a bank's text", () => {
  const gaps = ["", "-", " ", "/", ".", "_", ":", "\n", " - ", "–", "\u00a0", "\u2011", " / "];
  const before = ["", "Payment ", "ค่าบริการ", "ref:", "PAYMENT/", "20261117 ", "(", "x ", "1"];
  const behind = ["", "X", " 500.00", "ขอบคุณ", "/JOHN", ") ", "-2", ", 17/11/2026"];
  const some = (choices: readonly string[]) => fc.constantFrom(...choices);

  test("whatever was done to its case, punctuation and blanks, and wherever it stands", () => {
    const mangling = fc.record({ before: some(before), r: some(["R", "r", "Ｒ"]), gap: some(gaps), gap2: some(gaps), behind: some(behind) }); // prettier-ignore
    fc.assert(
      fc.property(receiptNumbers, mangling, (receipt, { before, r, gap, gap2, behind }) => {
        const text = `${before}${r}${gap}${receipt.year}${gap2}${receipt.number}${behind}`;
        expect(receiptNumbersIn(text)).toEqual([canonical(receipt)]);
      }),
    );
  });

  test("glued to a word", () => {
    const glued = fc.record({ word: some(["REF", "PAYMENT", "ชำระPay", "inv"]), gap: some(["", "-"]), gap2: some(gaps), behind: some(behind) }); // prettier-ignore
    fc.assert(
      fc.property(receiptNumbers, glued, (receipt, { word, gap, gap2, behind }) => {
        const text = `${word}R${gap}${receipt.year}${gap2}${receipt.number}${behind}`;
        expect(receiptNumbersIn(text)).toEqual([canonical(receipt)]);
      }),
    );
  });

  test("wrapped over two lines anywhere in its first ten digits", () => {
    fc.assert(
      fc.property(receiptNumbers, fc.nat(10), fc.constantFrom("\n", " "), (receipt, at, wrap) => {
        const reference = paymentReference(canonical(receipt));
        const text = `fees ${reference.slice(0, at)}${wrap}${reference.slice(at)} thanks`;
        expect(receiptNumbersIn(text)).toEqual([canonical(receipt)]);
      }),
    );
  });

  test("together with others, each once and in order", () => {
    expect(receiptNumbersIn("R-2026-000124, r2026/000123 and R2026000124+R2026000125")).toEqual([
      "R-2026-000124",
      "R-2026-000123",
      "R-2026-000125",
    ]);
  });
});

describe("no receipt number is found", () => {
  test("in a text without the letter R", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), fc.stringMatching(/^[0-9 \-/]{0,40}$/u), (words, digits) => {
        expect(receiptNumbersIn(`${words} ${digits}`.normalize("NFKC").replace(/r/giu, ""))).toEqual([]);
      }),
    ); // prettier-ignore
  });

  test.each([
    ["a date after a word that ends in R", "TRANSFER 2026-06-15 10:30:00"],
    ["a time stamp after a word that ends in R", "TRANSFER 20260615120000"],
    ["a time stamp glued to such a word", "TRANSFER20260615120000"],
    ["another kind of document", "AR2026000123X CR-2026-000123 PR2026/000123"],
    ["a longer run of digits", "R20260001234"],
    ["a number that is too short", "R2026-00012"],
    ["another century", "R-1926-000123"],
    ["an account number", "TR 123-4-56789-0"],
    ["nothing", ""],
  ])("in %s", (_, text) => {
    expect(receiptNumbersIn(text)).toEqual([]);
  });
});

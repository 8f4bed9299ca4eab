import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { readStatement } from "../../../src/payments/bank/read-statement.ts";
import { VERSION_2, VERSION_8 } from "./camt-samples.ts";
import { EUROPEAN, KBANK_LIKE, KRUNGTHAI_LIKE, SCB_LIKE } from "./csv-samples.ts";
import { THB, utf8 } from "./thb.ts";
import { utf16, windows874 } from "./write-csv.ts";

function read(bytes: Uint8Array) {
  return readStatement(bytes, { currency: THB });
}

test.each([
  ["camt.053", VERSION_2, 4],
  ["camt.053", `\uFEFF\n${VERSION_8}`, 2],
  ["csv", KBANK_LIKE, 3],
  ["csv", SCB_LIKE, 3],
  ["csv", KRUNGTHAI_LIKE, 3],
  ["csv", EUROPEAN, 2],
])("the format is told by the content: %s", (format, text, lines) => {
  expect(read(utf8(text))).toMatchObject({ format, lines: { length: lines } });
});

test("a Thai export is the same in every encoding that Thai banks use", () => {
  const asUtf8 = read(utf8(KBANK_LIKE));
  expect(read(windows874(KBANK_LIKE))).toEqual(asUtf8);
  expect(read(utf16(KBANK_LIKE, "le"))).toEqual(asUtf8);
  expect(read(utf16(KBANK_LIKE, "be"))).toEqual(asUtf8);
  // Without the mark, an encoding of two bytes is known by its zero bytes.
  expect(read(utf16(SCB_LIKE, "le").subarray(2))).toEqual(read(utf8(SCB_LIKE)));
  expect(read(utf16(SCB_LIKE, "be").subarray(2))).toEqual(read(utf8(SCB_LIKE)));
});

test("XML in the encoding that it declares is read", () => {
  const latin = VERSION_8.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"');
  expect(read(Buffer.from(latin, "latin1")).lines.at(0)?.counterparty).toBe("Universität Zürich");
});

test.each([
  ["a PDF", utf8("%PDF-1.7\n"), "The file is a PDF."],
  ["a workbook", Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0), "The file is an Excel workbook (XLSX) or another ZIP archive."],
  ["an old workbook", Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1), "The file is an old Excel workbook (XLS)."],
  ["a compressed file", Uint8Array.of(0x1f, 0x8b, 8), "The file is compressed with gzip."],
  ["a web page", utf8("\n<!DOCTYPE html><html>"), "The file is a web page (HTML)"],
  ["a table that calls itself a workbook", utf8("<table><tr>"), "The file is a web page (HTML)"],
  ["MT940", utf8(":20:STARTUMS\r\n:25:123\r\n:60F:C261117THB0,00\r\n"), "The file is in the format MT940."],
  ["MT940 in its envelope", utf8("{1:F01KASITHBK}{4:\r\n:20:1\r\n"), "The file is in the format MT940."],
  ["OFX", utf8("OFXHEADER:100\nDATA:OFXSGML\n"), "The file is in the format OFX."],
  ["QIF", utf8("!Type:Bank\nD17/11/2026\n"), "The file is in the format QIF."],
  ["nothing", utf8(" \n"), "The file is empty."],
  ["a picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13), "accepted are UTF-8, UTF-16 and Windows-874 (TIS-620)"],
  ["zero bytes", utf8("Date,Amount\n\0"), "it has zero bytes"],
  ["an unknown encoding", utf8('<?xml version="1.0" encoding="klingon"?><a/>'), "seems to be in klingon"],
  ["UTF-8 cut within a character", utf8("Date,Amount,ก").subarray(0, -1), "seems to be in utf-8, but has bytes that are no text in it, or is cut off"],
])("refused, by its name, with what is accepted: %s", (_, bytes, message) => {
  expect(() => read(bytes)).toThrow(UserError);
  expect(() => read(bytes)).toThrow(message);
}); // prettier-ignore

describe("garbage throws nothing but errors for the user:", () => {
  function readsOrRefuses(bytes: Uint8Array): void {
    try {
      read(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
    }
  }

  test("any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), readsOrRefuses), { numRuns: 200 });
  });

  test("anything below column names", () => {
    const cell = fc.oneof(fc.string(), fc.constantFrom("17/11/2026", "1,0", "-", '"', "฿1", "CR", "\n", "THB"));
    const rows = fc.array(
      fc.array(cell, { maxLength: 8 }).map((cells) => cells.join(",")),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(rows, (some) => {
        readsOrRefuses(utf8(`Date,Amount,DR/CR,Currency,Balance,Note\n${some.join("\n")}`));
      }),
      { numRuns: 200 },
    );
  });

  test.each([VERSION_2, VERSION_8, KBANK_LIKE, SCB_LIKE, KRUNGTHAI_LIKE, EUROPEAN])("a file with some of its text replaced", (text) => {
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(30), fc.string({ unit: "binary", maxLength: 10 }), (at, length, other) => {
        readsOrRefuses(utf8(text.slice(0, at) + other + text.slice(at + length)));
      }),
      { numRuns: 200 },
    );
  }); // prettier-ignore
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeQR } from "qr/decode.js";
import type { PaymentDocument } from "../../../src/documents/pdf/payment-document.ts";
import { renderDocument } from "../../../src/documents/pdf/render.ts";
import { openPdf, pageTexts, qrOnPage, squeezed } from "./read-pdf.ts";
import { ENGLISH, PAYLOAD, THAI, withRows } from "./sample.ts";

test.each([
  { language: "English", document: ENGLISH },
  { language: "Thai", document: THAI },
])("a receipt in $language says everything that it was given, letter by letter", async ({ document }) => {
  const [text = ""] = await pageTexts(await renderDocument(document));
  for (const said of textsOf(document)) expect(squeezed(text)).toContain(squeezed(said));
});

test("names that look like markup are only names", async () => {
  const names = [
    '#eval("1 + 1")',
    "*bold* _slanted_ $x^2$",
    "@reference <label> \\ // /* comment */",
    "\"quoted\" 'single' `raw` ~ -- ---",
    "https://example.org/?a=1&b=2",
    "]} #} [#let x = 1",
    "Ångström, Łódź, Привет, Ελλάδα",
    "งาน_ทดสอบ-1",
    "漢字 😀",
    `${"long_name-".repeat(12)}end`,
  ];
  const [text = ""] = await pageTexts(await renderDocument(withRows(names)));
  for (const name of names) expect(squeezed(text)).toContain(squeezed(name));
});

test("a line break in a text is a line break on the page", async () => {
  const [text = ""] = await pageTexts(await renderDocument(withRows(["4711\r\nmu-climate\tnode"])));
  expect(text).toContain("4711\nmu-climate node");
});

test("what a file must not hold is shown as replaced", async () => {
  const rows = ["a\u0000b", "c\u001bd", "e\u{202e}f", "g\u{e000}h", "i\ud800j", "k\u{feff}l", "m\u{ffff}n"];
  const [text = ""] = await pageTexts(await renderDocument(withRows(rows)));
  for (const shown of ["a�b", "c�d", "e�f", "g�h", "i�j", "k�l", "m�n"]) expect(text).toContain(shown);
});

test("no text stops a document", async () => {
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 40 }), { minLength: 8, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(texts, async (rows) => {
      expect((await renderDocument(withRows(rows))).length).toBeGreaterThan(0);
    }),
    { numRuns: 30 },
  );
});

test("300 rows go over several pages, each with the header, its number and the number of the receipt", async () => {
  const rows = Array.from({ length: 300 }, (_, index) => `job-${index + 1}.`);
  const texts = await pageTexts(await renderDocument(withRows(rows)));
  expect(texts.length).toBeGreaterThan(5);
  const withLines = texts.filter((text) => text.includes("job-"));
  for (const text of withLines) expect(text).toContain("Job name");
  for (const [index, text] of texts.entries()) {
    expect(text).toContain(`${index + 1} / ${texts.length}`);
    expect(text).toContain(ENGLISH.number);
  }
  for (const row of rows) expect(texts.some((text) => text.includes(row))).toBe(true);
});

test("the same receipt is the same file, also when others are made at the same time", async () => {
  const [english, thai] = [await renderDocument(ENGLISH), await renderDocument(THAI)];
  const again = await Promise.all([ENGLISH, THAI, ENGLISH, withRows(["other"]), THAI].map(renderDocument));
  expect(again.slice(0, 3)).toEqual([english, thai, english]);
  expect(again.at(-1)).toEqual(thai);
});

test("the QR code can be read, is 35 mm wide or more and has its white border", async () => {
  const { modules, moduleMm, quietModules } = await qrOnPage(await renderDocument(ENGLISH));
  expect(decodeQR(pictureOf(modules))).toBe(PAYLOAD);
  expect(moduleMm * modules.length).toBeGreaterThanOrEqual(35);
  expect(quietModules).toBeGreaterThanOrEqual(4 - 1e-4);
});

test("a QR code that is no path of straight lines is refused", async () => {
  const qr = { size: 21, d: '"/><script/>', description: "" };
  const payment = { title: "How to pay", lines: [], qr };
  await expect(renderDocument({ ...ENGLISH, payment })).rejects.toThrow("path of straight lines");
});

test("a credit note has neither QR code nor way to pay", async () => {
  const document = { ...ENGLISH, title: "Credit note C-2026-000007", payment: undefined };
  const [text = ""] = await pageTexts(await renderDocument(document));
  expect(text).toContain("Credit note C-2026-000007");
  expect(text).not.toContain("How to pay");
});

test("the file is for archives, tagged, and says its title, language and day", async () => {
  const pdf = await openPdf(await renderDocument(THAI));
  const { info, metadata } = await pdf.getMetadata();
  expect(info).toMatchObject({
    Title: THAI.title,
    Author: THAI.site,
    Language: "th",
    CreationDate: "D:20261101000000Z",
  });
  expect(metadata.get("pdfaid:part")).toBe("2");
  expect(metadata.get("pdfaid:conformance")).toBe("A");
  expect(await pdf.getMarkInfo()).toMatchObject({ Marked: true });
});

function textsOf(document: PaymentDocument): string[] {
  const { site, number, title, subtitle, state, facts, tables, sums, payment, notes, footer } = document;
  return [
    site,
    number,
    title,
    subtitle ?? "",
    state.word,
    footer,
    ...notes,
    ...facts.flatMap(({ label, value, note }) => [label, value, note ?? ""]),
    ...tables.flatMap(({ columns, rows }) => [...columns.map(({ header }) => header), ...rows.flat()]),
    ...sums.flatMap(({ label, value }) => [label, value]),
    ...(payment?.lines ?? []),
    payment?.reference?.value ?? "",
  ];
}

/** The code as a camera would see it: some pixels a module, on white. */
function pictureOf(modules: readonly (readonly boolean[])[]) {
  const pixels = 4;
  const quiet = 4 * pixels;
  const side = modules.length * pixels + 2 * quiet;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [y, row] of modules.entries()) {
    for (const [x, isDark] of row.entries()) {
      if (!isDark) continue;
      for (let at = 0; at < pixels * pixels; at++) {
        const line = quiet + y * pixels + Math.floor(at / pixels);
        const start = (line * side + quiet + x * pixels + (at % pixels)) * 4;
        data.fill(0, start, start + 3);
      }
    }
  }
  return { width: side, height: side, data };
}

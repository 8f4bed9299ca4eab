import { UserError } from "../../errors.ts";
import type { Currency } from "../../rating/money.ts";
import { readCamt053 } from "./camt053.ts";
import { readCsv } from "./csv.ts";
import type { BankStatement } from "./statement.ts";
import { decodeText } from "./text-encoding.ts";

const ACCEPTED = "Accepted are ISO 20022 camt.053 (XML) and the bank's CSV export.";

/** What a file's first bytes give away, and how the user gets at something better. */
const BINARY: readonly { readonly starts: readonly number[]; readonly what: string }[] = [
  { starts: [0x25, 0x50, 0x44, 0x46], what: "a PDF" },
  { starts: [0x50, 0x4b, 0x03, 0x04], what: "an Excel workbook (XLSX) or another ZIP archive" },
  { starts: [0xd0, 0xcf, 0x11, 0xe0], what: "an old Excel workbook (XLS)" },
  { starts: [0x1f, 0x8b], what: "compressed with gzip" },
];

const TEXTUAL: readonly { readonly looks: RegExp; readonly what: string }[] = [
  { looks: /^<(?:!doctype\s+html|html|table|head|body)\b/iu, what: "a web page (HTML), perhaps named like a workbook" },
  { looks: /^(?:OFXHEADER|<\?OFX|<OFX>)/iu, what: "in the format OFX" },
  { looks: /^(?:\{1:|:20:)|^:(?:60F|61):/mu, what: "in the format MT940" },
  { looks: /^\{\\rtf/u, what: "a word processor's document (RTF)" },
  { looks: /^!(?:Type|Account)/iu, what: "in the format QIF" },
];

/**
 * Reads a bank's statement, whose format is told by what is in it. The caller limits the size.
 * @param defaults currency of the rows of a CSV file that do not name one.
 * @throws UserError, and nothing else, for a file that is in no accepted format, cut off or inconsistent.
 */
export function readStatement(bytes: Uint8Array, defaults: { readonly currency: Currency }): BankStatement {
  const binary = BINARY.find(({ starts }) => starts.every((byte, at) => bytes[at] === byte));
  if (binary !== undefined) throw new UserError(`The file is ${binary.what}. ${ACCEPTED}`);
  const text = decodeText(bytes);
  const content = text.trimStart();
  if (content === "") throw new UserError(`The file is empty. ${ACCEPTED}`);
  const other = TEXTUAL.find(({ looks }) => looks.test(content));
  if (other !== undefined) throw new UserError(`The file is ${other.what}. ${ACCEPTED}`);
  return content.startsWith("<") ? readCamt053(content) : readCsv(text, defaults);
}

/** Reading the fields of a row by column; a column that the dump does not have is at -1 and reads as empty. */
import { ABSENT, decodeText } from "./bytes.ts";
import { quoted } from "./parsed.ts";
import { fieldEnd, fieldStart, type Row } from "./row.ts";

/** Whether the dump lacks the column or the row leaves it empty. */
export function isEmpty(row: Row, column: number): boolean {
  return column < 0 || fieldStart(row, column) >= fieldEnd(row, column);
}

/** Reads a field with one of the byte readers; `ABSENT` where there is no such column. */
export function readWith(
  read: (bytes: Buffer, start: number, end: number) => number,
  row: Row,
  column: number,
): number {
  return column < 0 ? ABSENT : read(row.bytes, fieldStart(row, column), fieldEnd(row, column));
}

/** A field's text for a reason. */
export function show(row: Row, column: number): string {
  return quoted(textOf(row, column));
}

/** A field as text, with U+FFFD for what is not UTF-8 and for NUL; empty where there is no such column. */
export function textOf(row: Row, column: number): string {
  return column < 0 ? "" : decodeText(row.bytes, fieldStart(row, column), fieldEnd(row, column));
}

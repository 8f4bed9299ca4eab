import { stringify } from "csv-stringify/sync";

/** A column of a CSV file: its header and what a row has in it. */
export interface CsvColumn<Row> {
  readonly header: string;
  readonly value: (row: Row) => string | number | bigint | null;
}

/**
 * CSV text of rows (RFC 4180, CRLF), with the header line when asked for. Text that a spreadsheet would run as a
 * formula is defused; numbers and money are plain decimals.
 */
export function csvLines<Row>(
  columns: readonly CsvColumn<Row>[],
  rows: readonly Row[],
  options: { header: boolean },
): string {
  const cells = rows.map((row) => columns.map((column) => cellOf(column.value(row))));
  const lines = options.header ? [columns.map((column) => column.header), ...cells] : cells;
  return stringify(lines, { record_delimiter: "\r\n" });
}

const NUMBER = /^-?\d+(?:\.\d+)?$/u;

/** What spreadsheets take as the beginning of a formula. */
const FORMULA_START = /^[=+\-@\t\r\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}]/u;

function cellOf(value: string | number | bigint | null): string {
  if (value === null) return "";
  const text = String(value);
  return FORMULA_START.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}

/** A CSV file as a stream of chunks: the header at once, then page by page. */
export async function* csvStream<Row>(
  columns: readonly CsvColumn<Row>[],
  pages: AsyncIterable<readonly Row[]>,
): AsyncGenerator<string> {
  yield csvLines(columns, [], { header: true });
  for await (const page of pages) yield csvLines(columns, page, { header: false });
}

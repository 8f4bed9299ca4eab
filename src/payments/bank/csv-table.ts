import { CsvError, parse } from "csv-parse/sync";
import { UserError } from "../../errors.ts";
import { roleOf, type ColumnRole } from "./csv-header.ts";
import { quoted } from "./statement.ts";

export interface CsvRow {
  /** Line of the file on which the row begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface CsvTable {
  /** What stands above the header: names, account, period, sums. */
  readonly preamble: readonly CsvRow[];
  readonly header: CsvRow;
  /** Role of each column; undefined for names that are not known. */
  readonly roles: readonly (ColumnRole | undefined)[];
  /** Rows below the header that have anything in them. */
  readonly rows: readonly CsvRow[];
  /** The last row was ended by a line break: it was not cut off. */
  readonly endsWithLineBreak: boolean;
}

const DELIMITERS = [",", ";", "\t"];
/** Exports have at most a page of text above their header. */
const HEADER_WITHIN_ROWS = 100;
const ACCEPTED =
  "a header with a date column (Date, วันที่) and either an amount column (Amount, จำนวนเงิน) or a deposit column (Deposit, Credit, ฝากเงิน) beside the withdrawals (Withdrawal, Debit, ถอนเงิน), separated by commas, semicolons or tabs";

/**
 * Splits a CSV export into its preamble, header and rows. The delimiter is the one with which a header is found.
 * @throws UserError when no row is a header, a column is there twice, or a quoted field is not closed.
 */
export function splitTable(source: string): CsvTable {
  const text = source.replace(/\r\n?/gu, "\n");
  const candidates = DELIMITERS.flatMap((delimiter) => {
    const header = headerWithin(text, delimiter);
    return header === undefined ? [] : [{ delimiter, header }];
  });
  const best = candidates.sort((a, b) => knownColumns(b.header) - knownColumns(a.header)).at(0);
  if (best === undefined)
    throw new UserError(
      `The file has no row of column names within its first ${HEADER_WITHIN_ROWS} rows. Accepted is ${ACCEPTED}.`,
    );
  const { delimiter, header } = best;
  const roles = header.cells.map(roleOf);
  refuseDoubles(header, roles);
  const { rows: all, problem } = splitRows(text, delimiter);
  if (problem !== undefined) throw problem;
  return {
    preamble: all.filter(({ line }) => line < header.line),
    header,
    roles,
    rows: all.filter(({ line, cells }) => line > header.line && cells.some((cell) => cell !== "") && !sameCells(cells, header.cells)), // prettier-ignore
    endsWithLineBreak: text.endsWith("\n"),
  };
}

function headerWithin(text: string, delimiter: string): CsvRow | undefined {
  // With the wrong delimiter a quote may seem never to end: what comes before it is enough to find a header.
  return splitRows(text, delimiter, HEADER_WITHIN_ROWS).rows.find(isHeader);
}

function isHeader({ cells }: CsvRow): boolean {
  const roles = new Set(cells.map(roleOf));
  return (roles.has("date") || roles.has("valueDate")) && (roles.has("amount") || roles.has("credit"));
}

function knownColumns({ cells }: CsvRow): number {
  return cells.filter((cell) => roleOf(cell) !== undefined).length;
}

function refuseDoubles(header: CsvRow, roles: CsvTable["roles"]): void {
  for (const role of ["amount", "credit", "debit", "balance", "direction", "currency", "account"]) {
    const names = header.cells.filter((_, at) => roles[at] === role);
    if (names.length > 1)
      throw new UserError(
        `The header (line ${header.line}) has ${names.length} columns for one thing: ${names.map(quoted).join(" and ")}; keep the one that counts.`,
      );
  }
}

interface SplitRows {
  /** Rows up to the problem, if there is one. */
  readonly rows: readonly CsvRow[];
  readonly problem: UserError | undefined;
}

/** RFC 4180, but rows may differ in length, and quotes within unquoted fields are text, as in `="0123"`. */
function splitRows(text: string, delimiter: string, to = -1): SplitRows {
  const rows: CsvRow[] = [];
  let line = 1;
  try {
    parse(text, {
      delimiter,
      to,
      record_delimiter: "\n",
      relax_quotes: true,
      relax_column_count: true,
      on_record: (cells: string[], { lines }) => {
        rows.push({ line, cells: cells.map(cellText) });
        line = lines + 1;
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const message = `The CSV cannot be split into fields, or it is cut off: ${error.message}.`;
    return { rows, problem: new UserError(message, { cause: error }) };
  }
  return { rows, problem: undefined };
}

/** Spreadsheets keep leading zeros with `="0123"` or an apostrophe. */
function cellText(cell: string): string {
  const trimmed = cell.trim();
  return /^=?"(.*)"$/su.exec(trimmed)?.[1]?.trim() ?? trimmed.replace(/^'/u, "");
}

function sameCells(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((cell, at) => cell === other[at]);
}

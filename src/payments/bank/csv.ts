import { UserError } from "../../errors.ts";
import { formatMinor, type Currency } from "../../rating/money.ts";
import { decimalMarkOf, readAmountCell } from "./csv-amounts.ts";
import { checkRunningBalances } from "./csv-balances.ts";
import { dateOrderOf } from "./csv-dates.ts";
import type { ColumnRole } from "./csv-header.ts";
import { cellOf, isDated, readCsvRow, type RowReading, type Sheet } from "./csv-row.ts";
import { splitTable, type CsvRow, type CsvTable } from "./csv-table.ts";
import { accountId, type BankStatement } from "./statement.ts";

/**
 * Reads a bank's CSV export: any of three delimiters, text above the header, English or Thai column names, one amount
 * column or two. What the rows do not tell each for itself (order of day and month, decimal mark) is decided over the
 * whole file. A row that cannot be read is a reject; a running balance that does not add up is an error, because then a
 * row is missing. A file without balances that was cut between two rows cannot be told from a whole one.
 * @throws UserError when there is no header, no row, or a balance is wrong.
 */
export function readCsv(text: string, { currency }: { readonly currency: Currency }): BankStatement {
  const table = splitTable(text);
  if (table.rows.length === 0)
    throw new UserError(`There are no rows below the column names (line ${table.header.line}): nothing to read.`);
  const sheet = sheetOf(table, currency);
  const cutRow = cutOffRow(table);
  const readings = table.rows.map((row) => ({
    place: `line ${row.line}`,
    reading: row === cutRow ? CUT_OFF : readCsvRow(row, sheet),
  }));
  const ends = checkRunningBalances(readings.flatMap(({ reading }) => reading.step ?? []));
  checkClosingBalance(table, sheet, ends);
  const lines = readings.flatMap(({ reading }) => reading.line ?? []);
  return {
    format: "csv",
    account: [...new Set(lines.map(({ account }) => account))].join(", ") || sheet.account,
    lines,
    rejects: readings.flatMap(({ place, reading: { reason } }) => (reason === undefined ? [] : { place, reason })),
    pendingEntries: 0,
  };
}

const CUT_OFF: RowReading = { reason: "it has fewer columns than the header and no line break: the file is cut off" };

/** A bank may leave out empty cells at the end of a row, but a last row without its line break was cut. */
function cutOffRow({ rows, header, endsWithLineBreak }: CsvTable): CsvRow | undefined {
  const last = rows.at(-1);
  return !endsWithLineBreak && last !== undefined && last.cells.length < header.cells.length ? last : undefined;
}

function sheetOf({ preamble, rows, roles }: CsvTable, currency: Currency): Sheet {
  const cellsOf = (...wanted: readonly ColumnRole[]): string[] =>
    wanted.flatMap((role) => rows.map((row) => cellOf(row, { roles }, role)));
  const decimalMark = decimalMarkOf(cellsOf("amount", "credit", "debit", "balance"), currency);
  const withdrawals = cellsOf("debit").flatMap((cell) => {
    const amount = readAmountCell(cell, decimalMark, currency);
    return amount.kind === "amount" && amount.minor !== 0n ? amount.minor : [];
  });
  return {
    roles,
    dateOrder: dateOrderOf(cellsOf("date", "valueDate")),
    decimalMark,
    withdrawalsAreNegative: withdrawals.length > 0 && withdrawals.every((minor) => minor < 0n),
    currency,
    account: accountId(
      labelled(preamble, ACCOUNT_LABEL)
        .flatMap((value) => ACCOUNT.exec(value) ?? [])
        .at(0) ?? "",
    ),
  };
}

const ACCOUNT_LABEL = /^(?:account\s*(?:no|number)?|a\/c\s*(?:no)?|iban|เลขที่บัญชี(?:เงินฝาก)?|หมายเลขบัญชี)[\s.:]*/iu;
const CLOSING_LABEL = /^(?:closing|ending) balance[\s:]*|^ยอด(?:คงเหลือ|เงินคงเหลือ)?ยกไป[\s:]*/iu;

/** An IBAN, or digits of which the bank may have hidden some. */
const ACCOUNT = /^(?:[A-Z]{2}\d{2}[A-Z0-9 ]{10,}|[\dX*][\dX*\s-]{5,})/iu;

/** What stands behind a label: the rest of its cell, and the next cell that has anything in it. */
function labelled(rows: readonly CsvRow[], label: RegExp): string[] {
  return rows.flatMap(({ cells }) => {
    const filled = cells.filter((cell) => cell !== "");
    return filled.flatMap((cell, at) => (label.test(cell) ? [cell.replace(label, ""), filled[at + 1] ?? ""] : []));
  });
}

/** Where the file says above or below its rows how it ends, a file cut between two rows is noticed too. */
function checkClosingBalance(
  { preamble, rows }: CsvTable,
  sheet: Sheet,
  ends: ReadonlyMap<string, readonly bigint[]>,
): void {
  const [possible = [], ...others] = ends.values();
  const [end] = possible;
  if (end === undefined || others.length > 0) return;
  const undated = rows.filter((row) => !isDated(row, sheet));
  for (const value of labelled([...preamble, ...undated], CLOSING_LABEL)) {
    const stated = readAmountCell(value, sheet.decimalMark, sheet.currency);
    if (stated.kind === "amount" && !possible.includes(stated.minor))
      throw new UserError(
        `The rows end at a balance of ${formatMinor(end, sheet.currency)} ${sheet.currency.code}, but the file says that its closing balance is ${formatMinor(stated.minor, sheet.currency)}. It is incomplete or was changed.`,
      );
  }
}

import { currencyOf, type Currency } from "../../rating/money.ts";
import { readAmountCell, type DecimalMark } from "./csv-amounts.ts";
import type { BalanceStep } from "./csv-balances.ts";
import { DATES_ACCEPTED, dayOfCell, type DateOrder } from "./csv-dates.ts";
import type { ColumnRole } from "./csv-header.ts";
import type { CsvRow } from "./csv-table.ts";
import { accountId, joinedText, quoted, type BankLine } from "./statement.ts";

/** How one file writes things, decided over all its rows. */
export interface Sheet {
  readonly roles: readonly (ColumnRole | undefined)[];
  readonly dateOrder: DateOrder;
  readonly decimalMark: DecimalMark;
  /** Withdrawals carry a minus sign although they have a column of their own. */
  readonly withdrawalsAreNegative: boolean;
  /** Where a row does not say. */
  readonly currency: Currency;
  readonly account: string;
}

/** A row is a line, a reject with its reason, or a balance carried forward, which is neither. */
export interface RowReading {
  readonly line?: BankLine;
  readonly reason?: string;
  /** What the row means for the running balance; absent when it is no movement at all: a sum, a note. */
  readonly step?: BalanceStep;
}

const CARRIED = /(?:brought|carried|balance) forward|(?:opening|beginning|previous|closing|ending) balance|ยกมา|ยกไป/iu;

/** Reads one row below the header. It never throws: what cannot be read has a reason. */
export function readCsvRow(row: CsvRow, sheet: Sheet): RowReading {
  const place = `line ${row.line}`;
  const currencyCell = cellOf(row, sheet, "currency");
  const currency = currencyCell === "" ? sheet.currency : currencyOf(currencyCell);
  const account = accountId(cellOf(row, sheet, "account")) || sheet.account;
  const dateCell = cellOf(row, sheet, "date") || cellOf(row, sheet, "valueDate");
  const unknown = { place, account, currency: currency ?? sheet.currency, moved: undefined, balance: undefined };
  const dated = isDated(row, sheet);
  const reject = (reason: string): RowReading => (dated ? { reason, step: unknown } : { reason });
  const isCarried = row.cells.some((cell) => CARRIED.test(cell));
  if (isCarried && !dated) return {};
  if (row.cells.slice(sheet.roles.length).some((cell) => cell !== ""))
    return reject(`it has ${row.cells.length} columns and the header ${sheet.roles.length}: is a delimiter unquoted?`);
  if (currency === undefined) return reject(`the currency ${quoted(currencyCell)} is no code of ISO 4217`);
  const balance = readAmountCell(cellOf(row, sheet, "balance"), sheet.decimalMark, currency);
  if (balance.kind === "unreadable")
    return reject(`the balance ${quoted(cellOf(row, sheet, "balance"))} is no amount of ${currency.code}`);
  const moved = movementOf(row, sheet, currency);
  if ("reason" in moved) return reject(moved.reason);
  const step = { place, account, currency, moved: moved.minor, balance: balance.kind === "amount" ? balance.minor : undefined }; // prettier-ignore
  if (moved.minor === 0n) return isCarried ? { step } : reject("it moves no money: all its amounts are empty");
  const bookedOn = dayOfCell(dateCell, sheet.dateOrder);
  if (bookedOn === undefined)
    return reject(`the date ${quoted(dateCell)} is none (${sheet.dateOrder} in this file); accepted are ${DATES_ACCEPTED}`); // prettier-ignore
  return { step, line: lineOf(row, sheet, { bookedOn, amountMinor: moved.minor, currency: currency.code, account, place }) }; // prettier-ignore
}

type Core = Pick<BankLine, "bookedOn" | "amountMinor" | "currency" | "account" | "place">;

function lineOf(row: CsvRow, sheet: Sheet, core: Core): BankLine {
  const said = row.cells.filter((_, at) => {
    const role = sheet.roles[at];
    return role === undefined || role === "text" || role === "reference" || role === "counterparty";
  });
  return {
    ...core,
    text: joinedText(said),
    bankReference: cellOf(row, sheet, "reference"),
    counterparty: cellOf(row, sheet, "counterparty"),
    isReversal: false,
  };
}

type Movement = { readonly minor: bigint } | { readonly reason: string };

function movementOf(row: CsvRow, sheet: Sheet, currency: Currency): Movement {
  const read = (role: ColumnRole): Movement => {
    const cell = cellOf(row, sheet, role);
    const amount = readAmountCell(cell, sheet.decimalMark, currency);
    if (amount.kind === "empty") return { minor: 0n };
    if (amount.kind === "amount") return amount;
    return {
      reason: `${quoted(cell)} is no amount of ${currency.code} (decimals after "${sheet.decimalMark}" in this file)`,
    };
  };
  if (!sheet.roles.includes("credit")) {
    const amount = read("amount");
    if ("reason" in amount || amount.minor === 0n || !sheet.roles.includes("direction")) return amount;
    return directed(amount.minor, cellOf(row, sheet, "direction"));
  }
  const [credit, debit] = [read("credit"), read("debit")];
  if ("reason" in credit) return credit;
  if ("reason" in debit) return debit;
  if (credit.minor !== 0n && debit.minor !== 0n) return { reason: "it has both a deposit and a withdrawal" };
  return { minor: sheet.withdrawalsAreNegative ? credit.minor + debit.minor : credit.minor - debit.minor };
}

const RECEIVED = /^(?:c|cr|crdt|credit|deposit|in|ฝาก|ฝากเงิน|เงินเข้า|เครดิต)\.?$/iu;
const PAID_OUT = /^(?:d|dr|dbit|debit|withdrawal|out|ถอน|ถอนเงิน|เงินออก|เดบิต)\.?$/iu;

function directed(minor: bigint, direction: string): Movement {
  const size = minor < 0n ? -minor : minor;
  if (RECEIVED.test(direction)) return { minor: size };
  if (PAID_OUT.test(direction)) return { minor: -size };
  return { reason: `${quoted(direction)} is neither credit nor debit; accepted are CR, DR and their like` };
}

/** Banks put sums, notes and closing balances below the rows, with words or nothing where the date would be. */
export function isDated(row: CsvRow, sheet: Pick<Sheet, "roles">): boolean {
  return /^\d/u.test(cellOf(row, sheet, "date") || cellOf(row, sheet, "valueDate"));
}

/** The first cell of a role that has anything in it. */
export function cellOf({ cells }: CsvRow, { roles }: Pick<Sheet, "roles">, wanted: ColumnRole): string {
  return cells.find((cell, at) => roles[at] === wanted && cell !== "") ?? "";
}

import { written, type Booking } from "./arbitrary-lines.ts";

export interface CsvStyle {
  readonly delimiter: "," | ";" | "\t";
  readonly mark: "." | ",";
  readonly thousands: boolean;
  readonly columns: "signed" | "two" | "direction";
  readonly dates: "iso" | "dmy" | "buddhist" | "short buddhist";
  readonly names: "english" | "thai";
  readonly newestFirst: boolean;
  readonly preamble: boolean;
  readonly lineBreak: "\n" | "\r\n";
}

const ENGLISH = ["Date", "Amount", "Deposit", "Withdrawal", "DR/CR", "Details", "Payer", "Reference No.", "Balance"];
const THAI = ["วันที่", "จำนวนเงิน", "ฝากเงิน", "ถอนเงิน", "DR/CR", "รายละเอียด", "ชื่อผู้โอน", "เลขที่อ้างอิง", "ยอดคงเหลือ"];

/** Writes bookings, the oldest first, as a bank's CSV export with a running balance in its last column. */
export function writeCsv(bookings: readonly Booking[], style: CsvStyle): string {
  const [date = "", amount = "", deposit = "", withdrawal = "", direction = "", ...others] =
    style.names === "english" ? ENGLISH : THAI;
  const money = (minor: bigint): string => written(minor, { mark: style.mark, thousands: thousandsOf(style) });
  const movedNames = { signed: [amount], two: [withdrawal, deposit], direction: [amount, direction] }[style.columns];
  let balance = 100_000n;
  const rows = bookings.map(({ day, minor, text, name, reference }) => {
    balance += minor;
    const size = money(minor < 0n ? -minor : minor);
    const moved = {
      signed: [money(minor)],
      two: minor < 0n ? [size, ""] : ["", size],
      direction: [size, minor < 0n ? "DR" : "CR"],
    }[style.columns];
    return [dateIn(day, style), ...moved, text, name, reference, money(balance)];
  });
  const above = style.preamble ? [["Account No.", "123-4-56789-0"], ["Closing balance", money(balance)], []] : [];
  const table = [...above, [date, ...movedNames, ...others], ...(style.newestFirst ? rows.toReversed() : rows)];
  return table
    .map((row) => row.map((cell) => quotedCell(cell, style)).join(style.delimiter) + style.lineBreak)
    .join("");
}

function thousandsOf({ thousands, mark }: CsvStyle): string {
  if (!thousands) return "";
  return mark === "." ? "," : ".";
}

function dateIn(day: string, { dates }: CsvStyle): string {
  if (dates === "iso") return day;
  const [year = "", month = "", date = ""] = day.split("-");
  const buddhist = String(Number(year) + 543);
  const shown = { dmy: year, buddhist, "short buddhist": buddhist.slice(2) }[dates];
  return `${date}/${month}/${shown}`;
}

function quotedCell(cell: string, { delimiter }: CsvStyle): string {
  return cell.includes(delimiter) || /["\n\r]/u.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** The single-byte encoding of Thai banks, from the decoder's own table. */
export function windows874(text: string): Uint8Array {
  const decoder = new TextDecoder("windows-874");
  const codes = new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Uint8Array.of(byte)), byte]));
  return Uint8Array.from(text, (character) => codes.get(character) ?? 0x3f);
}

export function utf16(text: string, order: "le" | "be"): Uint8Array {
  const bytes = Buffer.from(`\uFEFF${text}`, "utf16le");
  return order === "le" ? bytes : bytes.swap16();
}

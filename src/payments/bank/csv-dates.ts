import { calendarDay } from "./statement.ts";

export type DateOrder = "day first" | "month first";

export const DATES_ACCEPTED = "DD/MM/YYYY, DD-MM-YYYY, YYYY-MM-DD and DD/MM/YY, in years of either calendar";

/** A time may follow; it is not read. */
const TIME = String.raw`(?:[T\s,]+\d{1,2}[:.]\d{2}.*)?`;
const YEAR_FIRST = new RegExp(String.raw`^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})${TIME}$`, "u");
const YEAR_LAST = new RegExp(String.raw`^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})${TIME}$`, "u");

/** Whether the dates of a file put the day or the month first. Where nothing tells, it is the day, as in Thailand. */
export function dateOrderOf(cells: readonly string[]): DateOrder {
  const numbers = cells.flatMap((cell) => {
    const match = YEAR_LAST.exec(cell);
    return match === null ? [] : [{ first: Number(match[1]), second: Number(match[2]) }];
  });
  const monthFirst = numbers.some(({ second }) => second > 12) && !numbers.some(({ first }) => first > 12);
  return monthFirst ? "month first" : "day first";
}

/** `YYYY-MM-DD` of a date as a bank writes it; undefined for what is no date or no day of the calendar. */
export function dayOfCell(cell: string, order: DateOrder): string | undefined {
  const yearFirst = YEAR_FIRST.exec(cell);
  if (yearFirst !== null) return dayOf(yearFirst[1], yearFirst[2], yearFirst[3]);
  const yearLast = YEAR_LAST.exec(cell);
  if (yearLast === null) return undefined;
  const [, first, second, year] = yearLast;
  return order === "day first" ? dayOf(year, second, first) : dayOf(year, first, second);
}

function dayOf(year = "", month = "", day = ""): string | undefined {
  return calendarDay(commonYear(year), Number(month), Number(day));
}

/**
 * The Buddhist calendar is 543 years ahead: 2569 is 2026. Of two digits, 60 and above are Buddhist (2560 is 2017), and
 * those below are of the common calendar, which tells the two apart for statements from 2017 to 2056.
 */
function commonYear(text: string): number {
  const year = Number(text);
  if (text.length === 2) return year >= 60 ? 2500 + year - 543 : 2000 + year;
  return year >= 2400 ? year - 543 : year;
}

/**
 * Points in time as sacct(1) prints them. Slurm prints no zone, but the caller's local time: ask it
 * with `TZ=UTC`, because a time without a zone is read as UTC here.
 */
import { ABSENT, isDigit, MALFORMED, readTwoDigits, readUnsigned, spells } from "./bytes.ts";
import { malformed, parsed, quoted, type Parsed } from "./parsed.ts";

const DASH = 0x2d;
const COLON = 0x3a;
const DOT = 0x2e;
const PLUS = 0x2b;
const DATE_TIME_LENGTH = 19;
const SECONDS_PER_DAY = 86_400;
/** Longest run of digits taken for seconds since 1970: 99,999,999,999 is the year 5138. */
const MAX_EPOCH_DIGITS = 11;

/**
 * Reads a Slurm time: `2026-11-23T09:14:31` (UTC), with `Z` or an offset, or seconds since 1970.
 * @returns seconds since 1970-01-01 UTC; null for `Unknown`, `None`, `N/A`, empty and 0, which is
 * Slurm's "not set".
 */
export function parseTimestamp(text: string): Parsed<number | null> {
  const bytes = Buffer.from(text);
  const seconds = readTimestamp(bytes, 0, bytes.length);
  if (seconds >= 0) return parsed(seconds);
  return seconds === ABSENT ? parsed(null) : malformed(`${quoted(text)} is not a time`);
}

/** As `parseTimestamp`, from bytes: seconds, `ABSENT` or `MALFORMED`. */
export function readTimestamp(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < DATE_TIME_LENGTH || bytes[start + 4] !== DASH) return readOtherForms(bytes, start, end);
  const century = readTwoDigits(bytes, start);
  const yearOfCentury = readTwoDigits(bytes, start + 2);
  const month = readTwoDigits(bytes, start + 5);
  const day = readTwoDigits(bytes, start + 8);
  const hour = readTwoDigits(bytes, start + 11);
  const minute = readTwoDigits(bytes, start + 14);
  const second = readTwoDigits(bytes, start + 17);
  // One negative part makes the union negative.
  if ((century | yearOfCentury | month | day | hour | minute | second) < 0) return MALFORMED;
  const separator = bytes[start + 10];
  if (
    bytes[start + 7] !== DASH ||
    (separator !== 0x54 && separator !== 0x20) ||
    bytes[start + 13] !== COLON ||
    bytes[start + 16] !== COLON
  )
    return MALFORMED;
  const year = century * 100 + yearOfCentury;
  if (hour > 23 || minute > 59 || second > 59 || !isCalendarDay(year, month, day)) return MALFORMED;
  const seconds = daysSinceEpoch(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
  return length === DATE_TIME_LENGTH ? absentIfZero(seconds) : withZone(seconds, bytes, start + DATE_TIME_LENGTH, end);
}

function readOtherForms(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return ABSENT;
  if (end - start <= MAX_EPOCH_DIGITS && isDigit(bytes[start])) {
    return absentIfZero(readUnsigned(bytes, start, end));
  }
  const none =
    spells(bytes, start, end, "unknown") || spells(bytes, start, end, "none") || spells(bytes, start, end, "n/a");
  return none ? ABSENT : MALFORMED;
}

/** What may follow the seconds: a fraction, which is dropped, then `Z`, `+07:00` or `+0700`. */
function withZone(seconds: number, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (bytes[at] === DOT) {
    at++;
    const firstDigit = at;
    while (at < end && isDigit(bytes[at])) at++;
    if (at === firstDigit) return MALFORMED;
  }
  if (at === end) return absentIfZero(seconds);
  const sign = bytes[at];
  if ((sign === 0x5a || sign === 0x7a) && at + 1 === end) return absentIfZero(seconds);
  if (sign !== PLUS && sign !== DASH) return MALFORMED;
  const colon = bytes[at + 3] === COLON ? 1 : 0;
  if (end - at !== 5 + colon) return MALFORMED;
  const hours = readTwoDigits(bytes, at + 1);
  const minutes = readTwoDigits(bytes, at + 3 + colon);
  if (hours < 0 || minutes < 0 || hours > 23 || minutes > 59) return MALFORMED;
  const offsetSeconds = hours * 3600 + minutes * 60;
  return absentIfZero(sign === PLUS ? seconds - offsetSeconds : seconds + offsetSeconds);
}

function absentIfZero(seconds: number): number {
  if (seconds > 0) return seconds;
  return seconds === 0 ? ABSENT : MALFORMED;
}

function isCalendarDay(year: number, month: number, day: number): boolean {
  if (year < 1970 || month < 1 || month > 12 || day < 1) return false;
  if (day <= 28) return true;
  if (month === 2) return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const isShort = month === 4 || month === 6 || month === 9 || month === 11;
  return day <= (isShort ? 30 : 31);
}

/** Days from 1970-01-01 to a day of the Gregorian calendar, counting years from March so that leap days come last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const monthFromMarch = month <= 2 ? month + 9 : month - 3;
  const dayOfYear = Math.trunc((153 * monthFromMarch + 2) / 5) + day - 1;
  const leapDays = Math.trunc(marchYear / 4) - Math.trunc(marchYear / 100) + Math.trunc(marchYear / 400);
  const DAYS_FROM_YEAR_0_TO_1970 = 719_468;
  return marchYear * 365 + leapDays + dayOfYear - DAYS_FROM_YEAR_0_TO_1970;
}

/**
 * The calendar of Berlin by its rule and not by a time zone database: summer time from the last Sunday of March to the last
 * Sunday of October, each at 01:00 UTC (Directive 2000/84/EC). Instants are seconds since 1970 UTC.
 */
export const TIME_ZONE = "Europe/Berlin";

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** `2026-03-29` of the instant at which it begins there. */
export function localDay(at: number): string {
  return new Date((at + offsetAt(at)) * 1000).toISOString().slice(0, 10);
}

/** The first instant of a local day. */
export function midnightOf(day: string): number {
  const utc = Date.parse(`${day}T00:00:00Z`) / 1000;
  return utc - offsetAt(utc - 2 * HOUR);
}

/** The first instants of the local days after `from` and before `to` for which `isWanted`. */
export function midnights(from: number, to: number, isWanted: (day: string) => boolean): number[] {
  const found: number[] = [];
  for (let noon = midnightOf(localDay(from)) + 36 * HOUR; noon < to; noon += DAY) {
    const day = localDay(noon);
    if (isWanted(day) && midnightOf(day) > from) found.push(midnightOf(day));
  }
  return found;
}

/** Instants between `from` and `to` at which clocks are changed. */
export function clockChanges(from: number, to: number): number[] {
  const years = [new Date(from * 1000).getUTCFullYear(), new Date(to * 1000).getUTCFullYear()];
  return [...new Set(years)].flatMap(changesOf).filter((at) => at > from && at < to);
}

function offsetAt(at: number): number {
  const [spring, autumn] = changesOf(new Date(at * 1000).getUTCFullYear());
  return at >= spring && at < autumn ? 2 * HOUR : HOUR;
}

function changesOf(year: number): [spring: number, autumn: number] {
  return [lastSunday(year, 3), lastSunday(year, 10)];
}

/** 01:00 UTC on the last Sunday of a month with 31 days. */
function lastSunday(year: number, month: number): number {
  const last = new Date(Date.UTC(year, month - 1, 31, 1));
  return last.getTime() / 1000 - last.getUTCDay() * DAY;
}

/** The days a page is about, as its address says them: `start` and `before`, both whole days, both included. */
import { UserError } from "../../../errors.ts";
import { addDays, isDay, monthStart } from "../../../usage/site-day.ts";
import type { RangePreset } from "../../pages/ui/index.ts";

export interface DayWindow {
  /** Local days of the site, `YYYY-MM-DD`, both included. */
  readonly fromDay: string;
  readonly toDay: string;
}

export interface UsageWindow extends DayWindow {
  readonly preset: RangePreset;
}

/** What was wrong with the address; the page then shows the present month and says so. */
export type WindowProblem =
  | { readonly kind: "notADay"; readonly field: string; readonly text: string }
  | { readonly kind: "backwards"; readonly fromDay: string; readonly toDay: string };

export interface WindowQuery {
  readonly start?: string | undefined;
  readonly before?: string | undefined;
}

/** Before every job there can be: stands for "from the beginning". */
export const FIRST_DAY = "1970-01-01";
/** After every job there can be; the day after it must still have a year of four digits. */
export const LAST_DAY = "9998-12-31";

/** A day as people write it into an address or a field; undefined for anything that is none. */
export function parseDay(text: string): string | undefined {
  const trimmed = text.trim();
  if (!isDay(trimmed)) return undefined;
  return trimmed > LAST_DAY ? LAST_DAY : trimmed;
}

/**
 * Reads the window of a page. Without dates it is the present month so far; with `before` alone everything up to that
 * day; with `start` alone everything from that day until today.
 */
export function readWindow(
  query: WindowQuery,
  today: string,
): { readonly window: UsageWindow; readonly problem: WindowProblem | null } {
  const reading = readDays(query);
  const fallback = { ...presetDays("thisMonth", today), preset: "thisMonth" } as const;
  if ("kind" in reading) return { window: fallback, problem: reading };
  const { start, before } = reading;
  if (start === undefined && before === undefined) return { window: fallback, problem: null };
  const toDay = before ?? (start !== undefined && start > today ? start : today);
  const days: DayWindow = { fromDay: start ?? FIRST_DAY, toDay };
  return { window: { ...days, preset: presetOf(days, today) }, problem: null };
}

/** Reads two optional days; missing ones stay undefined. */
export function readDays(
  query: WindowQuery,
): { readonly start: string | undefined; readonly before: string | undefined } | WindowProblem {
  const days: Record<"start" | "before", string | undefined> = { start: undefined, before: undefined };
  for (const field of ["start", "before"] as const) {
    const text = (query[field] ?? "").trim();
    if (text === "") continue;
    days[field] = parseDay(text);
    if (days[field] === undefined) return { kind: "notADay", field, text: text.slice(0, 40) };
  }
  const { start, before } = days;
  if (start !== undefined && before !== undefined && start > before)
    return { kind: "backwards", fromDay: start, toDay: before };
  return { start, before };
}

/**
 * Reads the days of a file's address, in which the last one may be called `end` too; missing ones stay undefined.
 *
 * @throws {UserError} that names the day as it was called and says how it is written.
 */
export function daysOfFile({ start, end, before }: WindowQuery & { readonly end?: string | undefined }): {
  readonly start: string | undefined;
  readonly before: string | undefined;
} {
  const days = readDays({ start, before: end ?? before });
  if ("kind" in days) throw new UserError(wordsOfProblem(days, end === undefined ? "before" : "end"));
  return days;
}

/** The problem for scripts, in English; `lastDay` is what the last day is called there. */
export function wordsOfProblem(problem: WindowProblem, lastDay = "before"): string {
  return problem.kind === "notADay"
    ? `${problem.field === "before" ? lastDay : problem.field} "${problem.text}" is not a day: write YYYY-MM-DD, such as 2026-10-31`
    : `start ${problem.fromDay} is after ${lastDay} ${problem.toDay}: write the earlier day first`;
}

export function presetDays(preset: Exclude<RangePreset, "custom">, today: string): DayWindow {
  if (preset === "thisMonth") return { fromDay: monthStart(today), toDay: today };
  if (preset === "lastMonth") return { fromDay: monthStart(today, -1), toDay: addDays(monthStart(today), -1) };
  return { fromDay: addDays(today, -89), toDay: today };
}

function presetOf(days: DayWindow, today: string): RangePreset {
  for (const preset of ["thisMonth", "lastMonth", "days90"] as const) {
    const { fromDay, toDay } = presetDays(preset, today);
    if (fromDay === days.fromDay && toDay === days.toDay) return preset;
  }
  return "custom";
}

/** What the address must say to mean this window: nothing for the present month, so that a bookmark moves along. */
export function windowParams({ preset, fromDay, toDay }: UsageWindow): {
  readonly start?: string;
  readonly before?: string;
} {
  if (preset === "thisMonth") return {};
  return { ...(fromDay > FIRST_DAY && { start: fromDay }), before: toDay };
}

/**
 * What a window is compared with: the same days of the month before for (part of) a month that begins on its first day,
 * else as many days just before it.
 */
export function windowBefore({ fromDay, toDay }: DayWindow): DayWindow {
  const month = fromDay.slice(0, 7);
  if (fromDay.endsWith("-01") && toDay.startsWith(month)) {
    const lastOf = (day: string): string => addDays(monthStart(day, 1), -1);
    const before = monthStart(fromDay, -1);
    const lastBefore = lastOf(before);
    const sameDay = `${before.slice(0, 8)}${toDay.slice(8)}`;
    return { fromDay: before, toDay: toDay === lastOf(toDay) || sameDay > lastBefore ? lastBefore : sameDay };
  }
  const length = countDays({ fromDay, toDay });
  return { fromDay: addDays(fromDay, -length), toDay: addDays(fromDay, -1) };
}

export function countDays({ fromDay, toDay }: DayWindow): number {
  return Math.round((Date.parse(toDay) - Date.parse(fromDay)) / 86_400_000) + 1;
}

/** Every day of a window, oldest first. */
export function daysOf(days: DayWindow): string[] {
  return Array.from({ length: countDays(days) }, (_, index) => addDays(days.fromDay, index));
}

/**
 * The one place that turns numbers and times into text. Amounts and quantities come in as integers or as
 * exact fractions and are never floats; Thai dates count years the Buddhist way.
 */
import { currencyOf, roundHalfEven } from "../rating/money.ts";
import { translator, type Lang } from "./i18n/index.ts";

export const MINUS = "\u2212";
const NO_BREAK_SPACE = "\u00a0";
const EN_DASH = "\u2013";

const NUMBER_LOCALES: Readonly<Record<Lang, string>> = { en: "en-US", th: "th-TH" };
const DATE_LOCALES: Readonly<Record<Lang, string>> = { en: "en-US", th: "th-TH-u-ca-buddhist" };

/** An instant, or a plain calendar day as `YYYY-MM-DD`, which has no time zone. */
export type When = Date | string;

/** An amount in pieces, for a key figure that sets its currency mark small. */
export interface MoneyParts {
  /** `−` or nothing. */
  readonly sign: string;
  /** `฿`, `KWD`. */
  readonly mark: string;
  /** `12,483.27`. */
  readonly digits: string;
}

/** Where the reader is: decides words, grouping, the calendar, the zone and the currency. */
export interface FormatOptions {
  readonly lang: Lang;
  /** IANA name: `Asia/Bangkok`. */
  readonly timeZone: string;
  /** ISO 4217 code: `THB`. */
  readonly currency: string;
}

export type Formatter = ReturnType<typeof createFormatter>;

const formatters = new Map<string, Formatter>();

/** The formatter for a reader; made once for each language, zone and currency. */
export function formatter(options: FormatOptions): Formatter {
  const key = `${options.lang} ${options.timeZone} ${options.currency}`;
  const made = formatters.get(key) ?? createFormatter(options);
  formatters.set(key, made);
  return made;
}

/** Digits after the point of a currency by ISO 4217: JPY 0, THB 2, KWD 3. */
export function minorDigits(currency: string): number {
  return currencyOf(currency)?.minorDigits ?? 2;
}

/** `epochSeconds` as usage stores it, for the functions that take a `When`. */
export function fromEpochSeconds(epochSeconds: number): Date {
  return new Date(epochSeconds * 1000);
}

function createFormatter({ lang, timeZone, currency }: FormatOptions) {
  const digits = minorDigits(currency);
  const mark = currencyMark(currency);
  const grouped = new Intl.NumberFormat(NUMBER_LOCALES[lang], { maximumFractionDigits: 0 });
  const t = translator(lang);

  /** `scaled` tenths, hundredths, … as unsigned text: (1234567n, 2) is `12,345.67`. */
  function unsigned(scaled: bigint, decimals: number): string {
    const size = scaled < 0n ? -scaled : scaled;
    const unit = 10n ** BigInt(decimals);
    const whole = grouped.format(size / unit);
    return decimals === 0 ? whole : `${whole}.${String(size % unit).padStart(decimals, "0")}`;
  }
  const signOf = (value: bigint): string => (value < 0n ? MINUS : "");

  function moneyParts(minor: bigint): MoneyParts {
    return { sign: signOf(minor), mark, digits: unsigned(minor, digits) };
  }
  /** A code such as `KWD` stands apart from its digits, a mark such as `฿` does not. */
  const markAndGap = /\p{L}$/u.test(mark) ? mark + NO_BREAK_SPACE : mark;

  /** `฿12,483.27`, from minor units. */
  function money(minor: bigint): string {
    return signOf(minor) + markAndGap + unsigned(minor, digits);
  }
  /** A price with its six places, from millionths: `฿1.250000`. */
  function rate(micro: bigint, decimals = 6): string {
    const scaled = roundHalfEven(micro * 10n ** BigInt(decimals), 1_000_000n);
    return signOf(scaled) + markAndGap + unsigned(scaled, decimals);
  }
  /** The fraction with that many decimals, rounded half to even: (10n, 3n, 2) is `3.33`. */
  function decimal(numerator: bigint, denominator: bigint, decimals: number): string {
    const scaled = roundHalfEven(numerator * 10n ** BigInt(decimals), denominator);
    return signOf(scaled) + unsigned(scaled, decimals);
  }
  /** `cpuSeconds` as core-hours, `gpuSeconds` as GPU-hours. */
  function hours(seconds: bigint, decimals = 2): string {
    return decimal(seconds, 3600n, decimals);
  }
  /** `memMibSeconds` as GiB-hours. */
  function gibHours(mibSeconds: bigint, decimals = 2): string {
    return decimal(mibSeconds, 1024n * 3600n, decimals);
  }
  function integer(value: bigint | number): string {
    const whole = BigInt(value);
    return signOf(whole) + unsigned(whole, 0);
  }
  /** A share as `3.1 %`; null where there is nothing to take a share of. */
  function percent(part: bigint, whole: bigint, decimals = 1): string | null {
    return whole <= 0n ? null : `${decimal(part * 100n, whole, decimals)}${NO_BREAK_SPACE}%`;
  }
  /** `+12 %`, `−4 %`, `0 %`; null where there was nothing before to compare with. */
  function percentChange(now: bigint, before: bigint): string | null {
    if (before <= 0n) return null;
    const text = decimal((now - before) * 100n, before, 0);
    return `${text === "0" || text.startsWith(MINUS) ? "" : "+"}${text}${NO_BREAK_SPACE}%`;
  }

  return {
    lang,
    timeZone,
    currency,
    moneyParts,
    money,
    rate,
    decimal,
    hours,
    gibHours,
    integer,
    percent,
    percentChange,
    ...createDates(lang, timeZone),
    /** `3:20:15`; days are not split off: `24:00:00`, `51:00:00`. */
    duration(seconds: number): string {
      const minutes = Math.floor(seconds / 60);
      return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(Math.floor(seconds % 60))}`;
    },
    /** `2 minutes`, the largest unit that fits at least once. */
    span: (seconds: number): string => span(lang, seconds),
    /** `2 minutes old`. */
    age: (seconds: number): string => (seconds < 60 ? t("age.justNow") : t("age.old", { age: span(lang, seconds) })),
  };
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

function currencyMark(currency: string): string {
  const parts = new Intl.NumberFormat("en-US", {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
  }).formatToParts(0);
  return parts.find((part) => part.type === "currency")?.value ?? currency;
}

const SPANS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

function span(lang: Lang, seconds: number): string {
  const size = Math.max(0, Math.floor(seconds));
  const [unit, length] = SPANS.find(([, unitSeconds]) => size >= unitSeconds) ?? (["second", 1] as const);
  return new Intl.NumberFormat(NUMBER_LOCALES[lang], { style: "unit", unit, unitDisplay: "long" }).format(
    Math.floor(size / length),
  );
}

/** A year's worth of days, twice; then it starts anew. */
const REMEMBERED_DAYS = 800;

type PartName = "weekday" | "day" | "month" | "year" | "hour" | "minute" | "second" | "timeZoneName";

/** Dates are put together from parts: the locales' own patterns differ in ways nobody asked for ("Sept", " at "). */
function createDates(lang: Lang, timeZone: string) {
  const style = (month: "short" | "long", zone: string): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat(DATE_LOCALES[lang], {
      timeZone: zone,
      weekday: "long",
      day: "numeric",
      month,
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
      timeZoneName: "short",
    });
  const instants = { short: style("short", timeZone), long: style("long", timeZone) };
  const days = { short: style("short", "UTC"), long: style("long", "UTC") };

  // Charts and their tables say the same few days over and over, and taking a date apart is slow.
  const remembered = new Map<string, Readonly<Record<PartName, string>>>();

  function partsOf(when: When, month: "short" | "long"): Readonly<Record<PartName, string>> {
    if (typeof when !== "string") return split(instants[month].formatToParts(when));
    const key = `${month} ${when}`;
    const parts = remembered.get(key) ?? split(days[month].formatToParts(startOfDay(when)));
    if (remembered.size >= REMEMBERED_DAYS) remembered.clear();
    remembered.set(key, parts);
    return parts;
  }

  function split(found: readonly Intl.DateTimeFormatPart[]): Readonly<Record<PartName, string>> {
    const parts: Record<PartName, string> = {
      weekday: "",
      day: "",
      month: "",
      year: "",
      hour: "",
      minute: "",
      second: "",
      timeZoneName: "",
    };
    for (const { type, value } of found) if (type in parts) Object.assign(parts, { [type]: value });
    return parts;
  }

  /** `31 Oct 2026`. */
  function date(when: When): string {
    const { day, month, year } = partsOf(when, "short");
    return `${day} ${month} ${year}`;
  }
  /** `31 October 2026`. */
  function dateLong(when: When): string {
    const { day, month, year } = partsOf(when, "long");
    return `${day} ${month} ${year}`;
  }
  /** `31 Oct`, where the year is clear. */
  function dayMonth(when: When): string {
    const { day, month } = partsOf(when, "short");
    return `${day} ${month}`;
  }
  function time(when: Date): string {
    const { hour, minute } = partsOf(when, "short");
    return `${hour}:${minute}`;
  }
  /** `1–31 October 2026`, `28 Sep – 3 Oct 2026`, `30 Dec 2025 – 2 Jan 2026`; both ends included. */
  function dateRange(from: When, to: When): string {
    const [a, b] = [partsOf(from, "short"), partsOf(to, "short")];
    const sameMonth = a.month === b.month && a.year === b.year;
    if (sameMonth && a.day === b.day) return dateLong(from);
    if (sameMonth) return `${a.day}${EN_DASH}${dateLong(to)}`;
    return `${a.year === b.year ? dayMonth(from) : date(from)} ${EN_DASH} ${date(to)}`;
  }

  return {
    date,
    dateLong,
    dayMonth,
    time,
    dateRange,
    /** `Saturday, 31 October 2026`. */
    dateFull(when: When): string {
      const { weekday } = partsOf(when, "long");
      return lang === "th" ? `${weekday}ที่ ${dateLong(when)}` : `${weekday}, ${dateLong(when)}`;
    },
    /** `Oct`, for an axis. */
    monthShort: (when: When): string => partsOf(when, "short").month,
    /** `October`. */
    monthName: (when: When): string => partsOf(when, "long").month,
    /** `October 2026`. */
    monthYear(when: When): string {
      const { month, year } = partsOf(when, "long");
      return `${month} ${year}`;
    },
    /** `31 Oct 22:14`. */
    dateTimeShort: (when: Date): string => `${dayMonth(when)} ${time(when)}`,
    /** `1 November 2026, 09:12`. */
    dateTime: (when: Date): string => `${dateLong(when)}, ${time(when)}`,
    /** `31 Oct 2026, 22:14:05 GMT+7`: what a `title` says of a time. */
    dateTimeZone(when: Date): string {
      const { hour, minute, second, timeZoneName } = partsOf(when, "short");
      return `${date(when)}, ${hour}:${minute}:${second} ${timeZoneName}`;
    },
  };
}

function startOfDay(day: string): Date {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new RangeError(`not a day: ${day}`);
  return new Date(`${day}T00:00:00Z`);
}

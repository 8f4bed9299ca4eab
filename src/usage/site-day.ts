/** Seconds in which no time zone changes its offset and keeps the same day: offsets are multiples of a quarter of an hour. */
const BUCKET_SECONDS = 900;
const MAX_CACHED = 200_000;

/**
 * Days of the site: which local day an instant falls on, and where a local day begins.
 * A date in a filter means that whole day in the site's time zone, which may have 23 or 25 hours.
 */
export class SiteDays {
  readonly timeZone: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #dayByBucket = new Map<number, string>();

  /** @throws {RangeError} for a zone that the IANA database does not have. */
  constructor(timeZone: string) {
    this.timeZone = timeZone;
    this.#format = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  }

  /** `YYYY-MM-DD` of an instant given in seconds since 1970 UTC. */
  dayOf(epochSeconds: number): string {
    const bucket = Math.floor(epochSeconds / BUCKET_SECONDS);
    const known = this.#dayByBucket.get(bucket);
    if (known !== undefined) return known;
    if (this.#dayByBucket.size >= MAX_CACHED) this.#dayByBucket.clear();
    const day = this.#format.format(epochSeconds * 1000);
    this.#dayByBucket.set(bucket, day);
    return day;
  }

  /** First instant of a local day `YYYY-MM-DD`, in seconds since 1970 UTC. */
  startOf(day: string): number {
    // Offsets lie between -12 and +14 hours: the day's first bucket is within that of UTC midnight.
    const utcMidnight = Date.parse(`${day}T00:00:00Z`) / 1000;
    let low = utcMidnight - 15 * 3600;
    let high = utcMidnight + 15 * 3600;
    while (high - low > BUCKET_SECONDS) {
      const middle = low + Math.floor((high - low) / 2 / BUCKET_SECONDS) * BUCKET_SECONDS;
      if (this.dayOf(middle) < day) low = middle;
      else high = middle;
    }
    return high;
  }

  /** Whole local days, both included, as the instants [from, to) in seconds since 1970 UTC. */
  rangeOf({ from, to }: { readonly from: string; readonly to: string }): { from: number; to: number } {
    return { from: this.startOf(from), to: this.startOf(addDays(to, 1)) };
  }
}

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/u;

/** True for a calendar day that exists, written `YYYY-MM-DD`, between 1970 and 9999. */
export function isDay(text: string): boolean {
  if (!DAY.test(text) || text < "1970-01-01") return false;
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
}

/** The day so many days later (or earlier, for a negative number). */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** First day of the month a day lies in, and of the month so many months later. */
export function monthStart(day: string, monthsLater = 0): string {
  const date = new Date(`${day.slice(0, 7)}-01T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + monthsLater);
  return date.toISOString().slice(0, 10);
}

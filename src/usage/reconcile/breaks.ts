/** What does not balance, and a bounded list of it. */

/**
 * `missing` the scheduler has the job, we do not; `extra` we have it, the scheduler does not; `different` both have it;
 * `unread` the scheduler's row could not be read; `sreport` a total of the scheduler's own reports;
 * `rollup` a daily sum against its jobs; `charge` a job's price against the price book; `settlement` a job against its
 * receipt and corrections; `receipt` a receipt against its parts; `payment` a receipt against its payments.
 */
export const BREAK_KINDS = [
  "missing",
  "extra",
  "different",
  "unread",
  "sreport",
  "rollup",
  "charge",
  "settlement",
  "receipt",
  "payment",
] as const;

export type BreakKind = (typeof BREAK_KINDS)[number];

/** The job that a break is about. */
export interface BrokenJob {
  readonly rawJobId: string;
  readonly jobId: string;
  /** Seconds since 1970 UTC. */
  readonly submitAt: number;
}

export interface Break {
  readonly kind: BreakKind;
  /** Names of what was compared: `end`, `cpu_seconds`. */
  readonly what: string;
  readonly ours: string;
  /** What it should be, by the scheduler or by the other side of our books. */
  readonly theirs: string;
  readonly cluster?: string | undefined;
  /** The site's local day, `YYYY-MM-DD`. */
  readonly day?: string | undefined;
  readonly job?: BrokenJob | undefined;
  readonly userName?: string | undefined;
  readonly account?: string | undefined;
  readonly receipt?: { readonly id: bigint; readonly number: string } | undefined;
}

/** Breaks kept of a run: more than these nobody reads one by one; the count goes on. */
export const MOST_KEPT = 1_000;
const LONGEST_TEXT = 500;

/** Counts all breaks of a run and keeps the first ones. */
export class BreakList {
  readonly #kept: Break[] = [];
  readonly #byDay = new Map<string, bigint>();
  #count = 0n;

  add(one: Break): void {
    this.#count++;
    const key = dayKey(one);
    this.#byDay.set(key, (this.#byDay.get(key) ?? 0n) + 1n);
    if (this.#kept.length >= MOST_KEPT) return;
    this.#kept.push({ ...one, ours: one.ours.slice(0, LONGEST_TEXT), theirs: one.theirs.slice(0, LONGEST_TEXT) });
  }

  /** Adds what a query found of which it handed over only the first ones. */
  addFirstOf(found: readonly Break[], total: bigint): void {
    for (const one of found) this.add(one);
    const more = total - BigInt(found.length);
    const last = found.at(-1);
    if (last === undefined || more <= 0n) return;
    this.#count += more;
    this.#byDay.set(dayKey(last), (this.#byDay.get(dayKey(last)) ?? 0n) + more);
  }

  /** Breaks of one day of a cluster; without them, those that belong to no such day. */
  countOf(place: { readonly cluster?: string; readonly day?: string }): bigint {
    return this.#byDay.get(dayKey(place)) ?? 0n;
  }

  get count(): bigint {
    return this.#count;
  }

  get kept(): readonly Break[] {
    return this.#kept;
  }
}

/** A total or a receipt belongs to no day of a cluster. */
function dayKey({ cluster, day }: Pick<Break, "cluster" | "day">): string {
  return cluster === undefined || day === undefined ? "" : `${cluster}\u0000${day}`;
}

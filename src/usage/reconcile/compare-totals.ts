/** Compares what our jobs add up to with the scheduler's own reports, by cluster, account and user. */
import type { Queries } from "../../db/database.ts";
import { messageOf } from "../../errors.ts";
import type { BreakList } from "./breaks.ts";
import { heldSeconds, TRES_NAMES, type HeldByUser, type HeldSeconds, type TresName } from "./held-seconds.ts";
import type { SreportRow } from "../../slurm/sacct/sreport.ts";
import type { ReconcileSource } from "./sources.ts";

const HOUR_SECONDS = 3_600;
/** slurmdbd rolls an hour up shortly after it has ended. */
const ROLLUP_SECONDS = 600;
/** The account at the top of Slurm's tree; its row is the cluster's total. */
const ROOT = "root";

/** One TRES of a whole cluster, in seconds (memory in MiB-seconds), with how sreport's number comes from that of the days. */
export interface TresTotal {
  readonly name: TresName;
  /** Held by jobs that ended in the site's days, all of it. */
  readonly endedAll: bigint;
  /** Of that, before or after the hours sreport was asked for. */
  readonly outside: bigint;
  /** Held within those hours by jobs that ended later, or still run. */
  readonly endedLater: bigint;
  /** Held within those hours; between the two where suspended jobs cross their edge. */
  readonly low: bigint;
  readonly high: bigint;
  readonly theirs: bigint;
}

/** `absent`: there is no sreport; `too_early`: nothing of the days is rolled up yet; `failed`: it did not answer. */
export type TotalsResult =
  | { readonly kind: "absent" | "too_early" }
  | { readonly kind: "failed"; readonly reason: string }
  | {
      readonly kind: "compared";
      /** Whole hours, seconds since 1970 UTC. */
      readonly from: number;
      readonly to: number;
      readonly tres: readonly TresTotal[];
      /** TRES that we hold and the reports do not know. */
      readonly untracked: readonly TresName[];
    };

export interface TotalsRequest {
  readonly db: Queries;
  readonly source: ReconcileSource;
  /** The site's days, seconds since 1970 UTC, the end not included. */
  readonly window: { readonly from: number; readonly to: number };
  readonly nowEpoch: number;
  readonly signal: AbortSignal;
}

export async function compareTotals(
  { db, source, window, nowEpoch, signal }: TotalsRequest,
  breaks: BreakList,
): Promise<TotalsResult> {
  if (source.sreport === null) return { kind: "absent" };
  const hours = rolledUpHours(window, nowEpoch);
  if (hours === null) return { kind: "too_early" };
  let rows: readonly SreportRow[];
  try {
    rows = await source.sreport(hours, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { kind: "failed", reason: messageOf(error) };
  }
  const theirs = rows.filter((row) => row.cluster === source.cluster);
  const ours = await heldSeconds(db, source.cluster, { hours, days: window });
  const untracked = TRES_NAMES.filter(
    (name) =>
      theirs.length > 0 &&
      theirs.every((row) => !row.seconds.has(name)) &&
      ours.some(({ tres }) => tres[name].high > 0n),
  );
  const compared = TRES_NAMES.filter((name) => !untracked.includes(name));
  for (const name of compared) compareTres(name, { cluster: source.cluster, ours, theirs, breaks });
  return { kind: "compared", ...hours, tres: compared.map((name) => totalOf(name, ours, theirs)), untracked };
}

/** sreport knows whole hours (UTC) only, and those that are rolled up. */
function rolledUpHours(
  { from, to }: TotalsRequest["window"],
  nowEpoch: number,
): { readonly from: number; readonly to: number } | null {
  const first = Math.ceil(from / HOUR_SECONDS) * HOUR_SECONDS;
  const end = Math.floor(Math.min(to, nowEpoch - ROLLUP_SECONDS) / HOUR_SECONDS) * HOUR_SECONDS;
  return first < end ? { from: first, to: end } : null;
}

interface Sides {
  readonly cluster: string;
  readonly ours: readonly HeldByUser[];
  readonly theirs: readonly SreportRow[];
  readonly breaks: BreakList;
}

/** As the same seconds of a single job are called. */
const BREAK_NAMES: Readonly<Record<TresName, string>> = {
  cpu: "cpu_seconds",
  "gres/gpu": "gpu_seconds",
  mem: "mem_mib_seconds",
  billing: "billing_seconds",
};

/** Each account and user; the cluster's own total only where all of them agree, so that one fault is named once. */
function compareTres(name: TresName, { cluster, ours, theirs, breaks }: Sides): void {
  const total = totalOf(name, ours, theirs);
  const add = (account: string, userName: string | undefined, held: Range, reported: bigint): void =>
    breaks.add({
      kind: "sreport",
      cluster,
      account,
      userName,
      what: BREAK_NAMES[name],
      ours: rangeText(held),
      theirs: String(reported),
    });
  const before = breaks.count;
  if (theirs.length > 0) {
    const reported = byUser(name, theirs);
    for (const { account, userName, tres } of ours) {
      const key = JSON.stringify([account, userName]);
      const seconds = reported.get(key)?.seconds ?? 0n;
      reported.delete(key);
      if (!isWithin(seconds, tres[name])) add(account, userName, tres[name], seconds);
    }
    for (const { account, userName, seconds } of reported.values())
      if (seconds !== 0n) add(account, userName, { low: 0n, high: 0n }, seconds);
  }
  if (breaks.count === before && !isWithin(total.theirs, total)) add(ROOT, undefined, total, total.theirs);
}

type Range = Pick<HeldSeconds, "low" | "high">;

function isWithin(seconds: bigint, { low, high }: Range): boolean {
  return seconds >= low && seconds <= high;
}

function rangeText({ low, high }: Range): string {
  return low === high ? String(high) : `${low} to ${high}`;
}

/** A user with an association per partition has several rows. */
function byUser(
  name: TresName,
  rows: readonly SreportRow[],
): Map<string, { readonly account: string; readonly userName: string; readonly seconds: bigint }> {
  const sums = new Map<string, { account: string; userName: string; seconds: bigint }>();
  for (const { account, user, seconds } of rows) {
    if (user === null) continue;
    const key = JSON.stringify([account, user]);
    const known = sums.get(key)?.seconds ?? 0n;
    sums.set(key, { account, userName: user, seconds: known + (seconds.get(name) ?? 0n) });
  }
  return sums;
}

function totalOf(name: TresName, ours: readonly HeldByUser[], theirs: readonly SreportRow[]): TresTotal {
  const sum = (part: keyof HeldSeconds): bigint => ours.reduce((total, { tres }) => total + tres[name][part], 0n);
  const root = theirs.find((row) => row.user === null && row.account === ROOT);
  const users = theirs.reduce((total, row) => total + (row.user === null ? 0n : (row.seconds.get(name) ?? 0n)), 0n);
  const endedAll = sum("endedAll");
  const endedWithin = sum("endedWithin");
  const high = sum("high");
  return {
    name,
    endedAll,
    outside: endedAll - endedWithin,
    endedLater: high - endedWithin,
    low: sum("low"),
    high,
    theirs: root?.seconds.get(name) ?? users,
  };
}

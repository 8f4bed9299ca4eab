import type { TimeWindow } from "../../slurm/source.ts";

/** How a sync chooses what to ask for. */
export interface SyncPolicy {
  /** How far back a cluster that was never read is fetched, in seconds since 1970 UTC. */
  readonly startAt: number;
  /** What was read before is read again this far back: records arrive late and change. */
  readonly overlapSeconds: number;
  /** Longest window that is asked for at once. */
  readonly windowSeconds: number;
}

/**
 * The windows of a sync that catches up to now, in order and without gaps. They begin the overlap before the instant up
 * to which the cluster is complete; the last one is open, so that the scheduler's clock says what "now" is and a
 * difference between its clock and ours loses nothing.
 *
 * @param completeUntil seconds since 1970 UTC; null for a cluster that was never read.
 */
export function windowsUntilNow(completeUntil: number | null, now: number, policy: SyncPolicy): TimeWindow[] {
  // A clock that ran ahead once may have left an instant that is still to come: the overlap is read all the same.
  const from = completeUntil === null ? policy.startAt : Math.min(completeUntil, now) - policy.overlapSeconds;
  const windows = windowsBetween(Math.min(from, now), now, policy.windowSeconds);
  const last = windows.pop();
  return [...windows, { from: last?.from ?? now, to: null }];
}

/** Windows that cover [from, to) in order and without gaps, none longer than `longestSeconds`. */
export function windowsBetween(from: number, to: number, longestSeconds: number): TimeWindow[] {
  const windows: TimeWindow[] = [];
  for (let start = from; start < to; start += longestSeconds) {
    windows.push({ from: start, to: Math.min(start + longestSeconds, to) });
  }
  return windows;
}

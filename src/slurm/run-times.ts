/** When a job was submitted, started and ended, and how long it ran: what the row says, checked against itself. */
import { ABSENT, MALFORMED, readUnsigned } from "./bytes.ts";
import type { Layout } from "./columns.ts";
import { readDurationMs } from "./duration.ts";
import type { JobPhase } from "./job-record.ts";
import { malformed, parsed, type Parsed } from "./parsed.ts";
import type { Row } from "./row.ts";
import { isEmpty, readWith, show } from "./row-fields.ts";
import { readTimestamp } from "./timestamp.ts";

/** All in seconds since 1970-01-01 UTC, but for the length. */
export interface RunTimes {
  readonly submitAt: number;
  /** The row has no submit time; the time it became eligible, else its start, stands in. */
  readonly isSubmitInferred: boolean;
  readonly startAt: number | null;
  readonly endAt: number | null;
  readonly elapsedSeconds: number;
}

/** The times of a run as a source told them: seconds since 1970-01-01 UTC and a length; `ABSENT` for what it did not. */
export interface ToldTimes {
  readonly submit: number;
  readonly eligible: number;
  readonly start: number;
  readonly end: number;
  readonly elapsedSeconds: number;
}

/** Three thousand years; an end that is told by the length alone stays a date that can be written. */
const MAX_ELAPSED_SECONDS = 99_999_999_999;

interface Run {
  readonly startAt: number | null;
  readonly endAt: number | null;
  readonly elapsedSeconds: number;
}

/** Reads the times of a job's row; the reason says which of them cannot be or contradict each other. */
export function readRunTimes(row: Row, layout: Layout, phase: JobPhase): Parsed<RunTimes> {
  const submit = readWith(readTimestamp, row, layout.submit);
  if (submit === MALFORMED) return malformed(`Submit ${show(row, layout.submit)} is not a time`);
  const start = readWith(readTimestamp, row, layout.start);
  if (start === MALFORMED) return malformed(`Start ${show(row, layout.start)} is not a time`);
  const end = readWith(readTimestamp, row, layout.end);
  if (end === MALFORMED) return malformed(`End ${show(row, layout.end)} is not a time`);
  const elapsed = readElapsedSeconds(row, layout);
  if (!elapsed.ok) return elapsed;
  // Eligible only stands in for Submit, so it is seldom worth reading.
  const eligible = submit >= 0 ? ABSENT : readWith(readTimestamp, row, layout.eligible);
  return settleRunTimes({ submit, eligible, start, end, elapsedSeconds: elapsed.value }, phase);
}

/** Checks the times of a run against each other and its phase; the reason says which of them contradict. */
export function settleRunTimes(told: ToldTimes, phase: JobPhase): Parsed<RunTimes> {
  const { submit, eligible, start, end, elapsedSeconds: elapsed } = told;
  if (elapsed > MAX_ELAPSED_SECONDS) return malformed(`it ran for ${elapsed} s, which is more than can be true`);
  const run = phase === "active" ? parsed(activeRun(start, elapsed)) : endedRun(start, end, elapsed, phase);
  if (!run.ok) return run;
  const { startAt, endAt, elapsedSeconds } = run.value;
  if (submit >= 0) return parsed({ submitAt: submit, isSubmitInferred: false, startAt, endAt, elapsedSeconds });
  const submitAt = eligible >= 0 ? eligible : start;
  if (submitAt < 0)
    return malformed(
      "neither Submit nor Eligible nor Start is a time, so the job cannot be told from others with its id",
    );
  return parsed({ submitAt, isSubmitInferred: true, startAt, endAt, elapsedSeconds });
}

/** ElapsedRaw, else Elapsed; `ABSENT` where the row has neither. */
function readElapsedSeconds(row: Row, layout: Layout): Parsed<number> {
  const column = isEmpty(row, layout.elapsedRaw) ? layout.elapsed : layout.elapsedRaw;
  if (isEmpty(row, column)) return parsed(ABSENT);
  const isRaw = column === layout.elapsedRaw;
  const seconds = isRaw
    ? readWith(readUnsigned, row, column)
    : Math.floor(readWith(readDurationMs, row, column) / 1000);
  if (seconds >= 0) return parsed(seconds);
  const text = show(row, column);
  const what = text.startsWith('"-') ? "is negative" : isRaw ? "is not a number of seconds" : "is not a length of time";
  return malformed(`${isRaw ? "ElapsedRaw" : "Elapsed"} ${text} ${what}`);
}

/** A job that Slurm has not finished with has no end, whatever the column says. */
function activeRun(start: number, elapsed: number): Run {
  return { startAt: start >= 0 ? start : null, endAt: null, elapsedSeconds: start >= 0 ? Math.max(elapsed, 0) : 0 };
}

function endedRun(start: number, end: number, elapsed: number, phase: JobPhase): Parsed<Run> {
  if (start < 0) {
    if (elapsed > 0) return malformed(`the job ran for ${elapsed} s, but has no start`);
    if (end < 0 && phase === "finished")
      return malformed("the job's state says that it ended, but it has neither start nor end");
    return parsed({ startAt: null, endAt: end >= 0 ? end : null, elapsedSeconds: 0 });
  }
  if (end < 0) {
    if (phase === "unknown") return parsed({ startAt: start, endAt: null, elapsedSeconds: Math.max(elapsed, 0) });
    if (elapsed < 0)
      return malformed("the job's state says that it ended, but it has neither an end nor an elapsed time");
    return parsed({ startAt: start, endAt: start + elapsed, elapsedSeconds: elapsed });
  }
  if (end < start) return malformed(`it ends ${start - end} s before it starts`);
  if (elapsed > end - start) {
    const hint =
      elapsed - (end - start) === 3600
        ? " (were the times printed in a zone with summer time? ask sacct with TZ=UTC)"
        : "";
    return malformed(`it ran for ${elapsed} s, but only ${end - start} s lie between its start and its end${hint}`);
  }
  return parsed({ startAt: start, endAt: end, elapsedSeconds: elapsed >= 0 ? elapsed : end - start });
}

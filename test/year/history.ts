/** What accounting says of a run in the course of time. */
import type { JobRecord } from "../../src/slurm/job-record.ts";
import type { Dice } from "./dice.ts";
import { NOTHING_HELD } from "./allocations.ts";

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** From an instant of the scheduler's clock on, accounting has this record of a run; null: it knows nothing of it. */
export interface Sighting {
  readonly from: number;
  readonly record: JobRecord | null;
}

/** A record of a run that ended. */
export interface Ended extends JobRecord {
  readonly endAt: number;
}

/** Longest time between a run's end and the moment accounting knows of it. */
const LATEST = 3 * DAY;

/**
 * How a run that will have ended so comes to be known: at once, late, only its end late, or it vanishes while it runs, and
 * some of those come back. Then the record may be corrected, once or twice or there and back.
 */
export function historyOf(dice: Dice, ended: Ended): Sighting[] {
  const { submitAt, startAt, endAt } = ended;
  const waiting: Sighting[] = [
    { from: submitAt, record: pending(ended) },
    ...(startAt === null ? [] : [{ from: startAt, record: running(ended) }]),
  ];
  const fate = dice.weighted([
    [88, "prompt"],
    [6, "late"],
    [4, "late end"],
    [2, "vanishes"],
  ]);
  if (fate === "vanishes" && startAt !== null && endAt - startAt > 2 * DAY) {
    const gone: Sighting[] = [...waiting, { from: dice.int(startAt + DAY, endAt - 1), record: null }];
    return dice.percent(60)
      ? gone
      : withCorrections(dice, [...gone, { from: endAt + dice.int(1, LATEST), record: ended }]);
  }
  if (fate === "late") return withCorrections(dice, [{ from: endAt + dice.int(HOUR, LATEST), record: ended }]);
  const knownAt = fate === "late end" ? endAt + dice.int(HOUR, LATEST) : endAt;
  return withCorrections(dice, [...waiting, { from: knownAt, record: ended }]);
}

function pending(ended: Ended): JobRecord {
  const active = { phase: "active", state: "PENDING", exitCode: "0:0", energyJoules: 0n } as const;
  const used = { usedCpuMs: null, usedMemKibSeconds: null };
  return { ...ended, ...NOTHING_HELD, ...active, ...used, startAt: null, endAt: null, elapsedSeconds: 0, nodeList: "" };
}

/** Its elapsed time depends on when one looks; see `recordAt`. */
function running(ended: Ended): JobRecord {
  const active = { phase: "active", state: "RUNNING", exitCode: "0:0", energyJoules: 0n } as const;
  return { ...ended, ...active, usedCpuMs: null, usedMemKibSeconds: null, endAt: null, elapsedSeconds: 0 };
}

function withCorrections(dice: Dice, history: Sighting[]): Sighting[] {
  const last = history.at(-1);
  if (last === undefined || last.record === null || last.record.startAt === null || dice.percent(80)) return history;
  const firstAt = last.from + dice.int(12 * HOUR, 6 * DAY);
  const first = corrected(dice, last.record);
  history.push({ from: firstAt, record: first });
  const more = dice.weighted([
    [60, "none"],
    [20, "another"],
    [20, "back"],
  ]);
  const secondAt = firstAt + dice.int(HOUR, 3 * DAY);
  if (more === "another") history.push({ from: secondAt, record: corrected(dice, first) });
  if (more === "back") history.push({ from: secondAt, record: last.record });
  return history;
}

/** Another elapsed time, another allocation, another end state, or only another comment. */
function corrected(dice: Dice, record: JobRecord): JobRecord {
  const kind = dice.weighted([
    [40, "time"],
    [30, "allocation"],
    [15, "state"],
    [10, "comment"],
    [5, "never ran"],
  ]);
  switch (kind) {
    case "time":
      return lasting(record, Math.floor((record.elapsedSeconds * dice.int(30, 99)) / 100) + dice.int(0, 2 * HOUR));
    case "allocation":
      return { ...record, allocCpus: dice.int(1, 64), allocMemMib: dice.int(0, 200_000) };
    case "state":
      return { ...record, state: dice.pick(["NODE_FAIL", "FAILED", "COMPLETED"]) };
    case "comment":
      return { ...record, comment: `looked into it, ${dice.int(1, 999)}` };
    case "never ran":
      return lasting(record, 0);
  }
}

function lasting(record: JobRecord, elapsedSeconds: number): JobRecord {
  if (record.startAt === null || record.endAt === null) return record;
  const suspendedSeconds = record.endAt - record.startAt - record.elapsedSeconds;
  return { ...record, elapsedSeconds, endAt: record.startAt + elapsedSeconds + suspendedSeconds };
}

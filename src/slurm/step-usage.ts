/** A job's run and what its steps report: sums that become the job's used CPU, memory and energy. */
import { ABSENT, readTwoDigits, readUnsigned } from "./bytes.ts";
import type { Layout } from "./columns.ts";
import { storable } from "./countable.ts";
import { readDurationMs } from "./duration.ts";
import type { JobRecord } from "./job-record.ts";
import type { JobRow, OpenRecord } from "./job-row.ts";
import { readRssKib } from "./memory.ts";
import type { Row } from "./row.ts";
import { isEmpty, readWith } from "./row-fields.ts";
import { readTimestamp } from "./timestamp.ts";

/** What one step's row reports; 0 for what it does not. */
export interface StepUsage {
  readonly cpuMs: number;
  readonly rssKib: number;
  readonly elapsedSeconds: number;
  readonly energyJoules: number;
}

/** Reads a step's row. Steps only enrich their job, so a value that cannot be read counts as not reported. */
export function readStepUsage(row: Row, layout: Layout): StepUsage {
  return {
    cpuMs: Math.max(readWith(readDurationMs, row, layout.totalCpu), 0),
    rssKib: Math.max(readWith(readRssKib, row, layout.aveRss), 0),
    elapsedSeconds: stepElapsedSeconds(row, layout),
    energyJoules: Math.max(readWith(readUnsigned, row, layout.consumedEnergyRaw), 0),
  };
}

function stepElapsedSeconds(row: Row, layout: Layout): number {
  if (!isEmpty(row, layout.elapsedRaw)) return Math.max(readWith(readUnsigned, row, layout.elapsedRaw), 0);
  if (!isEmpty(row, layout.elapsed))
    return Math.max(Math.floor(readWith(readDurationMs, row, layout.elapsed) / 1000), 0);
  const start = readWith(readTimestamp, row, layout.start);
  const end = readWith(readTimestamp, row, layout.end);
  return start >= 0 && end > start ? end - start : 0;
}

/** Steps 0 to 27 have a bit each, and so have the three that Slurm names; others go into a set. */
const FIRST_NAMED_BIT = 28;
const BATCH = 0x62;
const EXTERN = 0x65;
const INTERACTIVE = 0x69;

/** One run of a job, open for its steps. */
export class OpenRun {
  readonly record: OpenRecord;
  readonly #row: JobRow;
  #lastStep: StepUsage | null = null;
  #cpuMs = 0;
  #energyJoules = 0;
  #memKibSeconds = 0;
  /** What no longer fits a double exactly: a terabyte for a month is near its limit. */
  #largeMemKibSeconds = 0n;
  #seenBits = 0;
  #seenOthers: Set<string> | null = null;

  constructor(row: JobRow) {
    this.#row = row;
    this.record = row.record;
  }

  get hasSteps(): boolean {
    return this.#lastStep !== null;
  }

  /**
   * Adds a step, named by what stands behind the dot of its id. A step is added once.
   * @returns false when another row of the same step was added before; a mere repetition of the last row is true.
   */
  addStep(usage: StepUsage, bytes: Buffer, nameStart: number, nameEnd: number): boolean {
    if (!this.#isNewStep(bytes, nameStart, nameEnd)) return this.#lastStep !== null && sameUsage(this.#lastStep, usage);
    this.#lastStep = usage;
    this.#cpuMs += usage.cpuMs;
    this.#energyJoules += usage.energyJoules;
    const memKibSeconds = usage.rssKib * usage.elapsedSeconds;
    if (this.#memKibSeconds + memKibSeconds <= Number.MAX_SAFE_INTEGER) this.#memKibSeconds += memKibSeconds;
    else this.#largeMemKibSeconds += BigInt(usage.rssKib) * BigInt(usage.elapsedSeconds);
    return true;
  }

  /** Whether a point in time lies inside the run; its end counts as inside. */
  covers(at: number): boolean {
    const { startAt, endAt } = this.record;
    return startAt !== null && at >= startAt && (endAt === null || at <= endAt);
  }

  /** Closes the run: writes what was used into its record. */
  close(): JobRecord {
    const { record } = this;
    record.usedCpuMs = storable(this.#usedCpuMs());
    const memKibSeconds = this.#memKibSeconds > 0 || this.#largeMemKibSeconds > 0n;
    record.usedMemKibSeconds = memKibSeconds ? storable(this.#largeMemKibSeconds + BigInt(this.#memKibSeconds)) : null;
    const energyJoules = this.#row.energyJoules > 0 ? this.#row.energyJoules : this.#energyJoules;
    if (energyJoules > 0) record.energyJoules = storable(BigInt(energyJoules)) ?? 0n;
    return record;
  }

  #usedCpuMs(): bigint | null {
    if (this.#cpuMs > 0) return BigInt(this.#cpuMs);
    // A dump made with --allocations has no steps, but the job's row then holds the sum that Slurm made of them.
    if (!this.hasSteps && this.#row.totalCpuMs > 0) return BigInt(this.#row.totalCpuMs);
    return this.#row.cpuTimeSeconds > 0 ? BigInt(this.#row.cpuTimeSeconds) * 1000n : null;
  }

  #isNewStep(bytes: Buffer, start: number, end: number): boolean {
    const bit = stepBit(bytes, start, end);
    if (bit >= 0) {
      const isNew = (this.#seenBits & (1 << bit)) === 0;
      this.#seenBits |= 1 << bit;
      return isNew;
    }
    const name = bytes.toString("latin1", start, end);
    this.#seenOthers ??= new Set();
    if (this.#seenOthers.has(name)) return false;
    this.#seenOthers.add(name);
    return true;
  }
}

function sameUsage(left: StepUsage, right: StepUsage): boolean {
  return (
    left.cpuMs === right.cpuMs &&
    left.rssKib === right.rssKib &&
    left.elapsedSeconds === right.elapsedSeconds &&
    left.energyJoules === right.energyJoules
  );
}

function stepBit(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  const first = bytes[start] ?? 0;
  if (length === 1) return first >= 0x30 && first <= 0x39 ? first - 0x30 : -1;
  if (length === 2) {
    const step = readTwoDigits(bytes, start);
    return step >= 10 && step < FIRST_NAMED_BIT ? step : -1;
  }
  if (first === BATCH && length === 5) return FIRST_NAMED_BIT;
  if (first === EXTERN && length === 6) return FIRST_NAMED_BIT + 1;
  return first === INTERACTIVE && length === 11 ? FIRST_NAMED_BIT + 2 : -1;
}

/** The start of a step; `ABSENT` when it is not known. */
export function stepStart(row: Row, layout: Layout): number {
  return Math.max(readWith(readTimestamp, row, layout.start), ABSENT);
}

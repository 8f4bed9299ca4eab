/** Compares one site day of one cluster with the scheduler, job by job, in bounded memory. */
import type { Queries } from "../../db/database.ts";
import type { DumpBatch } from "../../slurm/sacct-reader.ts";
import type { BreakList } from "./breaks.ts";
import { ourRunsByKey, ourRunsEndedIn, ourWeakRuns, type EndWindow } from "./our-runs.ts";
import {
  describeRun,
  differenceOf,
  fingerprint,
  NO_RUNS,
  runKey,
  weakKey,
  withRun,
  type RunRecord,
  type RunSums,
} from "./run-record.ts";
import type { ReconcileSource } from "./sources.ts";

export interface ComparedDay {
  readonly db: Queries;
  readonly source: ReconcileSource;
  /** `YYYY-MM-DD` and its first and last second. */
  readonly day: string;
  readonly window: EndWindow;
  /** Some of our jobs were stored without raw id or submit time. */
  readonly hasWeakKeys: boolean;
  readonly signal: AbortSignal;
  /** Called after each piece of work. */
  readonly onAlive: () => Promise<void>;
}

/** Sums over the jobs that ended on the day, on both sides. They differ only where a break says why. */
export interface DayResult {
  readonly ours: RunSums;
  readonly theirs: RunSums;
  /** Requeued runs that the source cannot show; on neither side of the sums. */
  readonly hiddenRuns: number;
}

const JOBS_PER_BATCH = 4_000;
const LOOKUP_JOBS = 200;
/** Jobs of ours that are looked up one by one where the day's list does not show them; the rest count as unknown there. */
const MOST_LOOKUPS = 4_000;

/** @throws {UpstreamError} when the scheduler does not answer completely. */
export async function compareDay(request: ComparedDay, breaks: BreakList): Promise<DayResult> {
  const comparison = new DayComparison(request, breaks);
  await comparison.readTheirs();
  await comparison.crossOffEqualRuns();
  await comparison.lookAgainAtTheirs();
  await comparison.lookAgainAtOurs();
  return comparison.result();
}

/**
 * The first look takes a fingerprint of each of their runs and crosses off those that we hold in the same way. What is left
 * is read once more on both sides, so that a job that was imported or changed in between is no break.
 */
class DayComparison {
  readonly #request: ComparedDay;
  readonly #breaks: BreakList;
  /** Fingerprints of their runs that nothing of ours equals so far. */
  readonly #theirs = new Map<string, number>();
  readonly #theirKeyByWeakKey = new Map<string, string>();
  /** Our runs that nothing of theirs equals so far. */
  readonly #ours = new Map<string, Pick<RunRecord, "rawJobId" | "submitAt">>();
  #ourSums = NO_RUNS;
  #theirSums = NO_RUNS;
  #hiddenRuns = 0;

  constructor(request: ComparedDay, breaks: BreakList) {
    this.#request = request;
    this.#breaks = breaks;
  }

  result(): DayResult {
    return { ours: this.#ourSums, theirs: this.#theirSums, hiddenRuns: this.#hiddenRuns };
  }

  async readTheirs(): Promise<void> {
    for await (const batch of this.#theirDay()) {
      for (const { reason, text } of batch.rejects) this.#add({ kind: "unread", what: reason, ours: "", theirs: text });
      for (const run of this.#endedRuns(batch)) {
        this.#theirs.set(runKey(run), fingerprint(run));
        if (this.#request.hasWeakKeys) this.#theirKeyByWeakKey.set(weakKey(run), runKey(run));
      }
      await this.#request.onAlive();
    }
  }

  async crossOffEqualRuns(): Promise<void> {
    const { db, source, window, signal, onAlive } = this.#request;
    for await (const page of ourRunsEndedIn(db, source.cluster, window)) {
      signal.throwIfAborted();
      for (const run of page) {
        const key = (run.keyIsWeak ? this.#theirKeyByWeakKey.get(weakKey(run)) : undefined) ?? runKey(run);
        if (this.#theirs.get(key) !== fingerprint(run)) {
          this.#ours.set(runKey(run), { rawJobId: run.rawJobId, submitAt: run.submitAt });
          continue;
        }
        this.#theirs.delete(key);
        this.#ourSums = withRun(this.#ourSums, run);
        this.#theirSums = withRun(this.#theirSums, run);
      }
      await onAlive();
    }
  }

  async lookAgainAtTheirs(): Promise<void> {
    if (this.#theirs.size === 0) return;
    for await (const batch of this.#theirDay()) {
      const open = this.#endedRuns(batch).filter((run) => this.#theirs.delete(runKey(run)));
      const ours = await this.#oursOf(open);
      for (const run of open) {
        const known = ours.get(runKey(run));
        if (known !== undefined) this.#ours.delete(runKey(known));
        this.#judge(known, run);
      }
      await this.#request.onAlive();
    }
  }

  async lookAgainAtOurs(): Promise<void> {
    const { db, source, signal, onAlive } = this.#request;
    const keys = [...this.#ours.values()];
    for (let first = 0; first < keys.length; first += LOOKUP_JOBS) {
      signal.throwIfAborted();
      const held = await ourRunsByKey(db, source.cluster, keys.slice(first, first + LOOKUP_JOBS));
      const runs = held.filter((run) => this.#isOfDay(run));
      const theirs = await this.#theirsById(first < MOST_LOOKUPS ? runs : []);
      for (const run of runs) this.#judgeOurs(run, theirs);
      await onAlive();
    }
  }

  #judgeOurs(run: RunRecord, theirs: readonly RunRecord[]): void {
    const sameRun = theirs.find((one) => (run.keyIsWeak ? weakKey(one) === weakKey(run) : runKey(one) === runKey(run)));
    const hides = this.#request.source.limits.includes("hides_requeued_runs");
    if (sameRun === undefined && hides && theirs.some((one) => isLaterRun(one, run))) this.#hiddenRuns++;
    else this.#judge(run, sameRun);
  }

  #judge(ours: RunRecord | undefined, theirs: RunRecord | undefined): void {
    if (ours !== undefined && this.#isOfDay(ours)) this.#ourSums = withRun(this.#ourSums, ours);
    if (theirs !== undefined && this.#isOfDay(theirs)) this.#theirSums = withRun(this.#theirSums, theirs);
    if (ours !== undefined && theirs !== undefined) {
      const difference = differenceOf(ours, theirs);
      if (difference !== null) this.#add({ kind: "different", ...difference }, ours);
    } else if (theirs !== undefined) {
      this.#add({ kind: "missing", what: "job", ours: "", theirs: describeRun(theirs) }, theirs);
    } else if (ours !== undefined) {
      this.#add({ kind: "extra", what: "job", ours: describeRun(ours), theirs: "" }, ours);
    }
  }

  #add(found: Pick<Parameters<BreakList["add"]>[0], "kind" | "what" | "ours" | "theirs">, run?: RunRecord): void {
    const { source, day } = this.#request;
    this.#breaks.add({ ...found, cluster: source.cluster, day, job: run, userName: run?.user, account: run?.account });
  }

  /** Their runs that were there on the day. One second earlier than the day: who ended in its first moment ran before. */
  #theirDay(): AsyncIterable<DumpBatch> {
    const { source, window, signal } = this.#request;
    return source.source.jobs({ from: window.from - 1, to: window.to }, { signal, jobsPerBatch: JOBS_PER_BATCH });
  }

  #endedRuns(batch: DumpBatch): RunRecord[] {
    const { cluster } = this.#request.source;
    return batch.records.filter((record) => record.cluster === cluster && this.#isOfDay(record));
  }

  #isOfDay({ phase, endAt }: Pick<RunRecord, "phase" | "endAt">): boolean {
    const { from, to } = this.#request.window;
    return phase !== "active" && endAt !== null && endAt >= from && endAt < to;
  }

  /** What we hold of their runs, by their key. */
  async #oursOf(theirs: readonly RunRecord[]): Promise<ReadonlyMap<string, RunRecord>> {
    const { db, source, hasWeakKeys } = this.#request;
    const held = new Map((await ourRunsByKey(db, source.cluster, theirs)).map((run) => [runKey(run), run]));
    if (!hasWeakKeys) return held;
    const weak = new Map((await ourWeakRuns(db, source.cluster, theirs)).map((run) => [weakKey(run), run]));
    return new Map(
      theirs.flatMap((run): [string, RunRecord][] => {
        const known = held.get(runKey(run)) ?? weak.get(weakKey(run));
        return known === undefined ? [] : [[runKey(run), known]];
      }),
    );
  }

  /** Everything the scheduler knows about the job ids of these runs, whenever they ended. */
  async #theirsById(runs: readonly RunRecord[]): Promise<RunRecord[]> {
    const { source, signal } = this.#request;
    // A job that is known by its displayed id only (`918260_4`) is found by the number before the mark.
    const ids = new Set(runs.flatMap(({ rawJobId }) => /^\d+/u.exec(rawJobId) ?? []));
    const found: RunRecord[] = [];
    if (ids.size === 0) return found;
    for await (const batch of source.source.jobsById([...ids], { signal, jobsPerBatch: JOBS_PER_BATCH }))
      found.push(...batch.records.filter((record) => record.cluster === source.cluster));
    return found;
  }
}

function isLaterRun(one: RunRecord, run: RunRecord): boolean {
  return one.rawJobId === run.rawJobId && one.submitAt > run.submitAt;
}

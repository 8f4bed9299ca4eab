import { hostname } from "node:os";
import { messageOf, UpstreamError } from "../../errors.ts";
import type { JobRecord } from "../../slurm/job-record.ts";
import type { DumpBatch } from "../../slurm/sacct-reader.ts";
import type { ReadOptions, TimeWindow } from "../../slurm/source.ts";
import { storeAccounts } from "../accounts/store.ts";
import { JOBS_PER_BATCH } from "../import/batch.ts";
import { jobKey, type ImportContext } from "../import/context.ts";
import { addTotals, importRecords, NOTHING_IMPORTED, type ImportTotals } from "../import/import.ts";
import { Cascade, type WorkingSource } from "./cascade.ts";
import type { NamedCluster } from "./clusters.ts";
import { importFiles, type FilePlace } from "./files.ts";
import { takeLease, type Lease } from "./lease.ts";
import { dropOldRejects, keepRejects } from "./rejects.ts";
import {
  closeRun,
  clusterState,
  moveCompleteUntil,
  saveAccountsState,
  saveProgress,
  saveRange,
  type ChosenSource,
  type RunProgress,
} from "./runs.ts";
import { setAside, unmetJobs } from "./unfinished.ts";
import { wholeWindow } from "./whole-window.ts";
import { windowsBetween, windowsUntilNow, type SyncPolicy } from "./windows.ts";

export interface SyncContext extends ImportContext {
  readonly policy: () => SyncPolicy;
}

export interface SyncRequest {
  /** Who asked for it, for the audit trail. */
  readonly actor: string;
  /** Only this range, in seconds since 1970 UTC; undefined: from where the cluster is complete up to now. */
  readonly range?: { readonly from: number; readonly to: number } | undefined;
  /** Raw ids of jobs that are asked for besides, whenever they ran. */
  readonly rawJobIds?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: RunProgress) => void;
}

/** What a sync has done. */
export interface SyncOutcome {
  readonly runId: bigint;
  readonly cluster: string;
  readonly status: "done" | "canceled";
  readonly source: ChosenSource | null;
  readonly totals: ImportTotals;
  /** What did not work although usage came in; null when all did. */
  readonly trouble: string | null;
}

/** Accounts change seldom; reading the tree of a large site takes seconds. */
const ACCOUNTS_EVERY_MS = 3_600_000;

/**
 * Brings one cluster up to date: window after window from the first source of its cascade that works. Each window is
 * committed before the next is asked for, and only then does the instant move up to which the cluster is complete, so
 * that a sync that is killed anywhere goes on from there. Repeating a sync changes nothing.
 *
 * @throws {ConflictError} when another sync of the cluster is under way.
 * @throws {UpstreamError} when no source works, with what each of them said.
 */
export async function syncCluster(
  context: SyncContext,
  cluster: NamedCluster,
  request: SyncRequest,
): Promise<SyncOutcome> {
  const holder = `${hostname()}, process ${process.pid}`;
  const lease = await takeLease(context, { cluster: cluster.name, requestedBy: request.actor, holder });
  const signals = [lease.signal, ...(request.signal === undefined ? [] : [request.signal])];
  const run = new Run(context, cluster, lease, { ...request, signal: AbortSignal.any(signals) });
  try {
    return await run.work();
  } finally {
    await lease.release().catch(() => undefined);
  }
}

/** One sync of one cluster, under its lease. */
class Run {
  readonly #context: SyncContext;
  readonly #cluster: NamedCluster;
  readonly #lease: Lease;
  readonly #request: SyncRequest & { readonly signal: AbortSignal };
  readonly #cascade: Cascade;
  /** Keys of the unfinished jobs that this sync has met. */
  readonly #met = new Set<string>();
  #totals: ImportTotals = NOTHING_IMPORTED;
  #source: ChosenSource | null = null;
  #windowsTotal = 0;
  #windowsDone = 0;

  constructor(
    context: SyncContext,
    cluster: NamedCluster,
    lease: Lease,
    request: SyncRequest & { readonly signal: AbortSignal },
  ) {
    this.#context = context;
    this.#cluster = cluster;
    this.#lease = lease;
    this.#request = request;
    this.#cascade = new Cascade(context, cluster, request.signal);
  }

  async work(): Promise<SyncOutcome> {
    const { db, clock } = this.#context;
    const { name } = this.#cluster;
    const { runId } = this.#lease;
    try {
      const vanished = await this.#sync();
      const trouble = this.#cascade.trouble;
      const source = this.#source ?? "file";
      await closeRun(db, name, runId, { status: "done", source, trouble, vanished }, clock.now());
      await dropOldRejects(db, name, clock.now());
      return { runId, cluster: name, status: "done", source, totals: this.#totals, trouble };
    } catch (error) {
      if (this.#request.signal.aborted) {
        const reason: unknown = this.#request.signal.reason;
        await closeRun(db, name, runId, { status: "canceled", error: messageOf(reason) }, clock.now());
        if (!this.#lease.isCanceled() && this.#lease.signal.aborted) throw reason;
        return { runId, cluster: name, status: "canceled", source: this.#source, totals: this.#totals, trouble: null };
      }
      // What went wrong first is what matters, also when it is the database that went away.
      const end = { status: "failed", error: messageOf(error) } as const;
      await closeRun(db, name, runId, end, clock.now()).catch(() => undefined);
      throw error;
    }
  }

  /** Returns how many jobs of ours the scheduler no longer knows. */
  async #sync(): Promise<number> {
    const windows = await this.#windows();
    await saveRange(this.#context.db, this.#lease.runId, windows);
    this.#windowsTotal = windows.length;
    const first = await this.#cascade.current();
    if (first !== null) await this.#syncAccounts(first);
    for (const window of windows) {
      if (!(await this.#syncWindow(window))) return this.#readFiles();
    }
    await this.#readById(this.#request.rawJobIds ?? []);
    await this.#cascade.surveyRest();
    await this.#readDrops();
    return this.#request.range === undefined ? this.#lookAfterUnfinished() : this.#vanishedBefore();
  }

  async #windows(): Promise<TimeWindow[]> {
    const { db, clock, policy } = this.#context;
    const { range } = this.#request;
    if (range !== undefined) return windowsBetween(range.from, range.to, policy().windowSeconds);
    const { complete_until } = await clusterState(db, this.#cluster.name);
    const completeUntil = complete_until === null ? null : seconds(complete_until);
    return windowsUntilNow(completeUntil, seconds(clock.now()), policy());
  }

  /** Imports a window from the first source that can; false when none does. */
  async #syncWindow(window: TimeWindow): Promise<boolean> {
    const { db, clock } = this.#context;
    const askedAt = seconds(clock.now());
    for (;;) {
      const current = await this.#cascade.current();
      if (current === null) return false;
      this.#source = current.kind;
      try {
        const batches = wholeWindow(this.#cascade, current, window, { ...this.#reading(), met: this.#meet });
        await this.#import(batches, nameOf(current, this.#cluster.name, window), current.kind);
      } catch (error) {
        if (!(error instanceof UpstreamError) || this.#request.signal.aborted) throw error;
        await this.#cascade.failed(current, error);
        continue;
      }
      this.#windowsDone++;
      await this.#report();
      if (this.#request.range === undefined) {
        const until = window.to ?? askedAt;
        await moveCompleteUntil(db, this.#cluster.name, { id: this.#lease.runId, at: until, now: clock.now() });
      }
      this.#request.signal.throwIfAborted();
      return true;
    }
  }

  readonly #meet = (job: JobRecord): void => {
    if (job.phase !== "finished") this.#met.add(jobKey(job));
  };

  #reading(): ReadOptions {
    return { signal: this.#request.signal, jobsPerBatch: JOBS_PER_BATCH };
  }

  async #import(batches: AsyncIterable<DumpBatch>, source: string, kind: ChosenSource): Promise<void> {
    const { db, clock } = this.#context;
    const before = this.#totals;
    await importRecords(this.#context, batches, {
      source,
      actor: this.#request.actor,
      syncRunId: this.#lease.runId,
      onRejects: (rows) => keepRejects(db, { cluster: this.#cluster.name, source: kind, at: clock.now() }, rows),
      onProgress: (totals) => {
        this.#totals = addTotals(before, totals);
        void this.#report().catch(() => undefined);
      },
    });
  }

  async #report(): Promise<void> {
    const progress: RunProgress = {
      source: this.#source ?? "file",
      windowsTotal: this.#windowsTotal,
      windowsDone: this.#windowsDone,
      totals: this.#totals,
    };
    this.#request.onProgress?.(progress);
    await saveProgress(this.#context.db, this.#lease.runId, progress);
  }

  /** The accounts of the cluster; what goes wrong with them does not keep usage from coming in. */
  async #syncAccounts(current: WorkingSource): Promise<void> {
    const { db, clock } = this.#context;
    const { name } = this.#cluster;
    const { accounts_synced_at } = await clusterState(db, name);
    const age = accounts_synced_at === null ? Infinity : clock.now().getTime() - accounts_synced_at.getTime();
    if (age < ACCOUNTS_EVERY_MS) return;
    try {
      const snapshot = await current.source.accounts(this.#request.signal);
      await storeAccounts(this.#context, name, snapshot, { actor: this.#request.actor });
      await saveAccountsState(db, name, { at: clock.now() });
    } catch (error) {
      if (!(error instanceof UpstreamError) || this.#request.signal.aborted) throw error;
      await saveAccountsState(db, name, { error: messageOf(error) });
    }
  }

  /** No live source works: what the folder and the fallback file hold is better than nothing, but proves nothing. */
  async #readFiles(): Promise<number> {
    const { dropFolder, fallbackFile, live } = this.#cluster;
    const places: FilePlace[] = [
      ...(dropFolder === null ? [] : [{ folder: dropFolder }]),
      ...(fallbackFile === null ? [] : [{ file: fallbackFile }]),
    ];
    if (places.length === 0) {
      throw new UpstreamError(this.#cascade.trouble ?? `no source is configured for ${this.#cluster.name}`);
    }
    this.#source = "file";
    const problem = await this.#importFiles(places);
    // There was nothing else to show: then a bad file is a failed sync.
    if (problem !== null) throw new UpstreamError(live.length === 0 ? problem : (this.#cascade.trouble ?? problem));
    if (live.length === 0) this.#windowsDone = this.#windowsTotal;
    await this.#report();
    return this.#vanishedBefore();
  }

  /** A folder is read beside a live source too: somebody put those dumps there. */
  async #readDrops(): Promise<void> {
    const { dropFolder } = this.#cluster;
    if (dropFolder !== null) await this.#importFiles([{ folder: dropFolder }]);
  }

  /** Returns what was wrong with files that could not be read; the others are in. */
  async #importFiles(places: readonly FilePlace[]): Promise<string | null> {
    const address = places.map((place) => ("folder" in place ? place.folder : place.file)).join(", ");
    let problem: string | null = null;
    try {
      await importFiles(this.#context, this.#cluster.name, places, {
        signal: this.#request.signal,
        importBatches: (batches, path) => this.#import(batches, path, "file"),
      });
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      problem = error.message;
    }
    await this.#cascade.filesRead(address, problem);
    return problem;
  }

  /** Asks by id for unfinished jobs that the windows did not show, and sets aside those nobody knows. */
  async #lookAfterUnfinished(): Promise<number> {
    const { db } = this.#context;
    const { name } = this.#cluster;
    const current = await this.#cascade.current();
    const unmet = await unmetJobs(db, name, this.#met);
    if (current === null) return this.#vanishedBefore();
    await this.#readById([...new Set(unmet.map(({ rawJobId }) => rawJobId))]);
    // What it does not show may only be hidden from it.
    if (current.limits.includes("is_no_operator")) return this.#vanishedBefore();
    const gone = unmet.filter((job) => !this.#met.has(jobKey({ cluster: name, ...job })));
    return setAside(db, name, gone, { actor: this.#request.actor });
  }

  /** Imports all runs of some jobs, whenever they were. */
  async #readById(rawJobIds: readonly string[]): Promise<void> {
    const current = await this.#cascade.current();
    if (current === null || rawJobIds.length === 0) return;
    const { kind, source } = current;
    const batches = this.#noted(source.jobsById(rawJobIds, this.#reading()));
    await this.#import(batches, `${kind} ${this.#cluster.name}: jobs by id`, kind);
  }

  async *#noted(batches: AsyncIterable<DumpBatch>): AsyncGenerator<DumpBatch> {
    for await (const batch of batches) {
      for (const job of batch.records) this.#meet(job);
      yield batch;
    }
  }

  #vanishedBefore(): Promise<number> {
    return setAside(this.#context.db, this.#cluster.name, [], { actor: this.#request.actor });
  }
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** `slurmrestd alpha, 2026-11-01T00:00:00Z to now` */
function nameOf(source: WorkingSource, cluster: string, window: TimeWindow): string {
  const instant = (at: number): string => new Date(at * 1000).toISOString().replace(".000", "");
  return `${source.kind} ${cluster}, ${instant(window.from)} to ${window.to === null ? "now" : instant(window.to)}`;
}

import { UpstreamError } from "../../src/errors.ts";
import type { JobRecord, RejectedRow } from "../../src/slurm/job-record.ts";
import type { DumpBatch } from "../../src/slurm/sacct-reader.ts";
import type {
  AccountSnapshot,
  ReadOptions,
  SlurmSource,
  SourceKind,
  SourceLimit,
  SourceProbe,
  TimeWindow,
} from "../../src/slurm/source.ts";
import type { SreportUsage } from "../../src/usage/reconcile/sources.ts";
import type { ClusterSetup, LiveSource, NamedCluster } from "../../src/usage/sync/clusters.ts";

const ROOT_ONLY: AccountSnapshot = {
  accounts: [{ name: "root", parent: null, description: "root", organization: "root" }],
  members: [],
  coordinators: [],
};

/** The accounting of one cluster, as a scheduler keeps it: what tests change, and sources read. */
export class FakeScheduler {
  readonly cluster: string;
  records: JobRecord[] = [];
  rejects: RejectedRow[] = [];
  accounts: AccountSnapshot = ROOT_ONLY;
  /** The scheduler's own clock, in seconds since 1970 UTC. */
  now: () => number;

  constructor(cluster: string, now: () => number) {
    this.cluster = cluster;
    this.now = now;
  }

  /** Puts a run in the place of the one with its key, or adds it. */
  put(...runs: readonly JobRecord[]): void {
    for (const run of runs) {
      const at = this.records.findIndex((one) => one.rawJobId === run.rawJobId && one.submitAt === run.submitAt);
      if (at < 0) this.records.push(run);
      else this.records[at] = run;
    }
  }

  /** As slurmdbd selects: what was eligible before the window's end and had not ended before its start. */
  inWindow({ from, to }: TimeWindow): JobRecord[] {
    const until = to ?? this.now();
    return this.records.filter((run) => run.submitAt < until && (run.endAt === null || run.endAt >= from));
  }
}

/** A source over a `FakeScheduler` that can be told to fail. */
export class FakeSource implements SlurmSource {
  readonly kind: SourceKind;
  readonly scheduler: FakeScheduler;
  limits: readonly SourceLimit[] = [];
  /** Runs that its lists hide are not found by id either. */
  hidesById = false;
  /** What every question answers while it is set. */
  broken: string | null = null;
  /** Windows that fail after their first batch, by the position of the question. */
  cutAtQuestion: number | null = null;
  /** Called before each window is answered. */
  onQuestion: (window: TimeWindow) => void | Promise<void> = () => undefined;
  readonly windows: TimeWindow[] = [];
  readonly askedIds: string[] = [];

  constructor(kind: SourceKind, scheduler: FakeScheduler) {
    this.kind = kind;
    this.scheduler = scheduler;
  }

  async probe(): Promise<SourceProbe> {
    this.#refuseIfBroken();
    return { version: `${this.kind} of a test`, limits: this.limits };
  }

  async clusters(): Promise<readonly string[]> {
    this.#refuseIfBroken();
    return [this.scheduler.cluster];
  }

  async *jobs(window: TimeWindow, options: ReadOptions): AsyncGenerator<DumpBatch> {
    this.windows.push(window);
    await this.onQuestion(window);
    options.signal.throwIfAborted();
    this.#refuseIfBroken();
    const isCut = this.cutAtQuestion === this.windows.length;
    const found = this.scheduler.inWindow(window);
    const records = this.#shown(found);
    yield* isCut ? batches(records.slice(0, 1), [], options) : batches(records, this.scheduler.rejects, options);
    if (isCut) throw new UpstreamError(`${this.kind}: the answer was cut`);
  }

  async *jobsById(ids: readonly string[], options: ReadOptions): AsyncGenerator<DumpBatch> {
    this.#refuseIfBroken();
    this.askedIds.push(...ids);
    const found = this.scheduler.records.filter((run) => ids.includes(run.rawJobId));
    yield* batches(this.hidesById ? this.#shown(found) : found, [], options);
  }

  async accounts(): Promise<AccountSnapshot> {
    this.#refuseIfBroken();
    return this.scheduler.accounts;
  }

  /** As REST v0.0.38 lists: an earlier run of a requeued job is hidden by the later one. */
  #shown(runs: readonly JobRecord[]): readonly JobRecord[] {
    if (!this.limits.includes("hides_requeued_runs")) return runs;
    const all = this.scheduler.records;
    return runs.filter((run) => !all.some((one) => one.rawJobId === run.rawJobId && one.submitAt > run.submitAt));
  }

  #refuseIfBroken(): void {
    if (this.broken !== null) throw new UpstreamError(this.broken);
  }
}

function* batches(
  records: readonly JobRecord[],
  rejects: readonly RejectedRow[],
  { jobsPerBatch }: ReadOptions,
): Generator<DumpBatch> {
  if (rejects.length > 0) yield { records: [], rejects, rowsRead: rejects.length, bytesRead: 0 };
  for (let first = 0; first < records.length; first += jobsPerBatch) {
    const batch = records.slice(first, first + jobsPerBatch).map((run) => ({ ...run }));
    yield { records: batch, rejects: [], rowsRead: batch.length, bytesRead: 0 };
  }
}

/** A cluster with these sources, in this order. */
export function clusterOf(
  name: string,
  sources: readonly SlurmSource[],
  files: { readonly dropFolder?: string; readonly fallbackFile?: string } = {},
): NamedCluster {
  return {
    name,
    live: sources.map(liveOf),
    sreport: null,
    dropFolder: files.dropFolder ?? null,
    fallbackFile: files.fallbackFile ?? null,
  };
}

/** A cluster as it is configured; without a name, its sources are asked for it. */
export function setupOf(name: string | null, sources: readonly SlurmSource[], sreport?: SreportUsage): ClusterSetup {
  return {
    configuredName: name,
    live: () => sources.map(liveOf),
    sreport: sreport === undefined ? null : () => sreport,
    dropFolder: null,
    fallbackFile: null,
  };
}

function liveOf(source: SlurmSource): LiveSource {
  return { kind: source.kind, address: `${source.kind} of a test`, source };
}

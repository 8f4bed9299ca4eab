import type { JobRecord, RejectedRow } from "../../src/slurm/job-record.ts";
import type { DumpBatch } from "../../src/slurm/sacct-reader.ts";
import type { ReadOptions, SlurmSource, SourceKind, SourceLimit, TimeWindow } from "../../src/slurm/source.ts";
import type { SreportUsage } from "../../src/usage/reconcile/sources.ts";
import type { ClusterSetup } from "../../src/usage/sync/clusters.ts";

/** A configured cluster whose sources are the given ones. */
export function setupOf(name: string, sources: readonly FakeScheduler[], sreport?: SreportUsage): ClusterSetup {
  return {
    configuredName: name,
    live: () => sources.map((source) => ({ kind: source.kind, address: "the test", source })),
    sreport: sreport === undefined ? null : () => sreport,
    dropFolder: null,
    fallbackFile: null,
  };
}

/** A scheduler that knows the given jobs; the tests change them and see what is asked. */
export class FakeScheduler implements SlurmSource {
  readonly kind: SourceKind;
  jobsKnown: readonly JobRecord[];
  rejects: readonly RejectedRow[] = [];
  limits: readonly SourceLimit[] = [];
  /** Thrown by the next questions, until it is taken away. */
  failure: Error | null = null;
  /** Called before a list is answered: what happens while somebody compares. */
  onList: () => Promise<void> = () => Promise.resolve();
  readonly asked: string[] = [];

  constructor(jobsKnown: readonly JobRecord[] = [], kind: SourceKind = "sacct") {
    this.jobsKnown = jobsKnown;
    this.kind = kind;
  }

  async probe(): Promise<{ version: string; limits: readonly SourceLimit[] }> {
    if (this.failure !== null) throw this.failure;
    return { version: `${this.kind} of the test`, limits: this.limits };
  }

  async clusters(): Promise<readonly string[]> {
    return ["test"];
  }

  async *jobs({ from, to }: TimeWindow, options: ReadOptions): AsyncGenerator<DumpBatch> {
    await this.onList();
    this.asked.push("list");
    const inWindow = this.#shown().filter(
      (job) => (job.startAt ?? job.submitAt) < (to ?? Infinity) && (job.endAt === null || job.endAt >= from),
    );
    yield* this.#batches(inWindow, options);
    // As a stream that is cut: what came before it was handed over.
    if (this.failure !== null) throw this.failure;
  }

  async *jobsById(rawJobIds: readonly string[], options: ReadOptions): AsyncGenerator<DumpBatch> {
    this.asked.push(`ids ${rawJobIds.join(",")}`);
    yield* this.#batches(
      this.#shown().filter((job) => rawJobIds.includes(job.rawJobId)),
      options,
    );
  }

  async accounts(): Promise<{ accounts: []; members: []; coordinators: [] }> {
    return { accounts: [], members: [], coordinators: [] };
  }

  #shown(): readonly JobRecord[] {
    if (!this.limits.includes("hides_requeued_runs")) return this.jobsKnown;
    return this.jobsKnown.filter(
      (job) => !this.jobsKnown.some((other) => other.rawJobId === job.rawJobId && other.submitAt > job.submitAt),
    );
  }

  *#batches(jobs: readonly JobRecord[], { jobsPerBatch }: ReadOptions): Generator<DumpBatch> {
    for (let first = 0; first < jobs.length; first += jobsPerBatch) {
      const records = jobs.slice(first, first + jobsPerBatch);
      yield { records, rejects: first === 0 ? this.rejects : [], rowsRead: records.length, bytesRead: 0 };
    }
  }
}

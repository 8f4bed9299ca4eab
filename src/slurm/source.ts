/**
 * A live source of Slurm accounting: slurmrestd or sacct. Sources only read; they know no database, and what they hand
 * over is the same `JobRecord` whichever of them was asked, so that two sources never disagree about a job.
 */
import type { DumpBatch } from "./sacct-reader.ts";

export type SourceKind = "slurmrestd" | "sacct";

/** Seconds since 1970 UTC. */
export interface TimeWindow {
  readonly from: number;
  /** Not included; null: up to now, by the scheduler's own clock. */
  readonly to: number | null;
}

/**
 * What a source cannot give, although accounting has it:
 * `hides_requeued_runs` a list shows only the last run of a job that was requeued (REST API v0.0.38 and older);
 * `no_exit_codes` exit codes are not told, so known ones are kept (REST API v0.0.38 and older);
 * `is_no_operator` our user is no operator in Slurm: where PrivateData is set, others' jobs are left out without an error.
 */
export type SourceLimit = "hides_requeued_runs" | "no_exit_codes" | "is_no_operator";

/** Answer of a source that works. */
export interface SourceProbe {
  /** For people: `slurmrestd v0.0.38, Slurm 22.05.8`. */
  readonly version: string;
  readonly limits: readonly SourceLimit[];
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** A batch is closed by the first job beyond this many. */
  readonly jobsPerBatch: number;
}

/** One account of a cluster; the root account has no parent. */
export interface SlurmAccount {
  readonly name: string;
  readonly parent: string | null;
  readonly description: string;
  readonly organization: string;
}

export interface AccountMember {
  readonly account: string;
  readonly user: string;
}

/** The accounts of one cluster as they stand now. */
export interface AccountSnapshot {
  readonly accounts: readonly SlurmAccount[];
  /** Who may run jobs on which account. */
  readonly members: readonly AccountMember[];
  /** Who may see an account's usage, set on that account itself (of an account above, it follows). */
  readonly coordinators: readonly AccountMember[];
}

/**
 * Every method throws `UpstreamError` with a message that says what was asked of whom and what came back, never a
 * token. An iteration ends normally only when the answer was complete: a cut stream, a non-zero exit, an error inside of
 * a 200 answer all throw, after the batches that were whole.
 */
export interface SlurmSource {
  readonly kind: SourceKind;
  /** Asks for the least that proves that accounting answers: reachable, allowed, a version we can read. */
  probe(signal: AbortSignal): Promise<SourceProbe>;
  /** Names of the clusters that the accounting behind this source knows. */
  clusters(signal: AbortSignal): Promise<readonly string[]>;
  /** All runs of the cluster that were eligible, running or ended in the window, with untruncated times, with steps. */
  jobs(window: TimeWindow, options: ReadOptions): AsyncIterable<DumpBatch>;
  /** All runs, requeued ones included, of jobs by raw id; ids that accounting does not know are left out. */
  jobsById(rawJobIds: readonly string[], options: ReadOptions): AsyncIterable<DumpBatch>;
  accounts(signal: AbortSignal): Promise<AccountSnapshot>;
}

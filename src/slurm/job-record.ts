/**
 * What every reader of Slurm accounting (sacct dump, slurmrestd) hands to the rest of the product:
 * one allocation that ran once, in integers only.
 */

/** States a job record can end in, by Slurm's own long names (`job_state_string` in slurm_protocol_defs). */
export const TERMINAL_STATES = [
  "BOOT_FAIL",
  "CANCELLED",
  "COMPLETED",
  "DEADLINE",
  "FAILED",
  "LAUNCH_FAILED",
  "NODE_FAIL",
  "OUT_OF_MEMORY",
  "PREEMPTED",
  "RECONFIG_FAIL",
  "REQUEUED",
  "RESIZING",
  "REVOKED",
  "SPECIAL_EXIT",
  "TIMEOUT",
] as const;

/** States of a job that Slurm has not finished with. */
export const ACTIVE_STATES = [
  "PENDING",
  "RUNNING",
  "SUSPENDED",
  "COMPLETING",
  "CONFIGURING",
  "EXPEDITING",
  "POWER_UP_NODE",
  "REQUEUE_FED",
  "REQUEUE_HOLD",
  "RESV_DEL_HOLD",
  "SIGNALING",
  "STAGE_OUT",
  "STOPPED",
  "UPDATE_DB",
] as const;

/**
 * `finished`: it ended and Slurm says how; `active`: still pending or running, never billable;
 * `unknown`: the state's name is not one we know, so it is kept, flagged and not billed.
 */
export type JobPhase = "finished" | "active" | "unknown";

/** One GPU type and how many of it the job was allocated. */
export interface GpuAllocation {
  /** As in `gres/gpu:a100`; lower-cased by nobody: Slurm's own spelling. */
  readonly type: string;
  readonly count: number;
}

/** One Slurm allocation that ran once. All times are whole seconds since 1970-01-01 UTC. */
export interface JobRecord {
  readonly cluster: string;
  /** `JobIDRaw`; the display id where a source has no raw one (then `keyIsWeak`). */
  readonly rawJobId: string;
  /** What users see: `918260_4` for an array task, `77+1` for a heterogeneous component. */
  readonly jobId: string;
  readonly submitAt: number;
  /** True when raw id or submit time had to be inferred, so the same job may be known under another key. */
  readonly keyIsWeak: boolean;
  /** Null while pending and for a job that never started. */
  readonly startAt: number | null;
  /** Null exactly while phase is `active`, or where an unknown state has no end. */
  readonly endAt: number | null;
  readonly phase: JobPhase;
  /** Slurm's long name without decoration: `CANCELLED`, not `CANCELLED by 1002`. */
  readonly state: string;
  readonly user: string;
  readonly account: string;
  readonly partition: string;
  readonly qos: string;
  readonly jobName: string;
  readonly exitCode: string;
  readonly nodeList: string;
  readonly comment: string;
  /** Seconds the allocation lasted, suspensions not counted; 0 when it never started. */
  readonly elapsedSeconds: number;
  readonly allocCpus: number;
  readonly allocNodes: number;
  readonly allocMemMib: number;
  /** All GPUs, typed and untyped. */
  readonly allocGpus: number;
  /** Typed GPUs, ordered by type; their sum never exceeds `allocGpus`. */
  readonly gpuTypes: readonly GpuAllocation[];
  /** Slurm's own `billing` TRES. */
  readonly allocBilling: number;
  readonly energyJoules: bigint;
  /** Σ TotalCPU of the steps, else CPUTimeRAW, in milliseconds; null when nothing was reported. */
  readonly usedCpuMs: bigint | null;
  /** Σ AveRSS × Elapsed of the steps, in KiB-seconds; null when nothing was measured. */
  readonly usedMemKibSeconds: bigint | null;
}

/** A row that could not be read: where, why, and what it said. */
export interface RejectedRow {
  /** 1-based line in the uncompressed input; the header is line 1. */
  readonly line: number;
  readonly reason: string;
  /** The raw text, cut to 4,096 characters. */
  readonly text: string;
}

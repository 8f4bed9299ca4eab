/** One run of a job as either side has it, and how the two are compared. */
import { hash } from "node:crypto";
import type { JobRecord } from "../../slurm/job-record.ts";
import { gpuTypesText } from "../import/copy-line.ts";

/** What is compared of a job; a `JobRecord` is one. */
export type RunRecord = Pick<
  JobRecord,
  | "rawJobId"
  | "jobId"
  | "submitAt"
  | "keyIsWeak"
  | "phase"
  | "state"
  | "user"
  | "account"
  | "startAt"
  | "endAt"
  | "elapsedSeconds"
  | "allocCpus"
  | "allocGpus"
  | "gpuTypes"
  | "allocMemMib"
  | "allocNodes"
  | "allocBilling"
>;

/** Sums over runs: of what was allocated, in seconds; memory in MiB-seconds. */
export interface RunSums {
  readonly jobs: bigint;
  readonly cpuSeconds: bigint;
  readonly gpuSeconds: bigint;
  readonly memMibSeconds: bigint;
  readonly nodeSeconds: bigint;
  readonly billingSeconds: bigint;
}

export const NO_RUNS: RunSums = {
  jobs: 0n,
  cpuSeconds: 0n,
  gpuSeconds: 0n,
  memMibSeconds: 0n,
  nodeSeconds: 0n,
  billingSeconds: 0n,
};

export function withRun(sums: RunSums, run: RunRecord): RunSums {
  return {
    jobs: sums.jobs + 1n,
    cpuSeconds: sums.cpuSeconds + seconds(run, run.allocCpus),
    gpuSeconds: sums.gpuSeconds + seconds(run, run.allocGpus),
    memMibSeconds: sums.memMibSeconds + seconds(run, run.allocMemMib),
    nodeSeconds: sums.nodeSeconds + seconds(run, run.allocNodes),
    billingSeconds: sums.billingSeconds + seconds(run, run.allocBilling),
  };
}

function seconds(run: RunRecord, allocated: number): bigint {
  return BigInt(allocated) * BigInt(run.elapsedSeconds);
}

/** Identity of a run within its cluster. */
export function runKey(run: Pick<RunRecord, "rawJobId" | "submitAt">): string {
  return `${run.rawJobId}\u0000${run.submitAt}`;
}

/** Identity of a run that is known without its raw id or submit time: displayed id and start. */
export function weakKey(run: Pick<RunRecord, "jobId" | "startAt" | "submitAt">): string {
  return `${run.jobId}\u0000${run.startAt ?? `never started, submitted ${run.submitAt}`}`;
}

const FIELDS: readonly (readonly [name: string, value: (run: RunRecord) => string])[] = [
  ["user", (run) => run.user],
  ["account", (run) => run.account],
  ["state", (run) => run.state],
  ["start", (run) => instant(run.startAt)],
  ["end", (run) => instant(run.endAt)],
  ["elapsed_seconds", (run) => String(run.elapsedSeconds)],
  ["cpu_seconds", (run) => String(seconds(run, run.allocCpus))],
  ["gpu_seconds", gpuSeconds],
  ["mem_mib_seconds", (run) => String(seconds(run, run.allocMemMib))],
  ["node_seconds", (run) => String(seconds(run, run.allocNodes))],
  ["billing_seconds", (run) => String(seconds(run, run.allocBilling))],
];

/** `14400 (a100=14400)`: all GPUs, and by type where Slurm told types. */
function gpuSeconds(run: RunRecord): string {
  const all = String(seconds(run, run.allocGpus));
  if (run.gpuTypes.length === 0 || run.elapsedSeconds === 0) return all;
  return `${all} (${gpuTypesText(run.gpuTypes.map(({ type, count }) => ({ type, count: count * run.elapsedSeconds })))})`;
}

function instant(epochSeconds: number | null): string {
  return epochSeconds === null ? "" : new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z");
}

/**
 * All compared fields as one number, so that a day of half a million jobs fits into memory. Two records that differ have
 * the same number once in 2^48 pairs.
 */
export function fingerprint(run: RunRecord): number {
  const text = FIELDS.map(([, value]) => value(run)).join("\u0000");
  return Number.parseInt(hash("sha1", text).slice(0, 12), 16);
}

/** Names and both values of what differs; null when nothing does. */
export function differenceOf(
  ours: RunRecord,
  theirs: RunRecord,
): { readonly what: string; readonly ours: string; readonly theirs: string } | null {
  const names = FIELDS.filter(([, value]) => value(ours) !== value(theirs));
  if (names.length === 0) return null;
  const list = (run: RunRecord): string => names.map(([, value]) => value(run) || "none").join(", ");
  return { what: names.map(([name]) => name).join(", "), ours: list(ours), theirs: list(theirs) };
}

/** A run in a few words, where the other side has nothing to hold against it. */
export function describeRun(run: RunRecord): string {
  return `${run.state}, ended ${instant(run.endAt)}, ${seconds(run, run.allocCpus)} CPU-s, ${gpuSeconds(run)} GPU-s`;
}

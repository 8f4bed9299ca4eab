/** Steps that do not stand behind their job's row: they are matched by id and time once the batch is complete. */
import type { RejectedRow } from "./job-record.ts";
import type { OpenRun, StepUsage } from "./step-usage.ts";

/** A job row of a batch that steps may belong to; `run` is null when the row on that line was refused. */
export interface KnownJob {
  readonly rawId: string;
  readonly run: OpenRun | null;
  readonly line: number;
}

export interface LooseStep {
  readonly rawId: string;
  /** Seconds since 1970-01-01 UTC; negative when not known. */
  readonly startAt: number;
  readonly usage: StepUsage;
  /** What stands behind the dot of its id. */
  readonly name: Buffer;
  readonly line: number;
  readonly text: string;
}

/** Adds each step to the run that it started in. @returns the steps that belong to none, with the reason. */
export function settleLooseSteps(steps: readonly LooseStep[], jobs: readonly KnownJob[]): RejectedRow[] {
  if (steps.length === 0) return [];
  const jobsById = Map.groupBy(jobs, (job) => job.rawId);
  const rejects: RejectedRow[] = [];
  for (const step of steps) {
    const reason = settle(step, jobsById.get(step.rawId) ?? []);
    if (reason !== null) rejects.push({ line: step.line, reason, text: step.text });
  }
  return rejects;
}

function settle(step: LooseStep, candidates: readonly KnownJob[]): string | null {
  if (candidates.length === 0) return `it is a step of job ${step.rawId}, which has no row near it`;
  const run = findRun(step.startAt, candidates);
  if (run !== null) return run.addStep(step.usage, step.name, 0, step.name.length) ? null : REPEATED_STEP;
  const refused = candidates.find((job) => job.run === null);
  if (refused !== undefined) return refusedJobReason(refused);
  return `it is a step of job ${step.rawId}, but did not start while that job ran`;
}

/** The run that covers a time, the latest one where two touch; the only run if the time is not known. */
export function findRun(startAt: number, candidates: readonly KnownJob[]): OpenRun | null {
  if (startAt < 0) return candidates.length === 1 ? (candidates[0]?.run ?? null) : null;
  let found: OpenRun | null = null;
  for (const { run } of candidates) {
    if (run === null || !run.covers(startAt)) continue;
    if (found === null || (run.record.startAt ?? 0) > (found.record.startAt ?? 0)) found = run;
  }
  return found;
}

export const REPEATED_STEP = "this step of the job is listed twice with different values; the first was counted";

export function refusedJobReason(job: KnownJob): string {
  return `it is a step of job ${job.rawId}, whose row on line ${job.line} was rejected`;
}

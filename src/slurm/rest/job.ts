/** One job of slurmrestd's answer, read to the same record as the same job's rows of sacct. */
import { ABSENT, MALFORMED } from "../bytes.ts";
import { overlong, uncountable } from "../countable.ts";
import type { JobPhase, JobRecord, RejectedRow } from "../job-record.ts";
import type { JobRow } from "../job-row.ts";
import { malformed, parsed, type Parsed } from "../parsed.ts";
import { MAX_REJECT_CHARACTERS } from "../row.ts";
import { settleRunTimes, type RunTimes } from "../run-times.ts";
import { OpenRun } from "../step-usage.ts";
import { allocatedEnergy, countedCpus, readAllocation } from "./allocation.ts";
import { isObject, numberAt, shown, textAt, valueAt } from "./fields.ts";
import { readExitCode, readState } from "./job-state.ts";
import { addSteps, cpuMsAt } from "./steps.ts";

/** The year 5138, as far as times in dumps go. */
const MAX_EPOCH_SECONDS = 99_999_999_999;

export interface JobReading {
  /** The cluster of jobs that name none; null: they are refused. */
  readonly defaultCluster: string | null;
  /** False where the version tells the same exit code of every job. */
  readonly knowsExitCodes: boolean;
}

/** What one job of an answer gave. */
export interface ReadJob {
  readonly record: JobRecord | null;
  readonly rejects: readonly RejectedRow[];
  /** The job and its steps. */
  readonly rowsRead: number;
}

/** Reads a job with its steps; `place` is where it stands in its answer, from 1. */
export function readJob(job: unknown, place: number, reading: JobReading): ReadJob {
  const row = readJobRow(job, reading);
  if (!row.ok) {
    // Text is cut by characters, as rejected rows of a dump are; a zero byte stays escaped in JSON.
    const text = JSON.stringify(job).slice(0, MAX_REJECT_CHARACTERS);
    return { record: null, rejects: [{ line: place, reason: row.reason, text }], rowsRead: 1 };
  }
  const run = new OpenRun(row.value);
  const { stepsRead, rejects } = addSteps(run, job, place);
  return { record: run.close(), rejects, rowsRead: 1 + stepsRead };
}

/** The raw id of a job, as `JobIDRaw` has it; null where it has none that could be asked for. */
export function rawJobIdOf(job: unknown): string | null {
  const id = numberAt(job, "job_id");
  return id > 0 ? String(id) : null;
}

/** The cluster a job names; empty when it names none. */
export function clusterOf(job: unknown): string {
  return textAt(job, "cluster") || textAt(job, "association", "cluster");
}

function readJobRow(job: unknown, reading: JobReading): Parsed<JobRow> {
  if (!isObject(job)) return malformed(`${shown(job)} is not a job`);
  const rawJobId = rawJobIdOf(job);
  if (rawJobId === null) return malformed(`job_id ${shown(job["job_id"])} is not a job id`);
  const cluster = clusterOf(job) || (reading.defaultCluster ?? "");
  if (cluster === "") return malformed("cluster is empty");
  const user = textAt(job, "user") || textAt(job, "association", "user");
  if (user === "") return malformed("user is empty");
  const account = textAt(job, "account");
  const partition = textAt(job, "partition");
  const tooLong = overlong({ cluster, user, account, partition });
  if (tooLong !== null) return malformed(tooLong);
  const state = readState(job);
  if (state === null) return malformed("state.current is empty");
  const times = readTimes(job, state.phase);
  if (!times.ok) return times;
  const allocation = readAllocation(job, times.value);
  if (!allocation.ok) return allocation;
  const excess = uncountable(allocation.value, times.value.elapsedSeconds);
  if (excess !== null) return malformed(excess);
  const { submitAt, startAt, endAt, elapsedSeconds, isSubmitInferred } = times.value;
  return parsed({
    record: {
      cluster,
      rawJobId,
      jobId: displayId(job, rawJobId),
      submitAt,
      keyIsWeak: isSubmitInferred,
      startAt,
      endAt,
      phase: state.phase,
      state: state.state,
      user,
      account,
      partition,
      qos: textAt(job, "qos"),
      jobName: textAt(job, "name"),
      exitCode: reading.knowsExitCodes ? readExitCode(job) : "",
      nodeList: textAt(job, "nodes"),
      comment: textAt(job, "comment", "job"),
      elapsedSeconds,
      ...allocation.value,
      energyJoules: 0n,
      usedCpuMs: null,
      usedMemKibSeconds: null,
    },
    totalCpuMs: cpuMsAt(job),
    cpuTimeSeconds: elapsedSeconds * countedCpus(job, allocation.value.allocCpus),
    energyJoules: allocatedEnergy(job),
  });
}

/** Times are seconds since 1970; 0 is Slurm's "not yet" or "never". */
function readTimes(job: unknown, phase: JobPhase): Parsed<RunTimes> {
  const told = { submit: ABSENT, eligible: ABSENT, start: ABSENT, end: ABSENT };
  for (const [name, key] of [
    ["submit", "submission"],
    ["eligible", "eligible"],
    ["start", "start"],
    ["end", "end"],
  ] as const) {
    const at = numberAt(job, "time", key);
    if (at === MALFORMED || at > MAX_EPOCH_SECONDS)
      return malformed(`time.${key} ${shown(valueAt(job, "time", key))} is not a time`);
    told[name] = at > 0 ? at : ABSENT;
  }
  const elapsedSeconds = numberAt(job, "time", "elapsed");
  if (elapsedSeconds === MALFORMED) {
    return malformed(`time.elapsed ${shown(valueAt(job, "time", "elapsed"))} is not a number of seconds`);
  }
  return settleRunTimes({ ...told, elapsedSeconds }, phase);
}

/** What users see, put together as sacct does it: `918260_4`, `918260_[5-9%2]`, `77+1`. */
function displayId(job: unknown, rawJobId: string): string {
  const arrayId = numberAt(job, "array", "job_id");
  if (arrayId > 0) {
    const tasks = textAt(job, "array", "task");
    if (tasks !== "") return `${arrayId}_[${tasks.replaceAll(/[[\]]/gu, "")}]`;
    const taskId = numberAt(job, "array", "task_id");
    if (taskId >= 0) return `${arrayId}_${taskId}`;
  }
  const hetId = numberAt(job, "het", "job_id");
  const offset = numberAt(job, "het", "job_offset");
  return hetId > 0 && offset >= 0 ? `${hetId}+${offset}` : rawJobId;
}

/** What a job's steps used, by the same rules as sacct's step rows. */
import type { RejectedRow } from "../job-record.ts";
import { REPEATED_STEP } from "../loose-steps.ts";
import { MAX_REJECT_CHARACTERS } from "../row.ts";
import type { OpenRun, StepUsage } from "../step-usage.ts";
import { countAt, listAt, numberAt, textAt } from "./fields.ts";

/** Beyond this, sacct's form of the same time is not read either. */
const MAX_CPU_MS = 4_503_599_627_370_496;
const SECONDS_PER_HOUR = 3600;

/** Adds the steps of a job to its run. @returns the steps that are listed twice and disagree, and how many were read. */
export function addSteps(run: OpenRun, job: unknown, place: number): { stepsRead: number; rejects: RejectedRow[] } {
  const steps = listAt(job, "steps");
  const rejects: RejectedRow[] = [];
  for (const [at, step] of steps.entries()) {
    const name = Buffer.from(stepName(step, at));
    if (run.addStep(readStep(step), name, 0, name.length)) continue;
    rejects.push({ line: place, reason: REPEATED_STEP, text: JSON.stringify(step).slice(0, MAX_REJECT_CHARACTERS) });
  }
  return { stepsRead: steps.length, rejects };
}

/** CPU time (`time.total`) as sacct prints and we read it: cut to milliseconds, and to seconds from one hour on. */
export function cpuMsAt(owner: unknown): number {
  const microseconds = countAt(owner, "time", "total", "microseconds");
  const wholeSeconds = countAt(owner, "time", "total", "seconds") + Math.floor(microseconds / 1_000_000);
  const ms = wholeSeconds >= SECONDS_PER_HOUR ? 0 : Math.floor((microseconds % 1_000_000) / 1000);
  const total = wholeSeconds * 1000 + ms;
  return total > MAX_CPU_MS ? 0 : total;
}

function readStep(step: unknown): StepUsage {
  return {
    cpuMs: cpuMsAt(step),
    rssKib: averageRssKib(step),
    elapsedSeconds: elapsedSeconds(step),
    energyJoules: countAt(step, "statistics", "energy", "consumed"),
  };
}

/** AveRSS is the average of the tasks' memory, in bytes here; to the nearest KiB, half up. */
function averageRssKib(step: unknown): number {
  const memory = listAt(step, "tres", "requested", "average").find((tres) => textAt(tres, "type") === "mem");
  return Math.floor((countAt(memory, "count") + 512) / 1024);
}

function elapsedSeconds(step: unknown): number {
  const elapsed = numberAt(step, "time", "elapsed");
  if (elapsed >= 0) return elapsed;
  const start = numberAt(step, "time", "start");
  const end = numberAt(step, "time", "end");
  return start > 0 && end > start ? end - start : 0;
}

/**
 * What stands behind the dot of a step's id: v0.0.38 has it alone (`batch`, 0), later ones behind the job (`7.batch`).
 * A step without a name is one of its own.
 */
function stepName(step: unknown, at: number): string {
  const id = textAt(step, "step", "id");
  if (id === "") return `#${at}`;
  const name = id.slice(id.indexOf(".") + 1);
  const component = textAt(step, "step", "het", "component");
  return component === "" ? name : `${name}+${component}`;
}

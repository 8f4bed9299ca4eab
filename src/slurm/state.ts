/** Job states: sacct(1) long names with their decorations, and the short codes of squeue(1). */
import { ACTIVE_STATES, TERMINAL_STATES, type JobPhase } from "./job-record.ts";

/** A state by Slurm's long name, and what it means for billing. */
export interface JobState {
  /** Long name without decoration; an unknown name as it was given. */
  readonly state: string;
  readonly phase: JobPhase;
}

const SHORT_CODES: ReadonlyMap<string, string> = new Map([
  ["BF", "BOOT_FAIL"],
  ["CA", "CANCELLED"],
  ["CD", "COMPLETED"],
  ["CF", "CONFIGURING"],
  ["CG", "COMPLETING"],
  ["DL", "DEADLINE"],
  ["F", "FAILED"],
  ["NF", "NODE_FAIL"],
  ["OOM", "OUT_OF_MEMORY"],
  ["PD", "PENDING"],
  ["PR", "PREEMPTED"],
  ["R", "RUNNING"],
  ["RD", "RESV_DEL_HOLD"],
  ["RF", "REQUEUE_FED"],
  ["RH", "REQUEUE_HOLD"],
  ["RQ", "REQUEUED"],
  ["RS", "RESIZING"],
  ["RV", "REVOKED"],
  ["S", "SUSPENDED"],
  ["SE", "SPECIAL_EXIT"],
  ["SI", "SIGNALING"],
  ["SO", "STAGE_OUT"],
  ["ST", "STOPPED"],
  ["TO", "TIMEOUT"],
]);

const PHASES: ReadonlyMap<string, JobPhase> = new Map<string, JobPhase>([
  ...TERMINAL_STATES.map((name): [string, JobPhase] => [name, "finished"]),
  ...ACTIVE_STATES.map((name): [string, JobPhase] => [name, "active"]),
]);

/**
 * Reads a state: `COMPLETED`, `CANCELLED by 1002`, `CD`, and the `CANCELLED+` and `OUT_OF_ME+` of
 * columns that sacct cut. A name that is not known keeps its text and has phase `unknown`.
 */
export function parseState(text: string): JobState {
  const firstWord = text.trim().split(" ", 1)[0]?.toUpperCase() ?? "";
  const isCut = firstWord.endsWith("+");
  const word = isCut ? firstWord.slice(0, -1) : firstWord;
  const state = SHORT_CODES.get(word) ?? (isCut ? completed(word) : word);
  const phase = PHASES.get(state);
  return phase === undefined ? { state: text, phase: "unknown" } : { state, phase };
}

/** The one state that starts with what is left of a cut name; the cut name itself where several do. */
function completed(start: string): string {
  if (PHASES.has(start)) return start;
  const candidates = [...PHASES.keys()].filter((name) => name.startsWith(start));
  return candidates.length === 1 ? (candidates[0] ?? start) : start;
}

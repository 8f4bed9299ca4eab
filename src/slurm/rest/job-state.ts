/** A job's state and exit code, as slurmrestd gives them, in sacct's words. */
import { ABSENT, MALFORMED } from "../bytes.ts";
import { parseState, type JobState } from "../state.ts";
import { listAt, numberAt, textAt } from "./fields.ts";

/**
 * Marks that stand beside a base state and say how the record ended; sacct shows them instead of it. All other marks
 * (COMPLETING, CONFIGURING) pass, and the base state says more.
 */
const ENDING_MARKS = ["RESIZING", "REQUEUED", "SPECIAL_EXIT", "REVOKED"];
const BASE_STATES = new Set([
  "PENDING",
  "RUNNING",
  "SUSPENDED",
  "COMPLETED",
  "CANCELLED",
  "FAILED",
  "TIMEOUT",
  "NODE_FAIL",
  "PREEMPTED",
  "BOOT_FAIL",
  "DEADLINE",
  "OUT_OF_MEMORY",
]);

/** Reads `state.current`: one name (v0.0.38) or a base state with marks. @returns null where there is none. */
export function readState(job: unknown): JobState | null {
  const list = listAt(job, "state", "current").filter((name) => typeof name === "string");
  const name = list.length > 0 ? tellingState(list) : textAt(job, "state", "current");
  return name === "" ? null : parseState(name);
}

function tellingState(names: readonly string[]): string {
  const mark = ENDING_MARKS.find((name) => names.includes(name));
  return mark ?? names.find((name) => BASE_STATES.has(name)) ?? names[0] ?? "";
}

/**
 * Reads an exit code as sacct prints it, `3:0` or `0:15`; a code from 128 on is told without its 128, as sacct does.
 * @returns empty where nothing is told.
 */
export function readExitCode(job: unknown): string {
  const code = numberAt(job, "exit_code", "return_code");
  const signal = firstNumber(
    numberAt(job, "exit_code", "signal", "id"),
    numberAt(job, "exit_code", "signal", "signal_id"),
  );
  if (code === MALFORMED || signal === MALFORMED) return "";
  if (code === ABSENT && signal === ABSENT) return "";
  return `${code >= 128 ? code - 128 : Math.max(code, 0)}:${Math.max(signal, 0)}`;
}

function firstNumber(preferred: number, other: number): number {
  return preferred === ABSENT ? other : preferred;
}

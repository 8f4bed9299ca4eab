/**
 * Job ids as sacct(1) prints them: `14`, `918260_4` (array task), `918260_[5-9%2]` (tasks not yet
 * started), `77+1` (heterogeneous component), each with `.batch`, `.extern`, `.interactive`, `.0` for a step.
 */
import { isDigit } from "./bytes.ts";

const DOT = 0x2e;
const UNDERSCORE = 0x5f;
const PLUS = 0x2b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MAX_ID_BYTES = 256;

/** Where the dot of a step id is, or -1 for a job's own id. */
export function stepDot(bytes: Uint8Array, start: number, end: number): number {
  const limit = Math.min(end, start + MAX_ID_BYTES);
  for (let at = start; at < limit; at++) if (bytes[at] === DOT) return at;
  return -1;
}

/** Whether `bytes[start, end)` is the id of a job (not of a step). */
export function isJobId(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > MAX_ID_BYTES) return false;
  const numberEnd = digitsEnd(bytes, start, end);
  if (numberEnd === start) return false;
  if (numberEnd === end) return true;
  const mark = bytes[numberEnd];
  if (mark === UNDERSCORE && bytes[numberEnd + 1] === OPEN_BRACKET) return isTaskList(bytes, numberEnd + 2, end);
  if (mark !== UNDERSCORE && mark !== PLUS) return false;
  return numberEnd + 1 < end && digitsEnd(bytes, numberEnd + 1, end) === end;
}

/** Whether `bytes[start, end)` is the id of a job or of a step. */
export function isJobOrStepId(bytes: Uint8Array, start: number, end: number): boolean {
  const dot = stepDot(bytes, start, end);
  return dot < 0 ? isJobId(bytes, start, end) : isJobId(bytes, start, dot) && isStepName(bytes, dot + 1, end);
}

/** Whether `bytes[start, end)` can stand behind the dot: letters, digits, `_`, and `+` for heterogeneous steps. */
export function isStepName(bytes: Uint8Array, start: number, end: number): boolean {
  if (start >= end || end - start > MAX_ID_BYTES) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    const isLetter = (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a);
    if (!isLetter && !isDigit(byte) && byte !== PLUS && byte !== UNDERSCORE) return false;
  }
  return true;
}

function isTaskList(bytes: Uint8Array, start: number, end: number): boolean {
  // sacct shortens long lists with dots: `[1-3,7...]`.
  const LIST_MARKS = [0x2c, 0x2d, 0x25, 0x3a, DOT];
  if (bytes[end - 1] !== CLOSE_BRACKET) return false;
  for (let at = start; at < end - 1; at++) {
    const byte = bytes[at] ?? 0;
    if (!isDigit(byte) && !LIST_MARKS.includes(byte)) return false;
  }
  return true;
}

function digitsEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(bytes[at])) at++;
  return at;
}

/**
 * Whether a field can be what its column says. Used only for rows whose separators are in doubt,
 * so it is stricter than the readers: a state must be one we know, a user has no spaces.
 */
import { MALFORMED, readUnsigned } from "./bytes.ts";
import type { ColumnKind } from "./columns.ts";
import { readDurationMs } from "./duration.ts";
import { isJobOrStepId } from "./job-id.ts";
import { parseReqMem } from "./memory.ts";
import { parseState } from "./state.ts";
import { readTimestamp } from "./timestamp.ts";

const MAX_STATE_BYTES = 64;
const MAX_WORD_BYTES = 4096;

/** Whether `bytes[start, end)` can be a field of this kind; every kind but ids and states may be empty. */
export function fitsKind(kind: ColumnKind, bytes: Buffer, start: number, end: number): boolean {
  if (kind === "free" || kind === "other") return true;
  if (kind === "nothing") return start === end;
  if (kind === "id") return isJobOrStepId(bytes, start, end);
  if (kind === "state") return isKnownState(bytes, start, end);
  if (start === end) return true;
  switch (kind) {
    case "time":
      return readTimestamp(bytes, start, end) !== MALFORMED;
    case "duration":
      return readDurationMs(bytes, start, end) !== MALFORMED;
    case "count":
      // NO_VAL64 and negative values do come out of sacct; they are still numbers.
      return readUnsigned(bytes, start, end) >= 0 || /^-?\d+$/u.test(textOf(bytes, start, end));
    case "amount":
      return parseReqMem(textOf(bytes, start, end)).ok;
    case "tres":
      return /^[^\s|"=,]+=[^\s|"=,]+(?:,[^\s|"=,]+=[^\s|"=,]+)*$/u.test(textOf(bytes, start, end));
    case "exit":
      return /^\d+:\d+$/u.test(textOf(bytes, start, end));
    case "word":
      // sacct prints "None assigned" as the node list of a job that has not started.
      return isWord(bytes, start, end) || textOf(bytes, start, end) === "None assigned";
  }
}

function textOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("latin1", start, Math.min(end, start + MAX_WORD_BYTES));
}

function isKnownState(bytes: Buffer, start: number, end: number): boolean {
  if (start === end || end - start > MAX_STATE_BYTES) return false;
  const text = textOf(bytes, start, end);
  return /^[A-Z_]+\+?(?: by \d+)?$/u.test(text) && parseState(text).phase !== "unknown";
}

function isWord(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > MAX_WORD_BYTES) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    const isPlain = byte > 0x20 && byte !== 0x7f && byte !== 0x22 && byte !== 0x7c;
    if (!isPlain) return false;
  }
  return true;
}

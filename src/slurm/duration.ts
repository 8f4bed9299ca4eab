/** Lengths of time as sacct(1) prints them: `[DD-[HH:]]MM:SS[.mmm]`, and seconds in the `…Raw` columns. */
import { ABSENT, isDigit, MALFORMED, readUnsigned, spells } from "./bytes.ts";
import { malformed, parsed, quoted, type Parsed } from "./parsed.ts";

const DASH = 0x2d;
const COLON = 0x3a;
const DOT = 0x2e;
const NO_LENGTH = ["unlimited", "invalid", "partition_limit", "unknown", "none", "n/a"];
/** Milliseconds above this would lose exactness in a double; 100,000 CPU-years stay below. */
const MAX_MS = 4_503_599_627_370_496;

/**
 * Reads `MM:SS`, `HH:MM:SS`, `D-HH:MM:SS`, each with up to nine decimals (cut to milliseconds), and
 * the `D-HH` and `D-HH:MM` of time limits (sbatch(1), `--time`).
 * @returns milliseconds; null for words without a length: `UNLIMITED`, `INVALID`, `Partition_Limit`, empty.
 */
export function parseDuration(text: string): Parsed<bigint | null> {
  const bytes = Buffer.from(text);
  const ms = readDurationMs(bytes, 0, bytes.length);
  if (ms >= 0) return parsed(BigInt(ms));
  return ms === ABSENT ? parsed(null) : malformed(`${quoted(text)} is not a duration`);
}

/**
 * Reads the plain seconds of columns such as `ElapsedRaw` and `CPUTimeRAW`.
 * @returns seconds; null when empty.
 */
export function parseSeconds(text: string): Parsed<number | null> {
  const bytes = Buffer.from(text);
  const seconds = readUnsigned(bytes, 0, bytes.length);
  if (seconds >= 0) return parsed(seconds);
  return seconds === ABSENT ? parsed(null) : malformed(`${quoted(text)} is not a number of seconds`);
}

/** Writes milliseconds the way Slurm does: `00:03.909`, `01:02:03`, `1-02:03:04`; decimals only when there are any. */
export function formatDuration(ms: bigint): string {
  const seconds = ms / 1000n;
  const days = seconds / 86_400n;
  const hours = (seconds / 3600n) % 24n;
  const fraction = ms % 1000n === 0n ? "" : `.${String(ms % 1000n).padStart(3, "0")}`;
  const clock = `${twoDigits((seconds / 60n) % 60n)}:${twoDigits(seconds % 60n)}${fraction}`;
  if (days > 0n) return `${days}-${twoDigits(hours)}:${clock}`;
  return hours > 0n ? `${twoDigits(hours)}:${clock}` : clock;
}

function twoDigits(value: bigint): string {
  return String(value).padStart(2, "0");
}

/** As `parseDuration`, from bytes: milliseconds, `ABSENT` or `MALFORMED`. */
export function readDurationMs(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return ABSENT;
  if (!isDigit(bytes[start])) return namesNoLength(bytes, start, end) ? ABSENT : MALFORMED;
  let at = start;
  let days = -1;
  let part = 0;
  let partDigits = 0;
  // The clock parts seen so far, from the left; at most three.
  let first = -1;
  let second = -1;
  for (; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x30 && byte <= 0x39) {
      if (++partDigits > 12) return MALFORMED;
      part = part * 10 + (byte - 0x30);
      continue;
    }
    if (byte === DOT) break;
    if (partDigits === 0) return MALFORMED;
    if (byte === DASH && days < 0 && first < 0) days = part;
    else if (byte === COLON && first < 0) first = part;
    else if (byte === COLON && second < 0) second = part;
    else return MALFORMED;
    part = 0;
    partDigits = 0;
  }
  if (partDigits === 0) return MALFORMED;
  const seconds = clockSeconds(days, first, second, part);
  if (seconds < 0) return MALFORMED;
  const fractionMs = at < end ? readFractionMs(bytes, at + 1, end) : 0;
  const ms = seconds * 1000 + fractionMs;
  return fractionMs < 0 || ms > MAX_MS ? MALFORMED : ms;
}

/** Only the leading part may be large; the ones behind it are parts of a clock. */
function clockSeconds(days: number, first: number, second: number, last: number): number {
  if (days < 0) {
    if (first < 0 || last > 59) return MALFORMED;
    if (second < 0) return first * 60 + last;
    return second > 59 ? MALFORMED : first * 3600 + second * 60 + last;
  }
  const hours = first < 0 ? last : first;
  const minutes = first < 0 ? 0 : second < 0 ? last : second;
  const seconds = second < 0 ? 0 : last;
  if (hours > 23 || minutes > 59 || seconds > 59) return MALFORMED;
  return days * 86_400 + hours * 3600 + minutes * 60 + seconds;
}

function readFractionMs(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || end - start > 9) return MALFORMED;
  let ms = 0;
  let weight = 100;
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at])) return MALFORMED;
    ms += ((bytes[at] ?? 0) - 0x30) * weight;
    weight = Math.trunc(weight / 10);
  }
  return ms;
}

function namesNoLength(bytes: Uint8Array, start: number, end: number): boolean {
  return NO_LENGTH.some((word) => spells(bytes, start, end, word));
}

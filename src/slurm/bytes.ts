/**
 * Reading fields straight from the bytes of a dump. A dump of millions of rows is read through
 * these functions, so they return sentinels instead of objects and never build a string they can avoid.
 */

/** The field is empty, or holds one of Slurm's words for "no value". */
export const ABSENT = -1;
/** The field holds something that is not what its column says. */
export const MALFORMED = -2;

const ZERO = 0x30;
const NINE = 0x39;
/** 15 digits always fit a double exactly. */
const MAX_DIGITS = 15;

/**
 * Reads `bytes[start, end)` as a non-negative decimal integer of at most 15 digits.
 * @returns the integer, `ABSENT` for an empty field, `MALFORMED` for anything else.
 */
export function readUnsigned(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return ABSENT;
  if (end - start > MAX_DIGITS) return MALFORMED;
  let value = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < ZERO || byte > NINE) return MALFORMED;
    value = value * 10 + (byte - ZERO);
  }
  return value;
}

/** Whether a byte is an ASCII digit. */
export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** Reads exactly two digits at `at`; negative when they are not digits. */
export function readTwoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - ZERO;
  const units = (bytes[at + 1] ?? 0) - ZERO;
  return tens >= 0 && tens <= 9 && units >= 0 && units <= 9 ? tens * 10 + units : MALFORMED;
}

/** Whether `bytes[start, end)` spells `word`, ASCII letters compared without case; `word` in lower case. */
export function spells(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let at = 0; at < word.length; at++) {
    const byte = bytes[start + at] ?? 0;
    const lower = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    if (lower !== word.charCodeAt(at)) return false;
  }
  return true;
}

/** Whether two ranges of bytes are equal. */
export function sameBytes(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): boolean {
  const length = leftEnd - leftStart;
  if (length !== rightEnd - rightStart) return false;
  for (let at = 0; at < length; at++) {
    if (left[leftStart + at] !== right[rightStart + at]) return false;
  }
  return true;
}

/** Whether `bytes[start, end)` holds `wanted`. */
export function holdsByte(bytes: Uint8Array, start: number, end: number, wanted: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === wanted) return true;
  return false;
}

/**
 * Decodes UTF-8; invalid sequences and NUL (which PostgreSQL's text cannot hold) become U+FFFD.
 * The string owns its characters: keeping it does not keep the dump's buffer alive.
 */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  if (start >= end) return "";
  let seen = 0;
  let nul = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    seen |= byte;
    if (byte === 0) nul = true;
  }
  const text = bytes.toString(seen < 0x80 ? "latin1" : "utf8", start, end);
  return nul ? text.replaceAll("\0", "\uFFFD") : text;
}

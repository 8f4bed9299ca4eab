/**
 * Reading values out of slurmrestd's JSON without trusting its shape: versions differ, and anything may be null or
 * missing. Numbers come plain (v0.0.38) or as `{set, infinite, number}` (v0.0.40 and later).
 */
import { ABSENT, MALFORMED } from "../bytes.ts";

/** Slurm's marks for "no value" and "infinite" in 32 and 64 bits (slurm.h, NO_VAL and INFINITE), as doubles. */
const NO_VALUE_32 = 0xfffffffe;
const INFINITE_32 = 0xffffffff;
const NO_VALUES_64_FROM = 18_446_744_073_709_550_000;
/** The same 64-bit marks where a field is signed, as counts of TRES are. */
const NO_VALUES_SIGNED = [-1, -2];

/** The value at a path of keys; undefined where any of them is missing. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const key of path) {
    if (!isObject(at)) return undefined;
    at = at[key];
  }
  return at;
}

/** The elements of a list; none where it is not one. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const list = valueAt(value, ...path);
  return Array.isArray(list) ? list : [];
}

/** A text as PostgreSQL can hold it; empty for what is none. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const text = valueAt(value, ...path);
  if (typeof text === "number") return String(text);
  if (typeof text !== "string" || text === "") return "";
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

/** A whole number that is not negative; `ABSENT` where it is null, missing, unset or infinite, else `MALFORMED`. */
export function numberAt(value: unknown, ...path: readonly string[]): number {
  return readNumber(valueAt(value, ...path));
}

/** As `numberAt`, for a value at hand. */
export function readNumber(value: unknown): number {
  if (value === undefined || value === null || value === "") return ABSENT;
  if (typeof value === "string") return /^\d{1,15}$/u.test(value) ? Number(value) : MALFORMED;
  if (typeof value === "number") return plainNumber(value);
  if (!isObject(value)) return MALFORMED;
  if (value["set"] === false || value["infinite"] === true) return ABSENT;
  const { number } = value;
  return number === undefined || number === null
    ? ABSENT
    : typeof number === "number"
      ? plainNumber(number)
      : MALFORMED;
}

/** A count that adds to a sum or not at all: what cannot be read counts as not reported. */
export function countAt(value: unknown, ...path: readonly string[]): number {
  return Math.max(numberAt(value, ...path), 0);
}

/** The value as a reason quotes it. */
export function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function plainNumber(value: number): number {
  if (value === NO_VALUE_32 || value === INFINITE_32 || value >= NO_VALUES_64_FROM || NO_VALUES_SIGNED.includes(value))
    return ABSENT;
  return Number.isSafeInteger(value) && value >= 0 ? value : MALFORMED;
}

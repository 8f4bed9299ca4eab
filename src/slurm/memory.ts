/** Amounts of memory as Slurm prints them: a number, often with decimals, and K, M, G, T or P in powers of 1024. */
import { ABSENT, MALFORMED, readUnsigned } from "./bytes.ts";
import { malformed, parsed, quoted, type Parsed } from "./parsed.ts";

/** Powers of 1024 above bytes. */
const UNIT_POWERS: ReadonlyMap<string, number> = new Map([
  ["K", 1],
  ["M", 2],
  ["G", 3],
  ["T", 4],
  ["P", 5],
]);
const MAX_NUMBER_LENGTH = 24;

/** What `ReqMem` asked for, and per what; Slurm 21.08 and later print the job's total, without a letter. */
export interface RequestedMemory {
  readonly memMib: number;
  readonly per: "job" | "node" | "cpu";
}

/**
 * Reads an amount such as `62.50G`, exactly: the decimals are a fraction, not a float.
 * @param options.plainPower what a number without a letter counts: 0 bytes, 1 KiB, 2 MiB.
 * @param options.resultPower the unit of the result, on the same scale; rounded to the nearest, half up.
 */
export function parseMemory(
  text: string,
  options: { readonly plainPower: 0 | 1 | 2; readonly resultPower: 0 | 1 | 2 },
): Parsed<number> {
  const last = text.at(-1)?.toUpperCase() ?? "";
  const unitPower = UNIT_POWERS.get(last);
  const number = unitPower === undefined ? text : text.slice(0, -1);
  const match = /^(\d+)(?:\.(\d+))?$/u.exec(number);
  const whole = match?.[1];
  if (whole === undefined || number.length > MAX_NUMBER_LENGTH)
    return malformed(`${quoted(text)} is not an amount of memory`);
  const decimals = match?.[2] ?? "";
  const shift = (unitPower ?? options.plainPower) - options.resultPower;
  const scaled = BigInt(whole + decimals) * 1024n ** BigInt(Math.max(shift, 0));
  const divisor = 10n ** BigInt(decimals.length) * 1024n ** BigInt(Math.max(-shift, 0));
  const amount = (2n * scaled + divisor) / (2n * divisor);
  if (amount > BigInt(Number.MAX_SAFE_INTEGER)) return malformed(`${quoted(text)} is more memory than can be counted`);
  return parsed(Number(amount));
}

/**
 * Reads `AveRSS` and `MaxRSS`: `4644K`, `3M`, `0`, plain bytes.
 * @returns KiB, to the nearest; null when empty.
 */
export function parseRss(text: string): Parsed<number | null> {
  return text === "" ? parsed(null) : parseMemory(text, { plainPower: 0, resultPower: 1 });
}

/**
 * Reads `ReqMem`: `4G`, and the `2Gn` (per node) and `2Gc` (per CPU) of Slurm before 21.08; a plain number is MiB.
 * A closing `?`, which Slurm prints when it cannot tell node from CPU, counts as the job's total.
 * @returns null when empty or `?`.
 */
export function parseReqMem(text: string): Parsed<RequestedMemory | null> {
  const mark = text.at(-1);
  const amountText = mark === "n" || mark === "c" || mark === "?" ? text.slice(0, -1) : text;
  if (amountText === "" && mark !== "n" && mark !== "c") return parsed(null);
  const amount = parseMemory(amountText, { plainPower: 2, resultPower: 2 });
  if (!amount.ok) return malformed(`${quoted(text)} is not an amount of memory`);
  return parsed({ memMib: amount.value, per: mark === "c" ? "cpu" : mark === "n" ? "node" : "job" });
}

/** As `parseRss`, from bytes: KiB, `ABSENT` or `MALFORMED`. */
export function readRssKib(bytes: Buffer, start: number, end: number): number {
  if (start >= end) return ABSENT;
  if (end - start === 1 && bytes[start] === 0x30) return 0;
  if (bytes[end - 1] === 0x4b) {
    const kib = readUnsigned(bytes, start, end - 1);
    if (kib >= 0) return kib;
  }
  if (end - start > MAX_NUMBER_LENGTH) return MALFORMED;
  const rss = parseRss(bytes.toString("utf8", start, end));
  return rss.ok ? (rss.value ?? ABSENT) : MALFORMED;
}

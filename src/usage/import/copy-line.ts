import type { JobRecord } from "../../slurm/job-record.ts";
import { amountsByResource, type Charge } from "../../rating/charge.ts";

/** What the database keeps of a charge. */
export interface StoredCharge {
  readonly tier: string;
  readonly kind: Charge["kind"];
  readonly freeReason: string | null;
  readonly rateId: number | null;
  readonly ruleSetId: number | null;
  readonly cpuMinor: bigint;
  readonly gpuMinor: bigint;
  readonly memMinor: bigint;
}

export function storedChargeOf(charge: Charge): StoredCharge {
  const { cpuMinor, gpuMinor, memMinor } = charge.kind === "priced" ? amountsByResource(charge) : NOTHING;
  return {
    tier: charge.tier,
    kind: charge.kind,
    freeReason: charge.kind === "free" ? charge.free.reason : charge.kind === "held" ? charge.reason : null,
    rateId: "rate" in charge ? charge.rate.id : null,
    ruleSetId: "rules" in charge ? charge.rules.id : null,
    cpuMinor,
    gpuMinor,
    memMinor,
  };
}

const NOTHING = { cpuMinor: 0n, gpuMinor: 0n, memMinor: 0n };

/** `a100=2,h100=1` */
export function gpuTypesText(gpuTypes: JobRecord["gpuTypes"]): string {
  if (gpuTypes.length === 0) return "";
  return gpuTypes.map((gpu) => `${gpu.type}=${gpu.count}`).join(",");
}

/** Reads `gpuTypesText` back. */
export function parseGpuTypes(text: string): { type: string; count: number }[] {
  if (text === "") return [];
  return text.split(",").map((pair) => {
    const cut = pair.lastIndexOf("=");
    return { type: pair.slice(0, cut), count: Number(pair.slice(cut + 1)) };
  });
}

const NULL = "\\N";
const NEEDS_ESCAPE = /[\\\t\n\r]/u;
const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** Escapes a value for COPY's text format (PostgreSQL manual, COPY, "Text Format"). */
export function copyText(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return text;
  return text.replace(/[\\\t\n\r]/gu, (character) => ESCAPES[character] ?? character);
}

const SECONDS_PER_DAY = 86_400;
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, "0"));
const MAX_CACHED_DAYS = 10_000;
const dayTexts = new Map<number, string>();

/** ISO 8601 in UTC. Three of these stand in every row: `Date` would cost as much as all the other columns together. */
function instant(epochSeconds: number | null): string {
  if (epochSeconds === null) return NULL;
  const day = Math.floor(epochSeconds / SECONDS_PER_DAY);
  let text = dayTexts.get(day);
  if (text === undefined) {
    if (dayTexts.size >= MAX_CACHED_DAYS) dayTexts.clear();
    text = new Date(day * SECONDS_PER_DAY * 1000).toISOString().slice(0, 11);
    dayTexts.set(day, text);
  }
  const second = epochSeconds - day * SECONDS_PER_DAY;
  const minute = Math.floor(second / 60);
  const clock = `${TWO_DIGITS[Math.floor(minute / 60)] ?? ""}:${TWO_DIGITS[minute % 60] ?? ""}:${TWO_DIGITS[second % 60] ?? ""}`;
  return `${text}${clock}Z`;
}

/** One line of COPY text, in the order of `COPY_COLUMNS`. `usageDay` is the site's day of the end, of a finished job. */
export function copyLineOf(job: JobRecord, charge: StoredCharge, usageDay: string | null, batchId: bigint): string {
  return (
    `${copyText(job.cluster)}\t${copyText(job.rawJobId)}\t${instant(job.submitAt)}\t${job.keyIsWeak ? "t" : "f"}\t` +
    `${copyText(job.jobId)}\t${copyText(job.user)}\t${copyText(job.account)}\t${copyText(job.partition)}\t` +
    `${copyText(job.qos)}\t${copyText(job.jobName)}\t${job.phase}\t${copyText(job.state)}\t${copyText(job.exitCode)}\t` +
    `${copyText(job.nodeList)}\t${copyText(job.comment)}\t${instant(job.startAt)}\t${instant(job.endAt)}\t` +
    `${job.elapsedSeconds}\t${job.allocCpus}\t${job.allocNodes}\t${job.allocMemMib}\t${job.allocGpus}\t` +
    `${copyText(gpuTypesText(job.gpuTypes))}\t${job.allocBilling}\t${job.energyJoules}\t${job.usedCpuMs ?? NULL}\t` +
    `${job.usedMemKibSeconds ?? NULL}\t${usageDay ?? NULL}\t${charge.tier}\t${charge.kind}\t` +
    `${charge.freeReason === null ? NULL : copyText(charge.freeReason)}\t${charge.rateId ?? NULL}\t` +
    `${charge.ruleSetId ?? NULL}\t${charge.cpuMinor}\t${charge.gpuMinor}\t${charge.memMinor}\t${batchId}\n`
  );
}

import type { JobRecord } from "../../slurm/job-record.ts";
import { amountsByResource, type Charge } from "../../rating/charge.ts";
import type { SiteDays } from "../site-day.ts";

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

function instant(epochSeconds: number | null): string {
  return epochSeconds === null ? NULL : new Date(epochSeconds * 1000).toISOString();
}

/** One line of COPY text, in the order of `COPY_COLUMNS`. */
export function copyLineOf(job: JobRecord, charge: StoredCharge, days: SiteDays, batchId: bigint): string {
  const usageDay = job.phase === "finished" && job.endAt !== null ? days.dayOf(job.endAt) : NULL;
  return (
    `${copyText(job.cluster)}\t${copyText(job.rawJobId)}\t${instant(job.submitAt)}\t${job.keyIsWeak ? "t" : "f"}\t` +
    `${copyText(job.jobId)}\t${copyText(job.user)}\t${copyText(job.account)}\t${copyText(job.partition)}\t` +
    `${copyText(job.qos)}\t${copyText(job.jobName)}\t${job.phase}\t${copyText(job.state)}\t${copyText(job.exitCode)}\t` +
    `${copyText(job.nodeList)}\t${copyText(job.comment)}\t${instant(job.startAt)}\t${instant(job.endAt)}\t` +
    `${job.elapsedSeconds}\t${job.allocCpus}\t${job.allocNodes}\t${job.allocMemMib}\t${job.allocGpus}\t` +
    `${copyText(gpuTypesText(job.gpuTypes))}\t${job.allocBilling}\t${job.energyJoules}\t${job.usedCpuMs ?? NULL}\t` +
    `${job.usedMemKibSeconds ?? NULL}\t${usageDay}\t${charge.tier}\t${charge.kind}\t` +
    `${charge.freeReason === null ? NULL : copyText(charge.freeReason)}\t${charge.rateId ?? NULL}\t` +
    `${charge.ruleSetId ?? NULL}\t${charge.cpuMinor}\t${charge.gpuMinor}\t${charge.memMinor}\t${batchId}\n`
  );
}

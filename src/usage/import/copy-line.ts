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

const NEEDS_ESCAPE = /[\\\t\n\r]/u;
const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** Escapes a value for COPY's text format (PostgreSQL manual, COPY, "Text Format"). */
export function copyText(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return text;
  return text.replace(/[\\\t\n\r]/gu, (character) => ESCAPES[character] ?? character);
}

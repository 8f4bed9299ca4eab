/**
 * Trackable resources (TRES) as sacct(1) prints them in `AllocTRES`:
 * `billing=42,cpu=8,gres/gpu:a100=2,gres/gpu=2,mem=8G,node=1`.
 */
import type { GpuAllocation } from "./job-record.ts";
import { parseMemory } from "./memory.ts";
import { malformed, parsed, quoted, type Parsed } from "./parsed.ts";

/** What a TRES string says a job was given; null for what it does not mention. */
export interface TresAllocation {
  readonly cpus: number | null;
  readonly nodes: number | null;
  readonly memMib: number | null;
  /** Slurm's own weighted sum, the `billing` TRES. */
  readonly billing: number | null;
  /** All GPUs, typed and untyped. */
  readonly gpus: number;
  /** Typed GPUs, ordered by type. */
  readonly gpuTypes: readonly GpuAllocation[];
}

const EMPTY: TresAllocation = { cpus: null, nodes: null, memMib: null, billing: null, gpus: 0, gpuTypes: [] };
const MAX_ENTRIES = 256;

/**
 * Reads a TRES string. `gres/gpu=2` beside `gres/gpu:a100=2` are the same two GPUs: the total wins
 * where it is larger (the rest is untyped), the types win where their sum is larger.
 * Other TRES (`energy`, `license/…`, `gres/shard`, `gres/gpumem`) are ignored.
 * @returns memory in MiB, to the nearest; a reason when an entry is no `name=count` or is given twice.
 */
export function parseTres(text: string): Parsed<TresAllocation> {
  if (text === "") return parsed(EMPTY);
  const entries = text.split(",");
  if (entries.length > MAX_ENTRIES) return malformed(`TRES has more than ${MAX_ENTRIES} entries`);
  const amounts = new Map<string, number>();
  for (const entry of entries) {
    const equals = entry.lastIndexOf("=");
    if (equals <= 0) return malformed(`TRES entry ${quoted(entry)} is not name=count`);
    const name = canonicalName(entry.slice(0, equals));
    if (isTresNumber(name)) return malformed(`TRES entry ${quoted(entry)} names the resource by number`);
    const problem = nameProblem(name, amounts);
    if (problem !== null) return malformed(problem);
    if (!isBillable(name)) continue;
    const amount = parseAmount(name, entry.slice(equals + 1));
    if (!amount.ok) return malformed(`TRES entry ${quoted(entry)}: ${amount.reason}`);
    amounts.set(name, amount.value);
  }
  return parsed(allocationOf(amounts));
}

/** One resource of a list, by its name in a TRES string (`cpu`, `gres/gpu:a100`); memory counts MiB. */
export interface TresCount {
  readonly name: string;
  /** A whole number that is not negative. */
  readonly count: number;
}

/** As `parseTres`, from a list whose counts are numbers already. */
export function tresAllocation(counts: readonly TresCount[]): Parsed<TresAllocation> {
  if (counts.length === 0) return parsed(EMPTY);
  if (counts.length > MAX_ENTRIES) return malformed(`TRES has more than ${MAX_ENTRIES} entries`);
  const amounts = new Map<string, number>();
  for (const { name: givenName, count } of counts) {
    const name = canonicalName(givenName);
    const problem = nameProblem(name, amounts);
    if (problem !== null) return malformed(problem);
    if (isBillable(name)) amounts.set(name, count);
  }
  return parsed(allocationOf(amounts));
}

function allocationOf(amounts: ReadonlyMap<string, number>): TresAllocation {
  return {
    cpus: amounts.get("cpu") ?? null,
    nodes: amounts.get("node") ?? null,
    memMib: amounts.get("mem") ?? null,
    billing: amounts.get("billing") ?? null,
    ...gpusOf(amounts),
  };
}

function nameProblem(name: string, seen: ReadonlyMap<string, number>): string | null {
  if (name === "gres/gpu:") return `TRES entry ${quoted(name)} has no GPU type behind its colon`;
  return seen.has(name) ? `TRES names ${quoted(name)} twice` : null;
}

/** Slurm before 16.05 wrote `gres:gpu`; the type behind `gres/gpu:` keeps its own colons. */
function canonicalName(name: string): string {
  return name.startsWith("gres:") ? `gres/${name.slice("gres:".length)}` : name;
}

/** The database's own form, `1=4,2=2048,1001=2`: which number is a GPU only that database knows, so it must not pass. */
function isTresNumber(name: string): boolean {
  return /^\d+$/u.test(name);
}

/** Whether a resource's count is read at all. */
export function isBillable(name: string): boolean {
  return name === "cpu" || name === "node" || name === "mem" || name === "billing" || isGpu(name);
}

function isGpu(name: string): boolean {
  return name === "gres/gpu" || name.startsWith("gres/gpu:");
}

function parseAmount(name: string, text: string): Parsed<number> {
  if (name === "mem") return parseMemory(text, { plainPower: 2, resultPower: 2 });
  return /^\d{1,15}$/u.test(text) ? parsed(Number(text)) : malformed(`${quoted(text)} is not a whole count`);
}

function gpusOf(amounts: ReadonlyMap<string, number>): { gpus: number; gpuTypes: readonly GpuAllocation[] } {
  const total = amounts.get("gres/gpu") ?? 0;
  const gpuTypes: GpuAllocation[] = [];
  let typed = 0;
  for (const [name, count] of amounts) {
    const type = name.slice("gres/gpu:".length);
    if (!isGpu(name) || type === "" || count === 0) continue;
    gpuTypes.push({ type, count });
    typed += count;
  }
  gpuTypes.sort((left, right) => (left.type < right.type ? -1 : 1));
  return { gpus: Math.max(total, typed), gpuTypes };
}

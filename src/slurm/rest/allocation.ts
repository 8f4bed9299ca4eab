/** What a job was given, from its TRES lists. */
import type { JobRecord } from "../job-record.ts";
import { malformed, parsed, type Parsed } from "../parsed.ts";
import type { RunTimes } from "../run-times.ts";
import { isBillable, tresAllocation, type TresAllocation, type TresCount } from "../tres.ts";
import { countAt, listAt, readNumber, shown, textAt, valueAt } from "./fields.ts";
import { ABSENT, MALFORMED } from "../bytes.ts";

export type Allocation = Pick<
  JobRecord,
  "allocCpus" | "allocNodes" | "allocMemMib" | "allocGpus" | "gpuTypes" | "allocBilling"
>;

/**
 * `tres.allocated` is what Slurm charges for. Where it names nothing, a job that started is taken to have got what it
 * asked for, as sacct's columns do; one that never started got nothing.
 */
export function readAllocation(job: unknown, times: RunTimes): Parsed<Allocation> {
  const told = readTres(job, "allocated");
  if (!told.ok) return told;
  const asked = told.value === null && times.startAt !== null ? readTres(job, "requested") : parsed(null);
  if (!asked.ok) return asked;
  const tres = told.value ?? asked.value;
  const isStandIn = told.value === null && times.startAt !== null;
  const allocCpus = tres?.cpus ?? (times.startAt === null ? 0 : countAt(job, "required", "CPUs"));
  if (allocCpus <= 0 && times.elapsedSeconds > 0) {
    return malformed(`the job ran for ${times.elapsedSeconds} s, but tres.allocated does not say on how many CPUs`);
  }
  const nodes = countAt(job, "allocation_nodes");
  return parsed({
    allocCpus,
    allocNodes: isStandIn ? nodes || (tres?.nodes ?? 0) : (tres?.nodes ?? (times.startAt === null ? 0 : nodes)),
    allocMemMib: tres?.memMib ?? 0,
    // A GPU or a weight that was only asked for is not charged.
    allocGpus: isStandIn ? 0 : (tres?.gpus ?? 0),
    gpuTypes: isStandIn ? [] : (tres?.gpuTypes ?? []),
    allocBilling: isStandIn ? 0 : (tres?.billing ?? 0),
  });
}

/** CPUs as sacct counts them for CPUTimeRAW: those allocated, else those asked for. */
export function countedCpus(job: unknown, allocCpus: number): number {
  if (allocCpus > 0) return allocCpus;
  const cpu = listAt(job, "tres", "requested").find((entry) => textAt(entry, "type") === "cpu");
  return countAt(cpu, "count");
}

/** Energy in joules that Slurm itself summed up for the job; 0 when it did not. */
export function allocatedEnergy(job: unknown): number {
  const energy = listAt(job, "tres", "allocated").find((entry) => textAt(entry, "type") === "energy");
  return countAt(energy, "count");
}

/** @returns null where the list is missing, empty, or names only what has no count. */
function readTres(job: unknown, list: "allocated" | "requested"): Parsed<TresAllocation | null> {
  const given = valueAt(job, "tres", list);
  if (given !== undefined && given !== null && !Array.isArray(given)) {
    return malformed(`tres.${list} ${shown(given)} is not a list`);
  }
  const counts: TresCount[] = [];
  for (const entry of listAt(job, "tres", list)) {
    const type = textAt(entry, "type");
    const suffix = textAt(entry, "name");
    const name = suffix === "" ? type : `${type}/${suffix}`;
    const count = readNumber(valueAt(entry, "count"));
    if (count === ABSENT) continue;
    if (type === "") return malformed(`tres.${list} has an entry without a type: ${shown(entry)}`);
    if (count === MALFORMED && !isBillable(name)) continue;
    if (count === MALFORMED) return malformed(`tres.${list} ${shown(entry)}: count is not a whole number`);
    counts.push({ name, count });
  }
  if (counts.length === 0) return parsed(null);
  const allocation = tresAllocation(counts);
  return allocation.ok ? allocation : malformed(`tres.${list}: ${allocation.reason}`);
}

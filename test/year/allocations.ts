import type { JobRecord } from "../../src/slurm/job-record.ts";
import type { Dice } from "./dice.ts";

/** What a job holds while it runs, and where. */
export type Allocation = Pick<
  JobRecord,
  "partition" | "allocCpus" | "allocNodes" | "allocMemMib" | "allocGpus" | "gpuTypes" | "allocBilling"
>;

export const NOTHING_HELD = {
  allocCpus: 0, allocNodes: 0, allocMemMib: 0, allocGpus: 0, gpuTypes: [], allocBilling: 0,
} as const satisfies Omit<Allocation, "partition">; // prettier-ignore

const WHOLE_NODE = { cpus: 128, memMib: 515_072 };

/** What somebody might ask for: some cores, GPUs of a type or of any, mixed ones, or whole nodes. */
export function anAllocation(dice: Dice): Allocation {
  const kind = dice.weighted([
    [60, "cores"],
    [12, "one type"],
    [6, "two types"],
    [6, "types and others"],
    [6, "any GPU"],
    [10, "exclusive"],
  ]);
  if (kind === "exclusive") {
    const nodes = dice.int(1, 4);
    const allocCpus = nodes * WHOLE_NODE.cpus;
    const allocMemMib = nodes * WHOLE_NODE.memMib;
    return { ...NOTHING_HELD, partition: "fat", allocCpus, allocNodes: nodes, allocMemMib, allocBilling: allocCpus };
  }
  const allocCpus = dice.int(1, 32);
  const memory = dice.percent(50) ? allocCpus * 4_096 : dice.int(100, 90_000);
  const cores = { allocCpus, allocNodes: 1, allocMemMib: memory, allocBilling: allocCpus };
  if (kind === "cores") return { ...NOTHING_HELD, ...cores, partition: "cpu" };
  const gpuTypes = gpuTypesOf(kind, dice);
  const typed = gpuTypes.reduce((sum, { count }) => sum + count, 0);
  const untyped = kind === "any GPU" || kind === "types and others" ? dice.int(1, 3) : 0;
  return { ...cores, partition: "gpu", allocGpus: typed + untyped, gpuTypes };
}

function gpuTypesOf(
  kind: "one type" | "two types" | "types and others" | "any GPU",
  dice: Dice,
): Allocation["gpuTypes"] {
  if (kind === "any GPU") return [];
  const first = { type: dice.pick(["a100", "h100", "l40s"]), count: dice.int(1, 4) };
  // Ordered by name, as every source gives them.
  return kind === "two types" ? [first, { type: "v100", count: dice.int(1, 2) }] : [first];
}

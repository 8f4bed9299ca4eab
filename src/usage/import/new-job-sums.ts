import { raw, sql, type Queries } from "../../db/database.ts";
import type { JobRecord } from "../../slurm/job-record.ts";
import { FAILED_STATES, SUMS, upsertSums, type SumName } from "../rollup.ts";
import type { StoredCharge } from "./copy-line.ts";

type Sums = Record<SumName, bigint>;

interface Group {
  readonly key: readonly [day: string, cluster: string, user: string, account: string, partition: string, tier: string];
  readonly sums: Sums;
}

/** Sums that may outgrow a bigint; their columns are numeric. */
const WIDE: ReadonlySet<SumName> = new Set<SumName>(["mem_mib_seconds", "energy_joules"]);

const FAILED: ReadonlySet<string> = new Set(FAILED_STATES);

/** Maps within maps: the parts of a key are shared strings with known hashes, joining them for every job is not. */
type Tree = Map<string, Map<string, Map<string, Map<string, Map<string, Map<string, Group>>>>>>;

/** Adds up new, unbilled jobs as the rollup does, without asking the database for what was just sent to it. */
export class NewJobSums {
  readonly #tree: Tree = new Map();
  readonly #groups: Group[] = [];

  add(job: JobRecord, charge: StoredCharge, day: string): void {
    const { sums } = this.#groupOf(job, charge.tier, day);
    const cpuSeconds = product(job.allocCpus, job.elapsedSeconds);
    sums.jobs += 1n;
    sums.cpu_seconds += cpuSeconds;
    sums.mem_mib_seconds += product(job.allocMemMib, job.elapsedSeconds);
    sums.node_seconds += product(job.allocNodes, job.elapsedSeconds);
    sums.billing_seconds += product(job.allocBilling, job.elapsedSeconds);
    sums.cpu_minor += charge.cpuMinor;
    sums.mem_minor += charge.memMinor;
    sums.unbilled_jobs += 1n;
    sums.unbilled_minor += charge.cpuMinor + charge.gpuMinor + charge.memMinor;
    if (job.energyJoules > 0n) sums.energy_joules += job.energyJoules;
    if (charge.kind === "held") sums.held_jobs += 1n;
    const gpuSeconds = job.allocGpus === 0 ? 0n : product(job.allocGpus, job.elapsedSeconds);
    if (job.allocGpus > 0) {
      sums.gpu_seconds += gpuSeconds;
      sums.gpu_minor += charge.gpuMinor;
    }
    if (FAILED.has(job.state)) {
      sums.failed_jobs += 1n;
      sums.failed_cpu_seconds += cpuSeconds;
      sums.failed_gpu_seconds += gpuSeconds;
    }
  }

  #groupOf(job: JobRecord, tier: string, day: string): Group {
    const byTier = branch(
      branch(branch(branch(branch(this.#tree, day), job.user), job.account), job.partition),
      job.cluster,
    );
    let group = byTier.get(tier);
    if (group === undefined) {
      group = { key: [day, job.cluster, job.user, job.account, job.partition, tier], sums: noSums() };
      byTier.set(tier, group);
      this.#groups.push(group);
    }
    return group;
  }

  /** Adds the sums to the rollup, in the caller's transaction. */
  async write(queries: Queries): Promise<void> {
    const groups = this.#groups;
    if (groups.length === 0) return;
    const keys = [0, 1, 2, 3, 4, 5].map((part) => sql`${groups.map(({ key }) => key[part])}::text[]`);
    // Numbers need no quoting: the array's text can be put together at once.
    const sums = SUMS.map(
      (name) =>
        sql`${`{${groups.map((group) => group.sums[name]).join(",")}}`}::${raw(WIDE.has(name) ? "numeric" : "bigint")}[]`,
    );
    const arrays = [...keys, ...sums].reduce((list, array) => sql`${list}, ${array}`);
    await upsertSums(
      queries,
      sql`SELECT day::date, cluster, user_name, account, partition, tier, ${raw(SUMS.join(", "))}
          FROM unnest(${arrays}) AS g (day, cluster, user_name, account, partition, tier, ${raw(SUMS.join(", "))})
          ORDER BY day::date, cluster COLLATE "C", user_name COLLATE "C", account COLLATE "C", partition COLLATE "C", tier COLLATE "C"`,
    );
  }
}

function branch<Value>(tree: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  let found = tree.get(key);
  if (found === undefined) tree.set(key, (found = new Map()));
  return found;
}

function noSums(): Sums {
  return {
    jobs: 0n,
    failed_jobs: 0n,
    held_jobs: 0n,
    cpu_seconds: 0n,
    gpu_seconds: 0n,
    mem_mib_seconds: 0n,
    node_seconds: 0n,
    billing_seconds: 0n,
    energy_joules: 0n,
    failed_cpu_seconds: 0n,
    failed_gpu_seconds: 0n,
    cpu_minor: 0n,
    gpu_minor: 0n,
    mem_minor: 0n,
    unbilled_jobs: 0n,
    unbilled_minor: 0n,
  };
}

/** Exact product of two non-negative integers; most fit a number, whose multiplication is cheaper. */
function product(a: number, b: number): bigint {
  const small = a * b;
  return Number.isSafeInteger(small) ? BigInt(small) : BigInt(a) * BigInt(b);
}

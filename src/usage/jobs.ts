import { z } from "zod";
import { raw, type Sql } from "../db/database.ts";
import type { JobRecord } from "../slurm/job-record.ts";
import { parseGpuTypes } from "./import/copy-line.ts";
import { tierSchema } from "./prices/book.ts";
import type { Tier } from "../rating/tiers.ts";

/** A job as the database holds it: Slurm's record, and what we made of it. */
export interface StoredJob extends JobRecord {
  readonly tier: Tier;
  readonly chargeKind: "priced" | "free" | "nothing" | "accruing" | "held";
  readonly freeReason: string | null;
  readonly rateId: number | null;
  readonly ruleSetId: number | null;
  readonly cpuMinor: bigint;
  readonly gpuMinor: bigint;
  readonly memMinor: bigint;
  readonly costMinor: bigint;
  readonly receiptId: bigint | null;
  /** Number of the receipt, where the query joined it. */
  readonly receiptNumber: string | null;
}

const NAMES = [
  "cluster", "raw_job_id", "job_id", "key_is_weak", "user_name", "account", "partition", "qos", "job_name", "phase",
  "state", "exit_code", "node_list", "comment", "elapsed_seconds", "alloc_cpus", "alloc_nodes", "alloc_mem_mib",
  "alloc_gpus", "gpu_types", "alloc_billing", "energy_joules", "used_cpu_ms", "used_mem_kib_seconds", "tier",
  "charge_kind", "free_reason", "rate_id", "rule_set_id", "cpu_minor", "gpu_minor", "mem_minor", "receipt_id",
]; // prettier-ignore

const EPOCHS = ["submit_at", "start_at", "end_at"];

/** The select list that `jobSchema` reads, for a table or alias. */
export function jobColumns(alias: string): Sql {
  const plain = NAMES.map((name) => `${alias}.${name}`);
  const epochs = EPOCHS.map((name) => `extract(epoch FROM ${alias}.${name})::bigint AS ${name}`);
  return raw([...plain, ...epochs].join(", "));
}

const count = z.bigint().transform(Number);
const epoch = z.bigint().transform(Number);

export const jobSchema = z
  .object({
    cluster: z.string(),
    raw_job_id: z.string(),
    job_id: z.string(),
    key_is_weak: z.boolean(),
    user_name: z.string(),
    account: z.string(),
    partition: z.string(),
    qos: z.string(),
    job_name: z.string(),
    phase: z.enum(["finished", "active", "unknown"]),
    state: z.string(),
    exit_code: z.string(),
    node_list: z.string(),
    comment: z.string(),
    elapsed_seconds: count,
    alloc_cpus: count,
    alloc_nodes: count,
    alloc_mem_mib: count,
    alloc_gpus: count,
    gpu_types: z.string(),
    alloc_billing: count,
    energy_joules: z.bigint(),
    used_cpu_ms: z.bigint().nullable(),
    used_mem_kib_seconds: z.bigint().nullable(),
    tier: tierSchema,
    charge_kind: z.enum(["priced", "free", "nothing", "accruing", "held"]),
    free_reason: z.string().nullable(),
    rate_id: z.number().nullable(),
    rule_set_id: z.number().nullable(),
    cpu_minor: z.bigint(),
    gpu_minor: z.bigint(),
    mem_minor: z.bigint(),
    receipt_id: z.bigint().nullable(),
    receipt_number: z.string().nullable().default(null),
    submit_at: epoch,
    start_at: epoch.nullable(),
    end_at: epoch.nullable(),
  })
  .transform((row): StoredJob => ({
    cluster: row.cluster,
    rawJobId: row.raw_job_id,
    jobId: row.job_id,
    submitAt: row.submit_at,
    keyIsWeak: row.key_is_weak,
    startAt: row.start_at,
    endAt: row.end_at,
    phase: row.phase,
    state: row.state,
    user: row.user_name,
    account: row.account,
    partition: row.partition,
    qos: row.qos,
    jobName: row.job_name,
    exitCode: row.exit_code,
    nodeList: row.node_list,
    comment: row.comment,
    elapsedSeconds: row.elapsed_seconds,
    allocCpus: row.alloc_cpus,
    allocNodes: row.alloc_nodes,
    allocMemMib: row.alloc_mem_mib,
    allocGpus: row.alloc_gpus,
    gpuTypes: parseGpuTypes(row.gpu_types),
    allocBilling: row.alloc_billing,
    energyJoules: row.energy_joules,
    usedCpuMs: row.used_cpu_ms,
    usedMemKibSeconds: row.used_mem_kib_seconds,
    tier: row.tier,
    chargeKind: row.charge_kind,
    freeReason: row.free_reason,
    rateId: row.rate_id,
    ruleSetId: row.rule_set_id,
    cpuMinor: row.cpu_minor,
    gpuMinor: row.gpu_minor,
    memMinor: row.mem_minor,
    costMinor: row.cpu_minor + row.gpu_minor + row.mem_minor,
    receiptId: row.receipt_id,
    receiptNumber: row.receipt_number,
  }));

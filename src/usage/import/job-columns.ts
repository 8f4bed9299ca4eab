import { raw, type Sql } from "../../db/database.ts";

/** Columns of `jobs` that say what Slurm recorded: a change in one of these is a change of the job. */
export const RECORD_COLUMNS = [
  "job_id",
  "user_name",
  "account",
  "partition",
  "qos",
  "job_name",
  "phase",
  "state",
  "exit_code",
  "node_list",
  "comment",
  "start_at",
  "end_at",
  "elapsed_seconds",
  "alloc_cpus",
  "alloc_nodes",
  "alloc_mem_mib",
  "alloc_gpus",
  "gpu_types",
  "alloc_billing",
  "energy_joules",
  "used_cpu_ms",
  "used_mem_kib_seconds",
] as const;

/** Columns that say what we make of it: recomputed, never compared. */
export const PRICE_COLUMNS = [
  "usage_day",
  "tier",
  "charge_kind",
  "free_reason",
  "rate_id",
  "rule_set_id",
  "cpu_minor",
  "gpu_minor",
  "mem_minor",
] as const;

export const KEY_COLUMNS = ["cluster", "raw_job_id", "submit_at"] as const;

/** The order in which `copyLineOf` writes them. */
export const COPY_COLUMNS = [...KEY_COLUMNS, "key_is_weak", ...RECORD_COLUMNS, ...PRICE_COLUMNS, "batch_id"] as const;

/** `a.x, a.y` for a list of column names of ours (never from outside). */
export function columns(names: readonly string[], alias?: string): Sql {
  return raw(names.map((name) => (alias === undefined ? name : `${alias}.${name}`)).join(", "));
}

/** `x = s.x, y = s.y` */
export function assignments(names: readonly string[], alias: string): Sql {
  return raw(names.map((name) => `${name} = ${alias}.${name}`).join(", "));
}

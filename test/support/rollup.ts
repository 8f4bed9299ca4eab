import { z } from "zod";
import { sql, type Database } from "../../src/db/database.ts";

const rowSchema = z.record(z.string(), z.unknown());

/** The rollup as it is, and as the jobs themselves add up: both as text, to be compared. */
export async function rollupAndTruth(db: Database): Promise<{ rollup: string[]; truth: string[] }> {
  const rollup = await db.rows(
    rowSchema,
    sql`SELECT day, cluster, user_name, account, partition, tier, jobs::text, failed_jobs::text, held_jobs::text, cpu_seconds::text,
               gpu_seconds::text, mem_mib_seconds::text, node_seconds::text, billing_seconds::text, energy_joules::text,
               cpu_minor::text, gpu_minor::text, mem_minor::text, unbilled_jobs::text, unbilled_minor::text
        FROM usage_daily ORDER BY day, cluster, user_name, account, partition, tier`,
  );
  const truth = await db.rows(
    rowSchema,
    sql`SELECT usage_day AS day, cluster, user_name, account, partition, tier, count(*)::text AS jobs,
               count(*) FILTER (WHERE state IN ('FAILED', 'TIMEOUT', 'OUT_OF_MEMORY', 'NODE_FAIL', 'BOOT_FAIL', 'DEADLINE', 'LAUNCH_FAILED'))::text AS failed_jobs,
               count(*) FILTER (WHERE charge_kind = 'held')::text AS held_jobs,
               sum(alloc_cpus * elapsed_seconds)::text AS cpu_seconds, sum(alloc_gpus * elapsed_seconds)::text AS gpu_seconds,
               sum(alloc_mem_mib * elapsed_seconds)::text AS mem_mib_seconds, sum(alloc_nodes * elapsed_seconds)::text AS node_seconds,
               sum(alloc_billing * elapsed_seconds)::text AS billing_seconds, sum(energy_joules)::text AS energy_joules,
               sum(cpu_minor)::text AS cpu_minor, sum(gpu_minor)::text AS gpu_minor, sum(mem_minor)::text AS mem_minor,
               count(*) FILTER (WHERE receipt_id IS NULL)::text AS unbilled_jobs,
               coalesce(sum(cpu_minor + gpu_minor + mem_minor) FILTER (WHERE receipt_id IS NULL), 0)::text AS unbilled_minor
        FROM jobs WHERE phase = 'finished'
        GROUP BY usage_day, cluster, user_name, account, partition, tier
        ORDER BY usage_day, cluster, user_name, account, partition, tier`,
  );
  return { rollup: rollup.map((row) => JSON.stringify(row)), truth: truth.map((row) => JSON.stringify(row)) };
}

/** First link of the chain: the daily sums are what the jobs of the day add up to. */
import { z } from "zod";
import { raw, sql, type Queries } from "../../db/database.ts";
import { FAILED_STATES } from "../../usage/rollup.ts";
import { endedOn, MOST_FOUND, type BooksDay, type Found } from "./window.ts";

const FAILED = FAILED_STATES.map((state) => `'${state}'`).join(", ");

/** Column of `usage_daily` and what it must be; written out again here, so that a fault of the rollup cannot hide in it. */
const SUMS = {
  jobs: "count(*)",
  failed_jobs: `count(*) FILTER (WHERE j.state IN (${FAILED}))`,
  held_jobs: "count(*) FILTER (WHERE j.charge_kind = 'held')",
  cpu_seconds: "sum(j.alloc_cpus * j.elapsed_seconds)",
  gpu_seconds: "sum(j.alloc_gpus * j.elapsed_seconds)",
  mem_mib_seconds: "sum(j.alloc_mem_mib * j.elapsed_seconds)",
  node_seconds: "sum(j.alloc_nodes * j.elapsed_seconds)",
  billing_seconds: "sum(j.alloc_billing * j.elapsed_seconds)",
  energy_joules: "sum(j.energy_joules)",
  failed_cpu_seconds: `sum(j.alloc_cpus * j.elapsed_seconds) FILTER (WHERE j.state IN (${FAILED}))`,
  failed_gpu_seconds: `sum(j.alloc_gpus * j.elapsed_seconds) FILTER (WHERE j.state IN (${FAILED}))`,
  cpu_minor: "sum(j.cpu_minor)",
  gpu_minor: "sum(j.gpu_minor)",
  mem_minor: "sum(j.mem_minor)",
  unbilled_jobs: "count(*) FILTER (WHERE j.receipt_id IS NULL)",
  unbilled_minor: "sum(j.cpu_minor + j.gpu_minor + j.mem_minor) FILTER (WHERE j.receipt_id IS NULL)",
} as const;

const NAMES = Object.keys(SUMS);
const KEY = raw("cluster, user_name, account, partition, tier");

const rowSchema = z
  .object({
    cluster: z.string(),
    user_name: z.string(),
    account: z.string(),
    partition: z.string(),
    tier: z.string(),
    day: z.string(),
    name: z.string(),
    stored: z.string(),
    truth: z.string(),
    total: z.bigint(),
  })
  .transform((row) => ({
    total: row.total,
    found: {
      kind: "rollup" as const,
      day: row.day,
      cluster: row.cluster,
      userName: row.user_name,
      account: row.account,
      what: `${row.name} (partition ${row.partition}, tier ${row.tier})`,
      ours: row.stored,
      theirs: row.truth,
    },
  }));

export async function checkRollup(queries: Queries, day: BooksDay): Promise<Found> {
  const truth = raw(
    Object.entries(SUMS)
      .map(([name, sum]) => `coalesce(${sum}, 0) AS ${name}`)
      .join(", "),
  );
  const pairs = raw(NAMES.map((name) => `('${name}', stored.${name}::numeric, truth.${name}::numeric)`).join(", "));
  const rows = await queries.rows(
    rowSchema,
    sql`WITH truth AS (
          SELECT j.usage_day AS day, ${KEY}, ${truth} FROM jobs j WHERE ${endedOn(day)} GROUP BY j.usage_day, ${KEY}
        ), stored AS (
          SELECT * FROM usage_daily WHERE day = ${day.day}::date
        )
        SELECT ${KEY}, day, sums.name, coalesce(sums.stored, 0)::text AS stored, coalesce(sums.truth, 0)::text AS truth,
               count(*) OVER () AS total
        FROM stored FULL JOIN truth USING (day, ${KEY})
        CROSS JOIN LATERAL (VALUES ${pairs}) AS sums (name, stored, truth)
        WHERE coalesce(sums.stored, 0) <> coalesce(sums.truth, 0)
        ORDER BY day, ${KEY} LIMIT ${MOST_FOUND}`,
  );
  return { breaks: rows.map(({ found }) => found), total: rows[0]?.total ?? 0n };
}

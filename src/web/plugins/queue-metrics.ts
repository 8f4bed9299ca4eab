/** How much work waits in the queue that replicas share, for Prometheus. */
import { Gauge, type Registry } from "prom-client";
import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import { ScrapeQuestions } from "./metrics-questions.ts";

/** pg-boss's states, and what they are called here. Done and canceled work says nothing. */
const STATES = { created: "waiting", retry: "retry", active: "active", failed: "failed" } as const;
const STATE_NAMES = Object.values(STATES);

const rowSchema = z.object({
  queue: z.string(),
  state: z.enum(["created", "retry", "active", "failed"]),
  jobs: z.bigint().transform(Number),
  due_for_seconds: z.number(),
});

/** @param queues the names of all queues, so that each has its series from the start. */
export function addQueueMetrics(
  registers: Registry[],
  db: Queries,
  { questions, queues }: { readonly questions: ScrapeQuestions; readonly queues: readonly string[] },
): void {
  const depth = questions.about("queue", () => queueDepth(db, queues));
  const jobs: Gauge<"queue" | "state"> = new Gauge({
    name: "hpc_queue_jobs",
    help: "Work in the shared queue that waits, waits to be tried again, is under way, or failed for good",
    labelNames: ["queue", "state"],
    registers,
    collect: () =>
      depth((rows) => {
        zeroJobs();
        for (const row of rows) jobs.set({ queue: row.queue, state: STATES[row.state] }, row.jobs);
      }),
  });
  const zeroJobs = (): void => {
    for (const queue of queues) for (const state of STATE_NAMES) jobs.set({ queue, state }, 0);
  };
  zeroJobs();
  const dueFor: Gauge<"queue"> = new Gauge({
    name: "hpc_queue_due_seconds",
    help: "For how long the oldest work of the queue could have begun; 0 where none waits",
    labelNames: ["queue"],
    registers,
    collect: () =>
      depth((rows) => {
        for (const queue of queues) {
          const waits = rows.filter((row) => row.queue === queue).map((row) => row.due_for_seconds);
          dueFor.set({ queue }, Math.max(0, ...waits));
        }
      }),
  });
  for (const queue of queues) dueFor.set({ queue }, 0);
}

/** By the database's clock, which pg-boss goes by. The queue of these tables is small: what is done leaves it in days. */
function queueDepth(db: Queries, queues: readonly string[]): Promise<z.output<typeof rowSchema>[]> {
  return db.rows(
    rowSchema,
    sql`SELECT name AS queue, state::text AS state, count(*) AS jobs,
               coalesce(max(extract(epoch FROM clock_timestamp() - start_after))
                          FILTER (WHERE state IN ('created', 'retry') AND start_after <= clock_timestamp()), 0)::float8
                 AS due_for_seconds
        FROM pgboss.job
        WHERE name = ANY(${queues}) AND state IN ('created', 'retry', 'active', 'failed')
        GROUP BY name, state`,
  );
}

/** How background work of this process goes, for Prometheus. */
import { Gauge, Histogram, type Registry } from "prom-client";
import { ConflictError } from "../../errors.ts";

const RESULTS = ["done", "failed"] as const;
const DURATION_BUCKETS_SECONDS = [0.01, 0.1, 1, 10, 60, 600];

/** Work with a name, whatever it is called with; the last argument says when to stop. */
interface Task<A extends readonly unknown[]> {
  readonly name: string;
  readonly work: (...args: A) => Promise<void>;
}

export interface TaskMetrics {
  /** The same task, measured each time it runs. */
  measured<A extends readonly unknown[], T extends Task<A>>(task: T & Task<A>): T;
}

export function addTaskMetrics(registers: Registry[]): TaskMetrics {
  const seconds = new Histogram({
    name: "hpc_task_duration_seconds",
    help: "How long background work took, by how it ended",
    labelNames: ["task", "result"],
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const succeededAt = new Gauge({
    name: "hpc_task_last_success_timestamp_seconds",
    help: "When background work last ended well in this process; 0 before",
    labelNames: ["task"],
    registers,
  });
  return {
    measured: (task) => {
      for (const result of RESULTS) seconds.zero({ task: task.name, result });
      succeededAt.set({ task: task.name }, 0);
      return {
        ...task,
        work: async (...args) => {
          const startedMs = performance.now();
          const end = (result: (typeof RESULTS)[number]): void =>
            seconds.observe({ task: task.name, result }, (performance.now() - startedMs) / 1_000);
          try {
            await task.work(...args);
          } catch (error) {
            // Somebody else does the same, or the process ends: nothing is wrong.
            end(error instanceof ConflictError || isStopping(args) ? "done" : "failed");
            throw error;
          }
          end("done");
          succeededAt.set({ task: task.name }, Date.now() / 1_000);
        },
      };
    },
  };
}

function isStopping(args: readonly unknown[]): boolean {
  return args.some((arg) => arg instanceof AbortSignal && arg.aborted);
}

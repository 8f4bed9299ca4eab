/** Whether the books balance, for Prometheus: read from the database when somebody asks, since any process may compare. */
import { Gauge, type Registry } from "prom-client";
import type { Queries } from "../../db/database.ts";
import { lastReconcile, type ReconcileRun } from "../../usage/reconcile/queries.ts";
import type { ScrapeQuestions } from "./metrics-questions.ts";

export function addReconcileMetrics(registers: Registry[], db: Queries, questions: ScrapeQuestions): void {
  const last = questions.about("reconcile", () => lastReconcile(db));
  const gauge = (name: string, help: string, value: (run: ReconcileRun) => number, before: number): void => {
    const one = new Gauge({
      name,
      help,
      registers,
      collect: () => last((run) => void (run === undefined || one.set(value(run)))),
    });
    one.set(before);
  };
  // Nothing is known to be wrong before the first comparison; 0 would raise the alarm at every start.
  gauge(
    "hpc_reconcile_ok",
    "0 when the last comparison with the scheduler found differences or failed, else 1",
    ({ status }) => (status === "balanced" ? 1 : 0),
    1,
  );
  gauge("hpc_reconcile_breaks", "Differences that the last comparison found", ({ breaks }) => Number(breaks), 0);
  gauge(
    "hpc_reconcile_finished_timestamp_seconds",
    "When the last comparison ended; 0 before the first",
    ({ finishedAt }) => (finishedAt === null ? 0 : finishedAt.getTime() / 1000),
    0,
  );
}

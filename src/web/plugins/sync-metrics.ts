/** How usage flows in, for Prometheus: read from the database when somebody asks, since any replica may do the syncs. */
import { Gauge, type Registry } from "prom-client";
import type { Queries } from "../../db/database.ts";
import { clusterStatuses, type ClusterStatus } from "../../usage/sync/status.ts";
import type { ScrapeQuestions } from "./metrics-questions.ts";

/** Series by cluster; an alert on age compares the timestamps with `time()`. */
export function addSyncMetrics(registers: Registry[], db: Queries, questions: ScrapeQuestions): void {
  const statuses = questions.about("sync", () => clusterStatuses(db));
  const perCluster = (name: string, help: string, value: (status: ClusterStatus) => number): void => {
    const gauge: Gauge<"cluster"> = new Gauge({
      name,
      help,
      labelNames: ["cluster"],
      registers,
      collect: () =>
        statuses((found) => {
          gauge.reset();
          for (const status of found) gauge.set({ cluster: status.cluster }, value(status));
        }),
    });
  };
  perCluster(
    "hpc_sync_complete_until_timestamp_seconds",
    "Everything of the cluster that ended before this instant is in; 0 before the first sync",
    ({ completeUntil }) => epochSeconds(completeUntil),
  );
  perCluster(
    "hpc_sync_last_success_timestamp_seconds",
    "When a sync of the cluster last succeeded; 0 before the first",
    ({ lastSuccessAt }) => epochSeconds(lastSuccessAt),
  );
  perCluster("hpc_sync_failures", "Syncs of the cluster in a row that failed", ({ failures }) => failures);
  perCluster("hpc_sync_rejected_rows", "Rows of the cluster that cannot be read", ({ rejects }) => rejects);
  perCluster(
    "hpc_sync_vanished_jobs",
    "Unfinished jobs of the cluster that its scheduler no longer knows",
    ({ vanishedJobs }) => vanishedJobs,
  );
  const sources: Gauge<"cluster" | "source" | "chosen"> = new Gauge({
    name: "hpc_sync_source_up",
    help: "1 when the source answered when it was last asked; the chosen one is what the last sync read",
    labelNames: ["cluster", "source", "chosen"],
    registers,
    collect: () =>
      statuses((found) => {
        sources.reset();
        for (const status of found) {
          for (const { source, ok } of status.sources) {
            const chosen = source === status.source ? "yes" : "no";
            sources.set({ cluster: status.cluster, source, chosen }, ok === true ? 1 : 0);
          }
        }
      }),
  });
}

function epochSeconds(date: Date | null): number {
  return date === null ? 0 : Math.floor(date.getTime() / 1000);
}

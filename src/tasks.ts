import { reconcile } from "./billing/balance/reconcile.ts";
import { reconcileAndRepair } from "./billing/balance/repair.ts";
import { ConflictError, messageOf, UpstreamError, UserError } from "./errors.ts";
import { checkPayments } from "./payments/check.ts";
import type { QueueTask, WorkQueue } from "./queue.ts";
import type { Services, WiredServices } from "./services.ts";
import type { ReconcileRun } from "./usage/reconcile/queries.ts";
import { addDays, isDay } from "./usage/site-day.ts";
import { nameCluster, saveNamingProblem, type ClusterSetup, type NamedCluster } from "./usage/sync/clusters.ts";
import { syncCluster } from "./usage/sync/sync-cluster.ts";
import type { SyncRequests } from "./web/routes/admin.tsx";

/** Clusters that one process syncs side by side: each takes a database connection or two. */
const MOST_AT_ONCE = 4;

/** The key of a cluster that the configuration does not name. */
const UNNAMED = "default";

/** The work that replicas share out among themselves. */
export function queueTasks(services: WiredServices): readonly QueueTask[] {
  return [syncTask(services), reconcileTask(services), paymentsTask(services)];
}

function syncTask(services: WiredServices): QueueTask {
  const { clusters, config, syncing, days, logger } = services;
  const { cron } = config.slurm.sync;
  const byKey = new Map(clusters.map((setup) => [setup.configuredName ?? UNNAMED, setup]));
  return {
    name: "sync",
    retries: 5,
    // One cluster that is slow to answer does not keep the others waiting.
    atOnce: Math.min(Math.max(byKey.size, 1), MOST_AT_ONCE),
    schedules: cron === null ? [] : [...byKey.keys()].map((key) => ({ key, cron })),
    work: async ({ key, requestedBy, options }, signal) => {
      const setup = byKey.get(key);
      // Asked for by a process with another configuration; here there is nothing to do.
      if (setup === undefined) return;
      const { from, to } = options;
      const isRange = from !== undefined && to !== undefined && isDay(from) && isDay(to);
      const cluster = await named(services, setup, signal);
      const outcome = await syncCluster(syncing, cluster, {
        actor: requestedBy,
        range: isRange ? days.rangeOf({ from, to }) : undefined,
        signal,
      });
      const { runId: _runId, ...facts } = outcome;
      if (outcome.status === "canceled") logger.warn(facts, "the sync was canceled");
      else if (outcome.trouble === null) logger.info(facts, "synced");
      else logger.warn(facts, "synced, with trouble");
    },
  };
}

/** The cluster with its name; why it could not be asked is kept for the page, which has no cluster to show it with. */
async function named({ db, clock }: WiredServices, setup: ClusterSetup, signal: AbortSignal): Promise<NamedCluster> {
  if (setup.configuredName !== null) return nameCluster(db, setup, signal);
  try {
    const cluster = await nameCluster(db, setup, signal);
    await saveNamingProblem(db, null);
    return cluster;
  } catch (error) {
    if (!signal.aborted) await saveNamingProblem(db, { at: clock.now(), error: messageOf(error) });
    throw error;
  }
}

/** All clusters are compared at once, so there is one of these at a time. */
const BOOKS = "books";

function reconcileTask(services: WiredServices): QueueTask {
  const { clusters, config, days, clock, logger } = services;
  const { cron, days: daysBack } = config.slurm.reconcile;
  const isLive = config.slurm.clusters.some(({ slurmrestd, sacct }) => slurmrestd !== null || sacct !== null);
  return {
    name: "reconcile",
    retries: 3,
    atOnce: 1,
    schedules: cron === null || !isLive ? [] : [{ key: BOOKS, cron }],
    work: async ({ requestedBy, options }, signal) => {
      const yesterday = addDays(days.dayOf(Math.floor(clock.now().getTime() / 1000)), -1);
      const toDay = options["to"] ?? yesterday;
      const fromDay = options["from"] ?? addDays(yesterday, 1 - daysBack);
      const request = { fromDay, toDay, clusters, requestedBy, signal };
      // A schedule repairs what it can; who asks for days wants to know how they stand.
      const run =
        options["from"] === undefined
          ? await repairing(() => reconcileAndRepair({ ...services.billing, syncing: services.syncing }, request))
          : await reconcile(services.billing, request);
      if (run.status === "failed") throw new UpstreamError(`reconciliation failed: ${run.error ?? "no reason given"}`);
      const facts = { from: fromDay, to: toDay, breaks: run.breaks };
      if (run.status === "balanced") logger.info(facts, "the books balance");
      else logger.error(facts, "the books do not balance");
    },
  };
}

/** A sync that is under way keeps the repair from reading; then all of it is tried again in a moment. */
async function repairing(repair: () => Promise<ReconcileRun>): Promise<ReconcileRun> {
  try {
    return await repair();
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    throw new UpstreamError(`what differs could not be read again: ${error.message}`, { cause: error });
  }
}

/** How often payments are asked about whose event has not come. */
const PAYMENTS_CRON = "*/5 * * * *";

function paymentsTask({ payments, logger }: WiredServices): QueueTask {
  const canAsk = [...payments.providers.values()].some(({ keepsPayments }) => keepsPayments);
  return {
    name: "payments",
    retries: 2,
    atOnce: 1,
    schedules: canAsk ? [{ key: "check", cron: PAYMENTS_CRON }] : [],
    work: async (_request, signal) => {
      const { asked, ended } = await checkPayments(payments, signal);
      if (ended > 0) logger.warn({ asked, ended }, "payments had ended without an event that told us");
    },
  };
}

/** How the page asks for a reconciliation of whole days, both included. */
export function reconcileRequests(queue: Pick<WorkQueue, "send">) {
  return async (fromDay: string, toDay: string, actor: string): Promise<void> => {
    const isNew = await queue.send("reconcile", {
      key: BOOKS,
      requestedBy: actor,
      options: { from: fromDay, to: toDay },
    });
    if (!isNew) throw new ConflictError("a reconciliation is waiting or under way already; wait for its end");
  };
}

/** Asks for a sync of every cluster: at the start, because nobody knows how long nothing was running. */
export async function requestFirstSyncs({ clusters, config }: Services, queue: WorkQueue): Promise<void> {
  if (config.slurm.sync.cron === null) return;
  for (const { configuredName } of clusters) {
    await queue.send("sync", { key: configuredName ?? UNNAMED, requestedBy: "system", options: {} });
  }
}

/** How pages ask for syncs. */
export function syncRequests({ clusters }: WiredServices, queue: Pick<WorkQueue, "send">): SyncRequests {
  const keys = clusters.map(({ configuredName }) => configuredName ?? UNNAMED);
  return {
    keyOf: (cluster) => {
      if (keys.includes(cluster)) return cluster;
      // Its name is known from asking it, and not from the configuration.
      if (keys.includes(UNNAMED)) return UNNAMED;
      throw new UserError(`there is no cluster "${cluster}" here; configured are: ${keys.join(", ") || "none"}`);
    },
    request: (key, actor, range) =>
      queue.send("sync", { key, requestedBy: actor, options: range === undefined ? {} : { ...range } }),
  };
}

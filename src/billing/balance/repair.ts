import { MOST_KEPT } from "../../usage/reconcile/breaks.ts";
import { reconcileBreaks, reconciledDays, type ReconcileRun } from "../../usage/reconcile/queries.ts";
import { addDays } from "../../usage/site-day.ts";
import { nameCluster } from "../../usage/sync/clusters.ts";
import { syncCluster, type SyncContext } from "../../usage/sync/sync-cluster.ts";
import { reconcile, type ReconcileContext, type ReconcileRequest } from "./reconcile.ts";

/**
 * Reconciles, and repairs what it can: days on which the scheduler knows otherwise than we do are read again, and everything
 * is compared once more. Returns the last comparison.
 *
 * @throws {UserError} for days that cannot be compared.
 * @throws {ConflictError} when another sync of such a day's cluster is under way.
 * @throws {UpstreamError} when a day cannot be read again.
 */
export async function reconcileAndRepair(
  context: ReconcileContext & { readonly syncing: SyncContext },
  request: ReconcileRequest,
): Promise<ReconcileRun> {
  const run = await reconcile(context, request);
  if (run.status !== "broken" || !(await readAgain(context, run.id, request))) return run;
  return reconcile(context, request);
}

/**
 * Syncs the days of a run on which something differs, and by their ids the jobs that differ: a job that really ended before
 * the first of those days is on no list of them. False when no day has to be read.
 */
async function readAgain(
  { db, days, syncing }: ReconcileContext & { readonly syncing: SyncContext },
  runId: bigint,
  { clusters, signal }: ReconcileRequest,
): Promise<boolean> {
  const broken = (await reconciledDays(db, runId)).filter(({ breaks }) => breaks > 0n);
  if (broken.length === 0) return false;
  const breaks = await reconcileBreaks(db, runId, { limit: MOST_KEPT });
  for (const setup of clusters) {
    const cluster = await nameCluster(db, setup, signal);
    const ofCluster = breaks.filter((one) => one.cluster === cluster.name);
    // A job that is known by its displayed id only (`918260_4`) is found by the number before the mark.
    let rawJobIds = [...new Set(ofCluster.flatMap(({ rawJobId }) => /^\d+/u.exec(rawJobId ?? "") ?? []))];
    for (const { day } of broken.filter((one) => one.cluster === cluster.name)) {
      const range = { from: days.startOf(day), to: days.startOf(addDays(day, 1)) };
      await syncCluster(syncing, cluster, { actor: "system", range, rawJobIds, signal });
      rawJobIds = [];
    }
  }
  return true;
}

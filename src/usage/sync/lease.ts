import { z } from "zod";
import { sql, type Database } from "../../db/database.ts";
import { ConflictError } from "../../errors.ts";
import type { Clock } from "../../clock.ts";

const LEASE_SECONDS = 30;
const RENEW_EVERY_MS = 3_000;

/** The right to sync a cluster, kept by renewing it. A process that dies loses it within half a minute. */
export interface Lease {
  readonly runId: bigint;
  /** Aborts when somebody cancels the sync, or when the lease was lost. */
  readonly signal: AbortSignal;
  /** True when somebody asked for the end, rather than the lease being lost. */
  readonly isCanceled: () => boolean;
  release(): Promise<void>;
}

export interface LeaseRequest {
  readonly cluster: string;
  readonly requestedBy: string;
  /** Who holds it, for people: host and process. */
  readonly holder: string;
}

/**
 * Takes the cluster's lease and opens a run. A run whose process died is closed as failed.
 *
 * @throws {ConflictError} when another sync of the cluster is under way.
 */
export async function takeLease(
  { db, clock }: { readonly db: Database; readonly clock: Clock },
  request: LeaseRequest,
): Promise<Lease> {
  const runId = await db.transaction(async (tx) => {
    await tx.run(sql`INSERT INTO sync_clusters (cluster) VALUES (${request.cluster}) ON CONFLICT (cluster) DO NOTHING`);
    const held = await tx.maybeOne(
      z.object({ lease_holder: z.string() }),
      sql`SELECT lease_holder FROM sync_clusters
          WHERE cluster = ${request.cluster} AND lease_until > clock_timestamp() FOR UPDATE`,
    );
    if (held !== undefined) throw underWay(request.cluster, held.lease_holder);
    await tx.run(
      sql`UPDATE sync_runs SET status = 'failed', finished_at = ${clock.now()}, error = 'the process that worked on it ended'
          WHERE cluster = ${request.cluster} AND status = 'running'`,
    );
    const { id } = await tx.one(
      z.object({ id: z.bigint() }),
      sql`INSERT INTO sync_runs (cluster, requested_by, started_at, status)
          VALUES (${request.cluster}, ${request.requestedBy}, ${clock.now()}, 'running') RETURNING id`,
    );
    const taken = await tx.run(
      sql`UPDATE sync_clusters SET lease_holder = ${request.holder}, lease_run = ${id}, cancel_requested = false,
            lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
          WHERE cluster = ${request.cluster} AND (lease_until IS NULL OR lease_until <= clock_timestamp())`,
    );
    if (taken === 0) throw underWay(request.cluster, "another process");
    return id;
  });
  return keepLease(db, request.cluster, runId);
}

function underWay(cluster: string, holder: string): ConflictError {
  return new ConflictError(`a sync of ${cluster} is under way already (${holder}); wait for its end or cancel it`);
}

const renewed = z.object({ cancel_requested: z.boolean() });

function keepLease(db: Database, cluster: string, runId: bigint): Lease {
  const stop = new AbortController();
  let isCanceled = false;
  let renewing: Promise<void> = Promise.resolve();
  let lastRenewal = performance.now();
  const renew = async (): Promise<void> => {
    try {
      const row = await db.maybeOne(
        renewed,
        sql`UPDATE sync_clusters SET lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
            WHERE cluster = ${cluster} AND lease_run = ${runId} RETURNING cancel_requested`,
      );
      lastRenewal = performance.now();
      if (row === undefined) stop.abort(new ConflictError(`another process took over the sync of ${cluster}`));
      else if (row.cancel_requested) {
        isCanceled = true;
        stop.abort(new ConflictError(`the sync of ${cluster} was canceled`));
      }
    } catch {
      // A database that is away for a moment is no reason to stop; once the lease must be taken as lost, it is.
      if (performance.now() - lastRenewal > LEASE_SECONDS * 1_000) {
        stop.abort(new ConflictError(`the sync of ${cluster} could not keep its turn: the database did not answer`));
      }
    }
  };
  const timer = setInterval(() => {
    renewing = renewing.then(renew);
  }, RENEW_EVERY_MS);
  timer.unref();
  return {
    runId,
    signal: stop.signal,
    isCanceled: () => isCanceled,
    release: async () => {
      clearInterval(timer);
      await renewing;
      await db.run(
        sql`UPDATE sync_clusters SET lease_holder = NULL, lease_until = NULL, lease_run = NULL, cancel_requested = false
            WHERE cluster = ${cluster} AND lease_run = ${runId}`,
      );
    },
  };
}

/** Asks the process that syncs a cluster to stop after what it is writing now. False when nobody does. */
export async function requestCancel(
  db: Database,
  cluster: string,
  by: { readonly actor: string; readonly requestId?: string | undefined },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const asked = await tx.run(
      sql`UPDATE sync_clusters SET cancel_requested = true
          WHERE cluster = ${cluster} AND lease_until > clock_timestamp() AND NOT cancel_requested`,
    );
    if (asked > 0) tx.audit({ ...by, action: "sync.cancel_requested", subject: `cluster:${cluster}`, details: {} });
    return asked > 0;
  });
}

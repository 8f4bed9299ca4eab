/** Whom reconciliation asks about a cluster. */
import { messageOf, UpstreamError } from "../../errors.ts";
import type { SreportRow } from "../../slurm/sacct/sreport.ts";
import type { SlurmSource, SourceLimit } from "../../slurm/source.ts";

/** Asks sreport for a window of whole hours, in seconds since 1970 UTC, the end not included. */
export type SreportUsage = (
  window: { readonly from: number; readonly to: number },
  signal: AbortSignal,
) => Promise<readonly SreportRow[]>;

/** A cluster, as far as reconciliation is concerned. */
export interface ReconcileCluster {
  readonly name: string;
  /** Live sources, in the order of the cluster's cascade. */
  readonly sources: readonly SlurmSource[];
  readonly sreport: SreportUsage | null;
}

/** The source that answers for a cluster in one run. */
export interface ReconcileSource {
  readonly cluster: string;
  readonly source: SlurmSource;
  /** For people: what answered, and in which version. */
  readonly version: string;
  readonly limits: readonly SourceLimit[];
  readonly sreport: SreportUsage | null;
}

/**
 * The source to compare with: sacct where it works, because the sync usually goes another way and a fault of that way
 * would hide from itself; else the first live source that works.
 *
 * @throws {UpstreamError} when none does, with the reason of each.
 */
export async function openReconcileSource(cluster: ReconcileCluster, signal: AbortSignal): Promise<ReconcileSource> {
  const sources = cluster.sources.toSorted((a, b) => Number(b.kind === "sacct") - Number(a.kind === "sacct"));
  const problems: string[] = [];
  for (const source of sources) {
    try {
      const { version, limits } = await source.probe(signal);
      return { cluster: cluster.name, source, version, limits, sreport: cluster.sreport };
    } catch (error) {
      signal.throwIfAborted();
      problems.push(`${source.kind}: ${messageOf(error)}`);
    }
  }
  throw new UpstreamError(
    problems.length === 0
      ? `cluster ${cluster.name} has neither sacct nor slurmrestd, so there is nothing to compare with`
      : `cluster ${cluster.name} cannot be asked: ${problems.join("; ")}`,
  );
}

import { z } from "zod";
import { UpstreamError, UserError } from "../../errors.ts";
import { sql, type Database, type Queries } from "../../db/database.ts";
import type { SourceKind, SlurmSource } from "../../slurm/source.ts";
import type { SreportUsage } from "../reconcile/sources.ts";

/** A live source in a cluster's cascade. */
export interface LiveSource {
  readonly kind: SourceKind;
  /** Where it is, for people, without secrets. */
  readonly address: string;
  readonly source: SlurmSource;
}

/** How a configured cluster is read: live sources in the order in which they are tried, then files. */
export interface ClusterSetup {
  /** Null: the cluster is asked for its name. */
  readonly configuredName: string | null;
  /** The live sources, which read the named cluster only; null: whichever they serve by themselves. */
  readonly live: (name: string | null) => readonly LiveSource[];
  /** The scheduler's own totals of the named cluster; null where there is no sreport to ask. */
  readonly sreport: ((name: string) => SreportUsage) | null;
  readonly dropFolder: string | null;
  readonly fallbackFile: string | null;
}

/** A cluster whose name is known. */
export interface NamedCluster extends Pick<ClusterSetup, "dropFolder" | "fallbackFile"> {
  readonly name: string;
  readonly live: readonly LiveSource[];
  readonly sreport: SreportUsage | null;
}

/** Why a cluster that the configuration does not name could not be asked for its name. */
export interface NamingProblem {
  readonly at: Date;
  readonly error: string;
}

const NAMING_PROBLEM = "sync_naming_problem";

/** Keeps why the cluster could not be named, for the page; null once it has told its name. */
export async function saveNamingProblem(db: Database, problem: NamingProblem | null): Promise<void> {
  if (problem === null) {
    await db.run(sql`DELETE FROM settings WHERE key = ${NAMING_PROBLEM}`);
    return;
  }
  await db.run(
    sql`INSERT INTO settings (key, value) VALUES (${NAMING_PROBLEM}, ${JSON.stringify(problem)}::jsonb)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
  );
}

export async function namingProblem(queries: Queries): Promise<NamingProblem | null> {
  const row = await queries.maybeOne(
    z.object({ value: z.object({ at: z.coerce.date(), error: z.string() }) }),
    sql`SELECT value FROM settings WHERE key = ${NAMING_PROBLEM}`,
  );
  return row?.value ?? null;
}

/** The name of a cluster that is read from files only and has none. */
const FILE_CLUSTER = "default";

/**
 * Finds out a cluster's name where the configuration does not say it, and opens its sources for that name.
 *
 * @throws {UserError} when the accounting holds several clusters, so that somebody has to say which is meant.
 * @throws {UpstreamError} when no source answers, with what each of them said.
 */
export async function nameCluster(setup: ClusterSetup, signal: AbortSignal): Promise<NamedCluster> {
  const name = setup.configuredName ?? (await discoverName(setup.live(null), signal));
  return {
    name,
    live: setup.live(name),
    sreport: setup.sreport?.(name) ?? null,
    dropFolder: setup.dropFolder,
    fallbackFile: setup.fallbackFile,
  };
}

async function discoverName(live: readonly LiveSource[], signal: AbortSignal): Promise<string> {
  const problems: string[] = [];
  for (const { kind, source } of live) {
    try {
      const names = await source.clusters(signal);
      const [only] = names;
      if (only !== undefined && names.length === 1) return only;
      throw new UserError(
        names.length === 0
          ? "the accounting knows no cluster yet: name yours in SLURM_CLUSTER"
          : `the accounting holds several clusters (${names.join(", ")}): name the one to bill in SLURM_CLUSTER, or list all of them in the file of CLUSTERS`,
      );
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      problems.push(`${kind}: ${error.message}`);
    }
  }
  if (problems.length > 0) throw new UpstreamError(problems.join("; "));
  return FILE_CLUSTER;
}

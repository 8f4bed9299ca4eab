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
const LAST_NAME = "sync_last_name";

/** Keeps why the cluster could not be named, for the page; null once it has told its name. */
export async function saveNamingProblem(db: Database, problem: NamingProblem | null): Promise<void> {
  if (problem === null) await db.run(sql`DELETE FROM settings WHERE key = ${NAMING_PROBLEM}`);
  else await saveSetting(db, NAMING_PROBLEM, problem);
}

async function saveSetting(db: Database, key: string, value: unknown): Promise<void> {
  await db.run(
    sql`INSERT INTO settings (key, value) VALUES (${key}, ${JSON.stringify(value)}::jsonb)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE settings.value <> excluded.value`,
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
 * The cluster with its name: as configured, else asked of it, else what it said when it last answered, so that its files
 * are read while it is away.
 *
 * @throws {UpstreamError} when it has no configured name and never told one. @throws {UserError} when accounting holds
 *   several clusters, or none.
 */
export async function nameCluster(db: Database, setup: ClusterSetup, signal: AbortSignal): Promise<NamedCluster> {
  return withName(setup, setup.configuredName ?? (await askName(db, setup, signal)));
}

/** The cluster under a name that is known. */
export function withName(setup: ClusterSetup, name: string): NamedCluster {
  return {
    name,
    live: setup.live(name),
    sreport: setup.sreport?.(name) ?? null,
    dropFolder: setup.dropFolder,
    fallbackFile: setup.fallbackFile,
  };
}

/** The name of a cluster without asking it; null when it never told it. */
export async function knownName(queries: Queries, setup: ClusterSetup): Promise<string | null> {
  if (setup.configuredName !== null) return setup.configuredName;
  if (setup.live(null).length === 0) return FILE_CLUSTER;
  const row = await queries.maybeOne(
    z.object({ value: z.string() }),
    sql`SELECT value FROM settings WHERE key = ${LAST_NAME}`,
  );
  return row?.value ?? null;
}

async function askName(db: Database, setup: ClusterSetup, signal: AbortSignal): Promise<string> {
  const live = setup.live(null);
  if (live.length === 0) return FILE_CLUSTER;
  try {
    const name = await discoverName(live, signal);
    await saveSetting(db, LAST_NAME, name);
    return name;
  } catch (error) {
    signal.throwIfAborted();
    const known = error instanceof UpstreamError ? await knownName(db, setup) : null;
    if (known === null) throw error;
    return known;
  }
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
  throw new UpstreamError(problems.join("; "));
}

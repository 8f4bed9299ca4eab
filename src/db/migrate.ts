import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { messageOf, UpstreamError, UserError } from "../errors.ts";
import { PROJECT_ROOT } from "../project-root.ts";
import { openClient } from "./connection.ts";

/** Any number that nothing else locks: the transaction-level advisory lock under which the schema is changed. */
export const MIGRATION_LOCK = 7_308_332_101_948_137n;

/** The table that says which migrations a database has. */
export const CREATE_BOOKKEEPING = `
  CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
  -- The oldest migration with which a version still runs beside this one; null: only those that know this one.
  ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS runs_from text`;

export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
  /** Versions whose newest migration is this one, or a later one, run on the schema that it makes; null: none older. */
  readonly runsFrom: string | null;
}

/** How a database's schema stands to the one this version knows; all empty: it is up to date. */
export interface SchemaState {
  /** Migrations that it has still to get. */
  readonly pending: readonly string[];
  /** Migrations of a newer version, on which this one still runs: it may have been rolled back. */
  readonly newer: readonly string[];
  /** Migrations of a newer version, on which this one does not run. */
  readonly unknown: readonly string[];
  /** Migrations that were applied with another text than ours. */
  readonly changed: readonly string[];
}

/** The migrations of this version, in their order. */
export async function readMigrations(): Promise<Migration[]> {
  const folder = join(PROJECT_ROOT, "migrations");
  const names = (await readdir(folder)).filter((name) => /^\d{4}_.+\.sql$/u.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), "utf8");
      const runsFrom = RUNS_FROM.exec(sql)?.[1];
      return {
        name,
        sql,
        checksum: createHash("sha256").update(sql).digest("hex"),
        runsFrom: runsFrom === undefined ? null : `${runsFrom}.sql`,
      };
    }),
  );
}

/** A migration says so at its head, once it was made sure of: `-- Runs from: 0006_payment_checks`. */
const RUNS_FROM = /^-- Runs from: (\d{4}_\w+)$/mu;

interface Applied {
  readonly checksum: string;
  readonly runsFrom: string | null;
}

async function appliedMigrations(client: pg.Client): Promise<Map<string, Applied>> {
  const answer = await client.query<{ name: string; checksum: string; runs_from: string | null }>(
    "SELECT name, checksum, to_jsonb(m) ->> 'runs_from' AS runs_from FROM schema_migrations m ORDER BY name",
  );
  return new Map(answer.rows.map((row) => [row.name, { checksum: row.checksum, runsFrom: row.runs_from }]));
}

/**
 * Compares the schema with the one this version knows, and changes nothing.
 *
 * @throws {UpstreamError} when the database does not answer or does not let us in.
 */
export async function schemaState(connectionString: string): Promise<SchemaState> {
  const migrations = await readMigrations();
  const client = openClient(connectionString);
  await connect(client);
  try {
    const { rows } = await client.query<{ exists: boolean }>(
      "SELECT to_regclass('schema_migrations') IS NOT NULL AS exists",
    );
    return compare(migrations, rows[0]?.exists === true ? await appliedMigrations(client) : new Map<string, Applied>());
  } finally {
    await client.end();
  }
}

/**
 * Brings the schema up to date: forward only, each file in a transaction of its own under one advisory lock, so that
 * replicas that start together wait for each other and a kill leaves whole migrations. Works through a
 * transaction-mode pooler, which the session locks of the usual runners do not.
 *
 * @throws {UserError} when the database holds a migration this version does not know, or one whose text has changed.
 * @throws {UpstreamError} when the database does not answer or does not let us in.
 */
export async function migrateDatabase(options: {
  connectionString: string;
  log: (line: string) => void;
}): Promise<{ applied: string[] }> {
  const migrations = await readMigrations();
  const client = openClient(options.connectionString);
  await connect(client);
  try {
    await createBookkeeping(client);
    const state = compare(migrations, await appliedMigrations(client));
    refuseUnknown(state);
    if (state.newer.length > 0)
      options.log(`the schema is of a newer version (${state.newer.join(", ")}), on which this one runs`);
    const applied: string[] = [];
    for (const migration of migrations) {
      if (await applyOnce(client, migration)) {
        applied.push(migration.name);
        options.log(`migration ${migration.name} applied`);
      }
    }
    return { applied };
  } finally {
    await client.end();
  }
}

async function connect(client: pg.Client): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    throw new UpstreamError(`the database at ${client.host}:${client.port} cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function createBookkeeping(client: pg.Client): Promise<void> {
  await inTransaction(client, async () => {
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    await client.query(CREATE_BOOKKEEPING);
  });
}

function compare(migrations: readonly Migration[], applied: ReadonlyMap<string, Applied>): SchemaState {
  const known = new Map(migrations.map((migration) => [migration.name, migration.checksum]));
  const newest = migrations.at(-1)?.name ?? "";
  const foreign = [...applied].filter(([name]) => !known.has(name));
  const runs = ([, { runsFrom }]: (typeof foreign)[number]): boolean => runsFrom !== null && runsFrom <= newest;
  return {
    pending: migrations.map(({ name }) => name).filter((name) => !applied.has(name)),
    newer: foreign.filter(runs).map(([name]) => name),
    unknown: foreign.filter((one) => !runs(one)).map(([name]) => name),
    changed: [...applied]
      .filter(([name, { checksum }]) => (known.get(name) ?? checksum) !== checksum)
      .map(([name]) => name),
  };
}

/** What keeps this version from using a database; undefined when nothing does. */
export function refusalOf({ unknown, changed }: Pick<SchemaState, "unknown" | "changed">): string | undefined {
  if (unknown.length > 0) {
    const these = unknown.length === 1 ? `migration ${unknown[0]}` : `migrations ${unknown.join(", ")}`;
    return `the database has ${these}, which this version does not know: it was made by a newer version; start that one, or restore a backup`;
  }
  if (changed.length === 0) return undefined;
  return `migration ${changed.join(", ")} was applied with another text than this version has; migrations are never edited`;
}

function refuseUnknown(state: SchemaState): void {
  const refusal = refusalOf(state);
  if (refusal !== undefined) throw new UserError(refusal);
}

/** Returns false when another process was faster. */
async function applyOnce(client: pg.Client, migration: Migration): Promise<boolean> {
  return inTransaction(client, async () => {
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    const seen = await client.query("SELECT 1 FROM schema_migrations WHERE name = $1", [migration.name]);
    if ((seen.rowCount ?? 0) > 0) return false;
    await client.query(migration.sql);
    await client.query("INSERT INTO schema_migrations (name, checksum, runs_from) VALUES ($1, $2, $3)", [
      migration.name,
      migration.checksum,
      migration.runsFrom,
    ]);
    return true;
  });
}

async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { messageOf, UpstreamError, UserError } from "../errors.ts";
import { PROJECT_ROOT } from "../project-root.ts";
import { openClient } from "./connection.ts";

/** Any number that nothing else locks: the transaction-level advisory lock migrations run under. */
const MIGRATION_LOCK = 7_308_332_101_948_137n;

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

async function readMigrations(): Promise<Migration[]> {
  const folder = join(PROJECT_ROOT, "migrations");
  const names = (await readdir(folder)).filter((name) => /^\d{4}_.+\.sql$/u.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

async function appliedMigrations(client: pg.Client): Promise<Map<string, string>> {
  const answer = await client.query<{ name: string; checksum: string }>("SELECT name, checksum FROM schema_migrations");
  return new Map(answer.rows.map((row) => [row.name, row.checksum]));
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
    refuseUnknown(migrations, await appliedMigrations(client));
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
    await client.query(
      "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
    );
  });
}

function refuseUnknown(migrations: readonly Migration[], applied: ReadonlyMap<string, string>): void {
  const known = new Map(migrations.map((migration) => [migration.name, migration.checksum]));
  for (const [name, checksum] of applied) {
    const expected = known.get(name);
    if (expected === undefined) {
      throw new UserError(
        `the database has migration ${name}, which this version does not know: it was made by a newer version; start that one, or restore a backup`,
      );
    }
    if (expected !== checksum) {
      throw new UserError(
        `migration ${name} was applied with another text than this version has; migrations are never edited`,
      );
    }
  }
}

/** Returns false when another process was faster. */
async function applyOnce(client: pg.Client, migration: Migration): Promise<boolean> {
  return inTransaction(client, async () => {
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    const seen = await client.query("SELECT 1 FROM schema_migrations WHERE name = $1", [migration.name]);
    if ((seen.rowCount ?? 0) > 0) return false;
    await client.query(migration.sql);
    await client.query("INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", [
      migration.name,
      migration.checksum,
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

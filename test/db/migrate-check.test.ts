import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openClient } from "../../src/db/connection.ts";
import { migrateDatabase, readMigrations, refusalOf, schemaState } from "../../src/db/migrate.ts";
import { createEmptyDatabase } from "../backup/support.ts";
import { runCli, type CliResult } from "../cli/run-cli.ts";

let database: { url: string; drop(): Promise<void> };

beforeEach(async () => {
  database = await createEmptyDatabase();
});

afterEach(() => database.drop());

async function query(text: string): Promise<unknown[]> {
  const client = openClient(database.url);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows;
  } finally {
    await client.end();
  }
}

function check(...more: string[]): Promise<CliResult> {
  return runCli(["migrate", "--check", ...more], {
    env: { DATABASE_URL: database.url, SECRET_KEY: "secret of the tests" },
  });
}

const migrate = (): Promise<unknown> => migrateDatabase({ connectionString: database.url, log: () => undefined });

describe("migrate --check", () => {
  it("names what an empty database has still to get, and changes nothing", async () => {
    const names = (await readMigrations()).map(({ name }) => name);
    const result = await check();
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain(`${names.length} migrations are to be applied: 0001_initial.sql, `);
    expect(await query("SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace")).toEqual([]);
  });

  it("is content with a database that is up to date", async () => {
    await migrate();
    expect(await check()).toMatchObject({ code: 0, stdout: "the schema is up to date\n", stderr: "" });
    expect(await check("--json")).toMatchObject({
      code: 0,
      stdout: '{"pending":[],"newer":[],"unknown":[],"changed":[]}\n',
    });
  });

  it("names migrations of a newer version, as the refusal to start does", async () => {
    await migrate();
    await query("INSERT INTO schema_migrations (name, checksum) VALUES ('9998_a.sql', 'x'), ('9999_b.sql', 'x')");
    const message =
      "the database has migrations 9998_a.sql, 9999_b.sql, which this version does not know: it was made by a newer version";
    const result = await check();
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(message);
    await expect(migrate()).rejects.toThrow(message);
  });

  it("runs on the schema of a newer version that says so, as after a rollback, and on no other", async () => {
    await migrate();
    const newest = (await readMigrations()).at(-1)?.name ?? "";
    await query(`INSERT INTO schema_migrations (name, checksum, runs_from) VALUES ('9998_a.sql', 'x', '${newest}')`);
    const lines: string[] = [];
    await migrateDatabase({ connectionString: database.url, log: (line) => lines.push(line) });
    expect(lines).toEqual(["the schema is of a newer version (9998_a.sql), on which this one runs"]);
    expect(await check()).toMatchObject({ code: 0 });
    await query("INSERT INTO schema_migrations (name, checksum, runs_from) VALUES ('9999_b.sql', 'x', '9998_a.sql')");
    await expect(migrate()).rejects.toThrow("the database has migration 9999_b.sql, which this version does not know");
  });

  it("names a migration whose text was changed", async () => {
    await migrate();
    await query("UPDATE schema_migrations SET checksum = 'x' WHERE name = '0001_initial.sql'");
    const state = await schemaState(database.url);
    expect(state).toEqual({ pending: [], newer: [], unknown: [], changed: ["0001_initial.sql"] });
    expect(refusalOf(state)).toContain("0001_initial.sql was applied with another text");
  });

  it("makes no database where there is none", async () => {
    const env = { DATA_DIR: "/nonexistent/data", SECRET_KEY: "secret of the tests" };
    const result = await runCli(["migrate", "--check"], { env });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("there is no database in /nonexistent/data yet");
  });
});

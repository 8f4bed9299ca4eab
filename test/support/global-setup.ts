import { randomUUID } from "node:crypto";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { connectionUrl, openEmbeddedPostgres } from "../../src/db/embedded.ts";
import { migrateDatabase } from "../../src/db/migrate.ts";
import { databaseUrl } from "./database-url.ts";
import { makeFolderIn, makeRunFolder } from "./run-folder.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** URL of a server on which tests may make databases. */
    postgresAdminUrl: string;
    /** Name of the database on it that holds the migrated, empty schema. */
    postgresTemplate: string;
    /** The folder of this run, for what tests write; removed with all servers in it, however the run ends. */
    runFolder: string;
  }
}

/** Nobody mourns a test's database: no waiting for the disk. */
const FAST_AND_UNSAFE = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_wal_size: "256MB" };

/** One PostgreSQL for the whole run (or that of `TEST_DATABASE_URL`), with a migrated database to copy. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runFolder = makeRunFolder();
  try {
    const server = await openServer(runFolder.path);
    const template = `hpc_billing_template_${randomUUID().replaceAll("-", "")}`;
    await run(server.url, `CREATE DATABASE ${template}`);
    await migrateDatabase({ connectionString: databaseUrl(server.url, template), log: () => undefined });
    project.provide("postgresAdminUrl", server.url);
    project.provide("postgresTemplate", template);
    project.provide("runFolder", runFolder.path);
    return async () => {
      await run(server.url, `DROP DATABASE ${template} WITH (FORCE)`);
      await server.close();
      runFolder.remove();
    };
  } catch (error) {
    runFolder.remove();
    throw error;
  }
}

async function openServer(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const external = process.env["TEST_DATABASE_URL"];
  if (external !== undefined && external !== "") return { url: external, close: async () => {} };
  const server = await openEmbeddedPostgres({
    dataDir: makeFolderIn(folder),
    role: "command",
    log: () => undefined,
    extraSettings: FAST_AND_UNSAFE,
  });
  return { url: connectionUrl(server.connection), close: () => server.close() };
}

async function run(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

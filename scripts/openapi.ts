/**
 * `npm run openapi`: writes docs/api/openapi.yaml from the schemas that validate the routes. A test compares the two, so
 * that the file cannot drift.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { auditWriter } from "../src/audit/store.ts";
import { webServer } from "../src/app.ts";
import { systemClock } from "../src/clock.ts";
import { loadConfig } from "../src/config.ts";
import { openPool } from "../src/db/connection.ts";
import { Database } from "../src/db/database.ts";
import { createLogger } from "../src/log.ts";
import { wire } from "../src/services.ts";
import { ensureBuilt } from "./build.ts";

export const OPENAPI_FILE = join(import.meta.dirname, "..", "docs", "api", "openapi.yaml");

/** The document of the whole server; the database is never asked. */
export async function openApiYaml(): Promise<string> {
  const config = loadConfig({});
  const pool = openPool("postgres://nobody@localhost/none", { max: 1, onIdleError: () => undefined });
  const db = new Database(pool, auditWriter(config.auditKeyring, systemClock));
  const logger = createLogger({ level: "silent" });
  const { app } = await webServer(wire({ config, logger, clock: systemClock, db }));
  const yaml = app.swagger({ yaml: true });
  await app.close();
  await db.close();
  return yaml;
}

if (import.meta.main) {
  await ensureBuilt();
  mkdirSync(dirname(OPENAPI_FILE), { recursive: true });
  writeFileSync(OPENAPI_FILE, await openApiYaml());
}

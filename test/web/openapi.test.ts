import { expect, it } from "vitest";
import { webServer } from "../../src/app.ts";
import { auditWriter } from "../../src/audit/store.ts";
import { systemClock } from "../../src/clock.ts";
import { loadConfig } from "../../src/config.ts";
import { openPool } from "../../src/db/connection.ts";
import { Database } from "../../src/db/database.ts";
import { reportsOf } from "../../src/db/reports.ts";
import { createLogger } from "../../src/log.ts";
import { wire } from "../../src/services.ts";

it("docs/api/openapi.yaml is what the routes' own schemas say (npm run openapi writes it)", async () => {
  const config = loadConfig({});
  // Never connected to: describing the routes asks nothing.
  const pool = openPool("postgres://nobody@localhost/none", { max: 1, onIdleError: () => undefined });
  const db = new Database(pool, auditWriter(config.auditKeyring, systemClock));
  const logger = createLogger({ level: "silent" });
  const { app } = await webServer(wire({ config, logger, clock: systemClock, db, reports: reportsOf(db) }), {
    send: () => Promise.resolve(false),
  });
  const yaml = app.swagger({ yaml: true });
  await app.close();
  await db.close();
  await expect(yaml).toMatchFileSnapshot("../../docs/api/openapi.yaml");
});

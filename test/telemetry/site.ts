/** A server that listens, on a database of its own, with traces as the product has them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { auditWriter } from "../../src/audit/store.ts";
import { systemClock } from "../../src/clock.ts";
import { loadConfig } from "../../src/config.ts";
import { openPool } from "../../src/db/connection.ts";
import { Database } from "../../src/db/database.ts";
import { createLogger } from "../../src/log.ts";
import { tracedPool } from "../../src/telemetry/database.ts";
import { startTracing } from "../../src/telemetry/otlp.ts";
import { scrubberOf, secretsOf } from "../../src/telemetry/secrets.ts";
import type { Tracing } from "../../src/telemetry/tracing.ts";
import { createMetrics } from "../../src/web/plugins/metrics.ts";
import { createServer, type RouteModule } from "../../src/web/server.ts";
import { createTestDatabase } from "../support/database.ts";

export interface TracedSite {
  readonly url: string;
  readonly db: Database;
  readonly tracing: Tracing;
  readonly troubles: unknown[];
  /** What was logged, line by line. */
  readonly lines: string[];
  close(): Promise<void>;
}

export async function startTracedSite(
  env: Readonly<Record<string, string>>,
  routes: (db: Database) => RouteModule,
): Promise<TracedSite> {
  const database = await createTestDatabase();
  const config = loadConfig(env);
  const { telemetry, trustProxy, appEnv } = config;
  if (telemetry === null) throw new Error("the environment names no collector");
  const scrub = scrubberOf(secretsOf(config));
  const troubles: unknown[] = [];
  const tracing = startTracing({
    telemetry,
    trustProxy,
    appEnv,
    revision: "abc1234",
    scrub,
    sendEveryMs: 20,
    onTrouble: (error) => troubles.push(error),
  });
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: unknown, _encoding, done) {
      lines.push(...String(chunk).trim().split("\n"));
      done();
    },
  });
  const pool = openPool(database.url, { max: 3, onIdleError: () => undefined });
  const db = new Database(tracedPool(pool, tracing), auditWriter(config.auditKeyring, systemClock));
  const publicDir = mkdtempSync(join(tmpdir(), "public-"));
  const app = await createServer({
    config,
    db,
    clock: systemClock,
    logger: createLogger({ level: "debug", destination, scrub, context: () => tracing.logFields() }),
    metrics: createMetrics({ db, version: "1.2.3", appEnv }),
    manifest: { script: "app.js", style: "app.css", icon: "icon.svg" },
    publicDir,
    version: "1.2.3",
    routes: [routes(db)],
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    url,
    db,
    tracing,
    troubles,
    lines,
    async close() {
      await app.close();
      await tracing.close();
      await db.close();
      await database.drop();
      rmSync(publicDir, { recursive: true, force: true });
    },
  };
}

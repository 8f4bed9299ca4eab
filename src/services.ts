import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { auditWriter } from "./audit/store.ts";
import type { BillingContext } from "./billing/issue.ts";
import { systemClock, type Clock } from "./clock.ts";
import { clusterSetups } from "./cluster-sources.ts";
import { loadConfig, type Config } from "./config.ts";
import { openPool } from "./db/connection.ts";
import { Database } from "./db/database.ts";
import { ReplicaReports, reportsOf, type Reports } from "./db/reports.ts";
import { connectionUrl, openEmbeddedPostgres } from "./db/embedded.ts";
import { migrateDatabase } from "./db/migrate.ts";
import { createLogger, type Logger } from "./log.ts";
import type { PaymentContext } from "./payments/context.ts";
import { paymentProviders } from "./payment-providers.ts";
import { tracedPool } from "./telemetry/database.ts";
import { scrubberOf, secretsOf, type Scrub } from "./telemetry/secrets.ts";
import type { Tracing } from "./telemetry/tracing.ts";
import type { ImportContext } from "./usage/import/context.ts";
import { addDays, SiteDays } from "./usage/site-day.ts";
import { ensureCurrency, ensureSiteZone } from "./usage/site-zone.ts";
import type { ClusterSetup } from "./usage/sync/clusters.ts";
import type { SyncContext } from "./usage/sync/sync-cluster.ts";
import type { SyncPolicy } from "./usage/sync/windows.ts";

/** Everything that features work with, wired once from the configuration. */
export interface Services {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly db: Database;
  /** Where sums and long files are read, which may be some seconds old. */
  readonly reports: Reports;
  readonly days: SiteDays;
  readonly importing: ImportContext;
  /** How each configured cluster is read. */
  readonly clusters: readonly ClusterSetup[];
  readonly syncing: SyncContext;
  readonly billing: BillingContext;
  readonly payments: PaymentContext;
  /** Null where nobody collects traces. */
  readonly tracing: Tracing | null;
  /** Where the database is, for the work queue's own connections. */
  readonly databaseUrl: string;
  /** Settles when an embedded database server has gone; never for an external one. */
  readonly databaseExited: Promise<void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `serve` for the application, `command` for everything that ends by itself. */
  readonly role: "serve" | "command";
  readonly clock?: Clock;
}

/**
 * Reads the configuration, opens the database (embedded, or the one of DATABASE_URL), brings its schema up to date and
 * wires the features.
 *
 * @throws {UserError} for a configuration or a data folder that cannot be used.
 */
export async function openServices(options: OpenOptions): Promise<Services> {
  const config = await configOf(options.env);
  const clock = options.clock ?? systemClock;
  const scrub = scrubberOf(secretsOf(config));
  const tracing = options.role === "serve" ? await openTracing(config, scrub, (error) => logger.warn({ err: error }, "traces cannot be sent")) : null; // prettier-ignore
  const logger = createLogger({
    level: config.logLevel,
    destination: options.role === "serve" ? "stdout" : "stderr",
    scrub,
    ...(tracing !== null && { context: () => tracing.logFields() }),
  });
  const quiet = options.role === "command";
  const log = (line: string): void => (quiet ? logger.debug(line) : logger.info(line));
  let isClosing = false;
  const database = await openDatabase(config, options.role, log);
  try {
    await migrateDatabase({ connectionString: database.url, log });
    const pool = openPool(database.url, {
      max: config.databasePoolMax,
      onIdleError: (error) => {
        if (!isClosing) logger.warn({ err: error }, "an idle database connection broke");
      },
    });
    const db = new Database(
      tracing === null ? pool : tracedPool(pool, tracing),
      auditWriter(config.auditKeyring, clock),
    );
    const replica = openReplica(config, () => isClosing, logger);
    const services = wire({ config, logger, clock, db, reports: reportsFrom({ db, replica, clock, logger }) });
    await ensureSiteZone(db, services.days, (line) => logger.warn(line));
    await ensureCurrency(db, config.currency);
    return {
      ...services,
      tracing,
      databaseUrl: database.url,
      databaseExited: database.exited,
      close: async () => {
        isClosing = true;
        await Promise.all([db.close(), replica?.close()]);
        await database.close();
        await tracing?.close();
      },
    };
  } catch (error) {
    await database.close();
    await tracing?.close();
    throw error;
  }
}

/** Services without the database's own life. */
export type WiredServices = Omit<Services, "databaseUrl" | "databaseExited" | "tracing" | "close">;

/** The features' contexts over a database; opens and asks nothing. */
export function wire(base: Pick<Services, "config" | "logger" | "clock" | "db" | "reports">): WiredServices {
  const { config, clock, db } = base;
  const { currency, tax } = config;
  const days = new SiteDays(config.siteTz);
  const importing = { db, clock, currency, days };
  return {
    ...base,
    days,
    importing,
    clusters: clusterSetups(config.slurm.clusters),
    syncing: { ...importing, policy: () => syncPolicy(config, days, clock) },
    billing: { db, clock, currency, tax, days },
    payments: {
      db,
      clock,
      currency,
      siteBaseUrl: config.siteBaseUrl,
      onTrouble: (error, about) =>
        base.logger.warn({ err: error, ...about }, "a payment matter did not work; it is tried again"),
      ...paymentProviders(config, clock),
    },
  };
}

/** Where no collector is named, none of its code is loaded. */
async function openTracing(
  { telemetry, trustProxy, appEnv, revision }: Config,
  scrub: Scrub,
  onTrouble: (error: unknown) => void,
): Promise<Tracing | null> {
  if (telemetry === null) return null;
  const { startTracing } = await import("./telemetry/otlp.ts");
  return startTracing({ telemetry, trustProxy, appEnv, revision, scrub, onTrouble });
}

/** Opened and not asked: an installation starts without its replica. */
function openReplica(config: Config, isClosing: () => boolean, logger: Logger): Database | null {
  if (config.databaseReplicaUrl === null) return null;
  const pool = openPool(config.databaseReplicaUrl, {
    max: config.databasePoolMax,
    onIdleError: (error) => {
      if (!isClosing()) logger.warn({ err: error }, "an idle connection to the replica broke");
    },
  });
  return new Database(pool, () => Promise.reject(new Error("a replica takes no changes")));
}

function reportsFrom(base: {
  readonly db: Database;
  readonly replica: Database | null;
  readonly clock: Clock;
  readonly logger: Logger;
}): Reports {
  const { db, replica, clock, logger } = base;
  if (replica === null) return reportsOf(db);
  const onTrouble = (error: unknown): void =>
    logger.warn({ err: error }, "the read replica cannot be used; reports are read from the database itself");
  return new ReplicaReports({ primary: db, replica, clock, onTrouble });
}

/** How far back a cluster that is new is read, unless SYNC_FROM says it: enough for the last bill and a late one. */
const NEW_CLUSTER_DAYS = 90;

function syncPolicy({ slurm: { sync } }: Config, days: SiteDays, clock: Clock): SyncPolicy {
  const today = days.dayOf(Math.floor(clock.now().getTime() / 1000));
  return {
    startAt: days.startOf(sync.fromDay ?? addDays(today, -NEW_CLUSTER_DAYS)),
    overlapSeconds: sync.overlapSeconds,
    windowSeconds: sync.windowSeconds,
  };
}

async function openDatabase(
  config: Config,
  role: OpenOptions["role"],
  log: (line: string) => void,
): Promise<{ url: string; exited: Promise<void>; close: () => Promise<void> }> {
  if (config.databaseUrl !== null) {
    return { url: config.databaseUrl, exited: new Promise(() => undefined), close: () => Promise.resolve() };
  }
  const postgres = await openEmbeddedPostgres({ dataDir: config.dataDir, role, log });
  return { url: connectionUrl(postgres.connection), exited: postgres.exited, close: () => postgres.close() };
}

/** In development a secret is made up once and kept in the data folder, so that sessions and the audit chain outlive a restart. */
async function configOf(env: OpenOptions["env"]): Promise<Config> {
  const config = loadConfig(env);
  const isSecretGiven = [env["SECRET_KEY"], env["FLASK_SECRET_KEY"]].some((value) => (value ?? "").trim() !== "");
  if (isSecretGiven || config.appEnv !== "development") return config;
  return loadConfig(env, { savedSecret: await savedSecret(config.dataDir) });
}

async function savedSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, "secret.key");
  await mkdir(dataDir, { recursive: true });
  try {
    await writeFile(path, randomBytes(32).toString("hex"), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return (await readFile(path, "utf8")).trim();
}

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, UpstreamError, UserError } from "../errors.ts";
import { findBinaries } from "./embedded-binaries.ts";
import { DATABASE, makeCluster } from "./embedded-cluster.ts";
import { findHome, makeSocketFolder, placeNewDatabase, type Home } from "./embedded-home.ts";
import { Lease, LeaseKeeper } from "./embedded-lease.ts";
import { isLocked, lockFile, lockHolder, type FileLock } from "./embedded-lock.ts";
import { readPostmaster, runningPostmaster, startPostmaster, stopPostmaster } from "./embedded-postmaster.ts";

/** Where the embedded server listens: a Unix socket in `host`, never the network. */
export interface EmbeddedConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** The PostgreSQL in the data folder, in use by this process. */
export interface EmbeddedPostgres {
  readonly connection: EmbeddedConnection;
  /** Milliseconds from the call to a server that answers. */
  readonly startedInMs: number;
  /** True when the server was running already: started by another process, or left by one that was killed. */
  readonly adopted: boolean;
  /**
   * Settled when the server is gone, or after {@link EmbeddedPostgres.close}. A server recovers from the crash of a
   * backend on its own; whether one that has died is opened again is the caller's choice.
   */
  readonly exited: Promise<void>;
  /** Ends the use, and stops the server when nobody else uses it. End your own connections first. */
  close(): Promise<void>;
}

export interface EmbeddedOptions {
  readonly dataDir: string;
  /** `serve` for the application, of which a data folder takes one; `command` for any number of others beside it. */
  readonly role: "serve" | "command";
  readonly log: (line: string) => void;
  /** Settings of the server that win over ours. For tests, which need no disk that survives a power cut. */
  readonly extraSettings?: Readonly<Record<string, string>>;
}

/** A recovery after a crash replays at most `max_wal_size` or so, which is minutes on a slow disk. */
const PATIENCE_MS = 15 * 60_000;
/** For a server that lives but does not listen; somebody has removed its socket. */
const SILENCE_MS = 60_000;
const POLL_MS = 25;
const REPORT_EVERY_MS = 5_000;

/**
 * Opens the database in `<dataDir>/postgres`: makes it if there is none, starts its server if it is not running, and
 * makes sure it is stopped by whoever uses it last.
 *
 * @example
 * const postgres = await openEmbeddedPostgres({ dataDir: "data", role: "serve", log: console.error });
 * const pool = openPool(connectionUrl(postgres.connection), { max: 10, onIdleError: report });
 * // …
 * await pool.end();
 * await postgres.close();
 *
 * @throws {UserError} when another process serves the folder, or the folder cannot be used; {@link UpstreamError} with
 * the end of PostgreSQL's log when it does not start.
 */
export async function openEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const startedAt = performance.now();
  const found = await findHome(options.dataDir);
  let serveLock: FileLock | undefined;
  try {
    if (options.role === "serve") serveLock = await takeServeLock(found);
    const { home, lease, adopted } = await leaseOrStart(found, options);
    const keeper = new LeaseKeeper(home.pgData, lease);
    const server = readPostmaster(home.pgData);
    if (server === undefined)
      throw new UpstreamError(`PostgreSQL on ${home.pgData} stopped as soon as it was up: see ${home.logFile}`);
    let closing: Promise<void> | undefined;
    return {
      connection: { host: server.socketFolder, port: server.port, user: DATABASE, database: DATABASE },
      startedInMs: Math.round(performance.now() - startedAt),
      adopted,
      exited: keeper.exited,
      close: () => (closing ??= close({ home, keeper, serveLock, log: options.log })),
    };
  } catch (error) {
    serveLock?.release();
    if (error instanceof UserError || error instanceof UpstreamError) throw error;
    throw new UpstreamError(`the database in ${found.pgData} could not be opened: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The connection as a URL, for `pg` and everything that takes a `DATABASE_URL`; of another database, if one is named. */
export function connectionUrl(connection: EmbeddedConnection, database: string = connection.database): string {
  const url = new URL(`postgres://${connection.user}@localhost:${connection.port}/${encodeURIComponent(database)}`);
  url.searchParams.set("host", connection.host);
  // `pg` and libpq read a plus sign as itself.
  return url.href.replaceAll("+", "%20");
}

function serveLockPath(home: Home): string {
  return join(home.dataDir, "serve.lock");
}

async function takeServeLock(home: Home): Promise<FileLock> {
  const path = serveLockPath(home);
  const lock = await lockFile(path, { wait: false });
  if (lock !== undefined) return lock;
  const pid = await lockHolder(path);
  // Without a holder it was perhaps a command that looked whether the file is locked.
  const secondTry = pid === undefined ? await lockFile(path, { wait: false }) : undefined;
  if (secondTry !== undefined) return secondTry;
  const holder = pid === undefined ? "another process (in another container?)" : `process ${pid}`;
  throw new UserError(
    `hpc-billing is running on ${home.dataDir} already, as ${holder}: stop it first, or set DATA_DIR to another folder`,
  );
}

interface Opened {
  readonly home: Home;
  readonly lease: Lease;
  readonly adopted: boolean;
}

async function leaseOrStart(found: Home, options: EmbeddedOptions): Promise<Opened> {
  const running = await leaseRunning(found, options.log);
  if (running !== undefined) return { home: found, lease: running, adopted: true };
  // One starts it, the others wait here and find it running.
  const startLock = await lockFile(join(found.dataDir, "start.lock"), { wait: true });
  try {
    return await leaseOrStartAlone(options);
  } finally {
    startLock?.release();
  }
}

async function leaseOrStartAlone(options: EmbeddedOptions): Promise<Opened> {
  // Looked up again: while we waited the database may have been made, elsewhere and with a link to it.
  const home = await placeNewDatabase(await findHome(options.dataDir));
  const startedMeanwhile = await leaseRunning(home, options.log);
  if (startedMeanwhile !== undefined) return { home, lease: startedMeanwhile, adopted: true };
  const binaries = await findBinaries(home.account);
  await makeCluster(home, binaries, options.log);
  const socketFolder = await makeSocketFolder(home);
  await startPostmaster({ home, binaries, socketFolder, settings: options.extraSettings ?? {} });
  const lease = await leaseRunning(home, options.log);
  if (lease !== undefined) return { home, lease, adopted: false };
  throw new UpstreamError(`PostgreSQL on ${home.pgData} stopped as soon as it was up: see ${home.logFile}`);
}

/** A lease on the running server, once it takes connections; undefined when none runs. */
async function leaseRunning(home: Home, log: (line: string) => void): Promise<Lease | undefined> {
  const since = Date.now();
  let silentSince: number | undefined;
  let reportAt = since + REPORT_EVERY_MS;
  for (;;) {
    const attempt = await Lease.attempt(home.pgData);
    if (attempt.kind === "leased") return attempt.lease;
    const pid = runningPostmaster(home.pgData);
    if (attempt.kind === "absent" && pid === undefined) return undefined;
    silentSince = attempt.kind === "absent" ? (silentSince ?? Date.now()) : undefined;
    if (Date.now() - (silentSince ?? Date.now()) > SILENCE_MS || Date.now() - since > PATIENCE_MS) {
      throw new UpstreamError(
        `PostgreSQL${pid === undefined ? "" : ` (process ${pid})`} runs on ${home.pgData} but takes no connections: see ${home.logFile}, stop it and start again`,
      );
    }
    if (Date.now() > reportAt) {
      log(
        `waiting for PostgreSQL on ${home.pgData}: ${attempt.kind === "busy" ? attempt.reason : "it does not listen yet"}`,
      );
      reportAt += REPORT_EVERY_MS;
    }
    await sleep(POLL_MS);
  }
}

async function close(open: {
  home: Home;
  keeper: LeaseKeeper;
  serveLock: FileLock | undefined;
  log: (line: string) => void;
}): Promise<void> {
  const stop = async (): Promise<void> => {
    // When a crash of the server has just ended all leases, ours may be the first one back but is not the only one.
    if (open.serveLock === undefined && (await isLocked(serveLockPath(open.home)))) return;
    await stopPostmaster(open.home.pgData, open.log);
  };
  try {
    await open.keeper.release(stop);
  } finally {
    open.serveLock?.release();
  }
}

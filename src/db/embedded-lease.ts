import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { messageOf, UpstreamError } from "../errors.ts";
import { DATABASE } from "./embedded-cluster.ts";
import { readPostmaster, runningPostmaster } from "./embedded-postmaster.ts";
import { errnoOf } from "./embedded-process.ts";

/**
 * The advisory lock every user of the server holds shared for as long as it uses it; who gets it exclusively is the last
 * one. A session lock is right here and nowhere else: between us and this server there is never a pooler.
 */
const LEASE_LOCK = 7_308_332_101_948_138n;

const TIMEOUT_MS = 15_000;
const POLL_MS = 25;

/** How an attempt to use the running server went. */
export type Attempt =
  | { readonly kind: "leased"; readonly lease: Lease }
  /** Nobody answers. */
  | { readonly kind: "absent" }
  /** It starts, recovers or stops. */
  | { readonly kind: "busy"; readonly reason: string };

/** cannot_connect_now, admin_shutdown, crash_shutdown. */
const PASSING_STATES = new Set(["57P03", "57P01", "57P02"]);
const PASSING_ERRNOS = new Set(["ECONNRESET", "EPIPE"]);

/** One connection that says: I use this server. */
export class Lease {
  readonly #client: pg.Client;
  readonly #socket: Socket;
  /** Settled when the connection has ended, from either side. */
  readonly ended: Promise<void>;

  private constructor(client: pg.Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    this.ended = new Promise((resolve) => client.once("end", () => resolve()));
  }

  /** Connects to the server that `postmaster.pid` names, and takes a share of the lease. */
  static async attempt(pgData: string): Promise<Attempt> {
    const server = readPostmaster(pgData);
    if (server === undefined) return { kind: "absent" };
    const socket = new Socket();
    const client = new pg.Client({
      host: server.socketFolder,
      port: server.port,
      user: DATABASE,
      database: DATABASE,
      ssl: false,
      application_name: `hpc-billing lease of process ${process.pid}`,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      stream: () => socket,
    });
    // Without a listener it would end the process. What broke the connection between two queries is told here only.
    let broken: Error | undefined;
    client.on("error", (error) => {
      broken ??= error;
    });
    const lease = new Lease(client, socket);
    try {
      await client.connect();
      if (await lease.#ask("pg_try_advisory_lock_shared")) {
        // A lease alone does not keep the process alive.
        socket.unref();
        return { kind: "leased", lease };
      }
      await lease.end();
      return { kind: "busy", reason: "its last user is stopping it" };
    } catch (error) {
      socket.destroy();
      return explain(broken ?? error, pgData);
    }
  }

  /** Gives the share back. True when nobody else holds one; then nobody gets one until this connection ends. */
  async isLast(): Promise<boolean> {
    this.#socket.ref();
    await this.#ask("pg_advisory_unlock_shared");
    return this.#ask("pg_try_advisory_lock");
  }

  async end(): Promise<void> {
    this.#socket.ref();
    await this.#client.end().catch(() => undefined);
    this.#socket.destroy();
  }

  async #ask(lockFunction: string): Promise<boolean> {
    const answer = await this.#client.query<{ yes: boolean | null }>(`SELECT ${lockFunction}($1) AS yes`, [LEASE_LOCK]);
    return answer.rows[0]?.yes === true;
  }
}

function explain(error: unknown, pgData: string): Attempt {
  const errno = errnoOf(error) ?? "";
  if (errno === "ENOENT" || errno === "ECONNREFUSED") return { kind: "absent" };
  const isPassing =
    PASSING_STATES.has(errno) || PASSING_ERRNOS.has(errno) || messageOf(error).startsWith("Connection terminated");
  if (isPassing) return { kind: "busy", reason: messageOf(error) };
  throw new UpstreamError(`the PostgreSQL that runs on ${pgData} cannot be used: ${messageOf(error)}`, {
    cause: error,
  });
}

/**
 * Holds a lease for as long as the server lives. When a backend crashes the server ends all connections and recovers:
 * then the lease is taken again, or another process would take itself for the last user and stop the server.
 */
export class LeaseKeeper {
  readonly #pgData: string;
  #lease: Lease;
  #released = false;
  /** Settled when the server is gone, whoever ended it, or the lease was given back. */
  readonly exited: Promise<void>;

  constructor(pgData: string, lease: Lease) {
    this.#pgData = pgData;
    this.#lease = lease;
    this.exited = this.#keep();
  }

  async #keep(): Promise<void> {
    for (;;) {
      await this.#lease.ended;
      const next = this.#released ? undefined : await this.#again();
      if (next === undefined) return;
      this.#lease = next;
    }
  }

  async #again(): Promise<Lease | undefined> {
    while (!this.#released && runningPostmaster(this.#pgData) !== undefined) {
      const attempt = await Lease.attempt(this.#pgData).catch(() => undefined);
      if (attempt?.kind === "leased") return this.#keepUnlessReleased(attempt.lease);
      await sleep(POLL_MS);
    }
    return undefined;
  }

  async #keepUnlessReleased(lease: Lease): Promise<Lease | undefined> {
    if (!this.#released) return lease;
    await lease.end();
    return undefined;
  }

  /** Gives the lease back; calls `stop` when there is no other user, and keeps newcomers waiting meanwhile. */
  async release(stop: () => Promise<void>): Promise<void> {
    this.#released = true;
    // A server that is gone, or does not answer, needs no goodbye.
    const isLast = await this.#lease.isLast().catch(() => false);
    try {
      if (isLast) await stop();
    } finally {
      await this.#lease.end();
    }
  }
}

import type { LightMyRequestResponse } from "fastify";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import pino from "pino";
import { auditWriter } from "../../src/audit/store.ts";
import { systemClock } from "../../src/clock.ts";
import { loadConfig } from "../../src/config.ts";
import { openPool } from "../../src/db/connection.ts";
import { Database } from "../../src/db/database.ts";
import { createUser } from "../../src/identity/index.ts";
import { createMetrics } from "../../src/web/plugins/metrics.ts";
import type { App, RouteModule } from "../../src/web/route-kit.ts";
import { createServer } from "../../src/web/server.ts";
import { createTestDatabase } from "../support/database.ts";

export const PASSWORD = "correct horse battery";
export const PRODUCTION = { APP_ENV: "production", SECRET_KEY: "0123456789abcdef0123456789abcdef" };

export interface Harness {
  readonly app: App;
  readonly db: Database;
  /** Everything that was logged. */
  readonly log: () => string;
  browser(): Browser;
  close(): Promise<void>;
}

export interface HarnessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly routes?: readonly RouteModule[];
  readonly requestsPerMinute?: number;
}

/** A whole server on a database of its own, with the users alice, bob and root (an admin). */
export async function startHarness({
  env = {},
  routes = [],
  requestsPerMinute = 100_000,
}: HarnessOptions = {}): Promise<Harness> {
  const database = await createTestDatabase();
  const config = loadConfig({ SEED_DEMO_USERS: "0", ...env });
  const pool = openPool(database.url, { max: 10, onIdleError: () => undefined });
  const db = new Database(pool, auditWriter(config.auditKeyring, systemClock));
  for (const username of ["alice", "bob", "root"]) {
    await createUser(
      db,
      systemClock,
      { actor: "test" },
      { username, password: PASSWORD, role: username === "root" ? "admin" : "user" },
    );
  }
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: unknown, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const publicDir = makePublicDir();
  const app = await createServer({
    config,
    db,
    clock: systemClock,
    logger: pino({ level: "debug" }, sink),
    metrics: createMetrics({ db, version: "1.2.3", appEnv: config.appEnv }),
    manifest: { script: "app-AAAA1111.js", style: "app-BBBB2222.css", icon: "icon-CCCC3333.svg" },
    publicDir,
    routes,
    version: "1.2.3",
    requestsPerMinute,
  });
  return {
    app,
    db,
    log: () => lines.join(""),
    browser: () => new Browser(app),
    async close() {
      await app.close();
      await db.close().catch(() => undefined);
      await database.drop();
      rmSync(publicDir, { recursive: true, force: true });
    },
  };
}

function makePublicDir(): string {
  const folder = mkdtempSync(join(tmpdir(), "public-"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "app-AAAA1111.js"), `export const long = "${"x".repeat(5_000)}";\n`);
  return folder;
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly remoteAddress?: string;
}

/** Keeps cookies, fills in forms. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  async get(url: string, { headers = {}, remoteAddress = "192.0.2.1" }: Sent = {}): Promise<LightMyRequestResponse> {
    return this.#keep(
      await this.#app.inject({
        method: "GET",
        url,
        remoteAddress,
        headers: { accept: "text/html", cookie: this.#cookieHeader(), ...headers },
      }),
    );
  }

  /** Posts a form exactly as given. */
  async post(
    url: string,
    form: Readonly<Record<string, string>>,
    { headers = {}, remoteAddress = "192.0.2.1" }: Sent = {},
  ): Promise<LightMyRequestResponse> {
    const payload = new URLSearchParams(form).toString();
    const sent = {
      accept: "text/html",
      cookie: this.#cookieHeader(),
      "content-type": "application/x-www-form-urlencoded",
      ...headers,
    };
    return this.#keep(await this.#app.inject({ method: "POST", url, remoteAddress, headers: sent, payload }));
  }

  /** The CSRF token of a page. */
  async token(page = "/login"): Promise<string> {
    return /name="csrf_token" value="([^"]+)"/.exec((await this.get(page)).body)?.[1] ?? "";
  }

  async login(
    username: string,
    options: { password?: string; next?: string; remoteAddress?: string } = {},
  ): Promise<LightMyRequestResponse> {
    const { password = PASSWORD, next, ...sent } = options;
    const form = { username, password, csrf_token: await this.token(), ...(next !== undefined && { next }) };
    return this.post("/login", form, sent);
  }

  #cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  #keep(response: LightMyRequestResponse): LightMyRequestResponse {
    for (const { name, value, maxAge } of response.cookies) {
      if (maxAge === 0) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }
}

/** The console and everything it leads to, on a database of its own, with a clock that stands still. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LightMyRequestResponse } from "fastify";
import pino from "pino";
import { loadConfig } from "../../src/config.ts";
import { createUser } from "../../src/identity/index.ts";
import type { TaxRule } from "../../src/rating/tax.ts";
import { createMetrics } from "../../src/web/plugins/metrics.ts";
import type { App, AssetManifest, RouteModule } from "../../src/web/route-kit.ts";
import { adminRoutes, type AdminDeps, type SyncRequests } from "../../src/web/routes/admin.tsx";
import { formulaRoutes } from "../../src/web/routes/formula.ts";
import { meRoutes } from "../../src/web/routes/me.tsx";
import { documentRoutes } from "../../src/web/routes/documents.tsx";
import { receiptRoutes } from "../../src/web/routes/receipts.tsx";
import { createServer } from "../../src/web/server.ts";
import type { Database } from "../../src/db/database.ts";
import type { Reports } from "../../src/db/reports.ts";
import { createTestContext, TEST_KEYRING, type TestContext } from "../support/context.ts";
import { Browser, PASSWORD } from "./server-harness.ts";

/** One route of the console, as it was registered. */
export interface AdminRoute {
  readonly method: string;
  readonly url: string;
}

export interface AdminSite extends TestContext {
  readonly app: App;
  readonly routes: readonly AdminRoute[];
  /** Somebody who is signed in: alice, bob, or root (an admin). */
  browserOf(username: string): Promise<Browser>;
  /** An admin, and a POST that carries the token. */
  readonly root: {
    get(url: string): Promise<LightMyRequestResponse>;
    post(url: string, form?: Readonly<Record<string, string>>): Promise<LightMyRequestResponse>;
    readonly browser: Browser;
  };
}

export interface AdminSiteOptions {
  /** Where reports are read; the database itself unless told. */
  readonly reports?: (db: Database) => Reports;
  readonly now?: string;
  readonly tax?: TaxRule | null;
  readonly env?: Readonly<Record<string, string>>;
  readonly syncs?: SyncRequests;
  readonly startReconcile?: AdminDeps["startReconcile"];
  /** Built files, for a real browser. */
  readonly built?: { readonly publicDir: string; readonly manifest: AssetManifest };
}

const NO_FILES: AssetManifest = { script: "app.js", style: "app.css", icon: "icon.svg" };

/** A queue that takes every request and does nothing with it. */
const NO_SYNCS: SyncRequests = { keyOf: (cluster) => cluster, request: () => Promise.resolve(true) };

/** It is noon of 20 November 2026 in Bangkok unless told otherwise. */
export async function startAdminSite({
  now = "2026-11-20T05:00:00Z",
  tax = null,
  env = {},
  syncs = NO_SYNCS,
  startReconcile = () => Promise.resolve(),
  built,
  reports,
}: AdminSiteOptions = {}): Promise<AdminSite> {
  const context = await createTestContext({ now, tax });
  const { db, clock, days } = context;
  const config = loadConfig({ SEED_DEMO_USERS: "0", ...env });
  for (const username of ["alice", "bob", "root"]) {
    await createUser(
      db,
      clock,
      { actor: "test" },
      { username, password: PASSWORD, role: username === "root" ? "admin" : "user" },
    );
  }
  const routes: AdminRoute[] = [];
  const watched =
    (module: RouteModule): RouteModule =>
    (app, ctx) => {
      app.addHook("onRoute", ({ method, url }) => {
        routes.push(...[method].flat().map((one) => ({ method: one, url })));
      });
      return module(app, ctx);
    };
  const folder = mkdtempSync(join(tmpdir(), "public-"));
  const app = await createServer({
    config,
    db,
    ...(reports !== undefined && { reports: reports(db) }),
    clock,
    logger: pino({ level: "silent" }),
    metrics: createMetrics({ db, version: "1.2.3", appEnv: config.appEnv }),
    manifest: built?.manifest ?? NO_FILES,
    publicDir: built?.publicDir ?? folder,
    routes: [
      watched(
        adminRoutes({
          billing: context,
          payments: context.payments,
          prices: context,
          days,
          keyring: TEST_KEYRING,
          syncs,
          startReconcile,
        }),
      ),
      formulaRoutes({ prices: context }),
      meRoutes({ billing: context, days }),
      receiptRoutes({ takesPayments: true, promptPay: config.payments.promptPay }),
      documentRoutes({ days, promptPay: config.payments.promptPay }),
    ],
    version: "1.2.3",
    requestsPerMinute: 100_000,
  });
  const browserOf = async (username: string): Promise<Browser> => {
    const browser = new Browser(app);
    await browser.login(username);
    return browser;
  };
  const browser = await browserOf("root");
  const token = await browser.token("/admin");
  return {
    ...context,
    app,
    routes,
    browserOf,
    root: {
      browser,
      get: (url) => browser.get(url),
      post: (url, form = {}) => browser.post(url, { ...form, csrf_token: token }),
    },
    async close() {
      await app.close();
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The text of a page without its markup. */
export function textOf({ body }: { readonly body: string }): string {
  return body
    .replaceAll(/<(?:script|style|title)[^>]*>[\s\S]*?<\/\w+>/gu, " ")
    .replaceAll(/<[^>]+>/gu, " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&amp;", "&")
    .replaceAll(/\s+/gu, " ");
}

/** Rows of a CSV file by its header. */
export function csvRows(text: string): Record<string, string>[] {
  const [header = "", ...lines] = text.trim().split("\r\n");
  const names = header.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((cell, index) => [names[index] ?? "", cell])));
}

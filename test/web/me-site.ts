/** The whole site of the researcher's pages on a database of its own, with a clock that stands still. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { Writable } from "node:stream";
import type { TaxRule } from "../../src/rating/tax.ts";
import { loadConfig } from "../../src/config.ts";
import { createUser } from "../../src/identity/index.ts";
import type { PaymentContext } from "../../src/payments/context.ts";
import { createMetrics, type Metrics } from "../../src/web/plugins/metrics.ts";
import type { App, AssetManifest } from "../../src/web/route-kit.ts";
import { meRoutes } from "../../src/web/routes/me.tsx";
import { paymentRoutes } from "../../src/web/routes/payments.tsx";
import { playgroundRoutes } from "../../src/web/routes/playground.tsx";
import { documentRoutes } from "../../src/web/routes/documents.tsx";
import { receiptRoutes } from "../../src/web/routes/receipts.tsx";
import { createServer } from "../../src/web/server.ts";
import { createTestContext, WEBHOOK_SECRET, type TestContext } from "../support/context.ts";
import { Browser, PASSWORD } from "./server-harness.ts";

export const VAT: TaxRule = { label: "VAT", rateMicro: 70_000n, inclusive: false };

export interface MeSite extends TestContext {
  readonly app: App;
  readonly metrics: Metrics;
  /** Everything that was logged. */
  readonly log: () => string;
  /** Somebody who is signed in. */
  browserOf(username: string): Promise<Browser>;
}

export interface MeSiteOptions {
  readonly now?: string;
  readonly tax?: TaxRule | null;
  readonly env?: Readonly<Record<string, string>>;
  /** How payments are taken; the built-in provider unless told otherwise. */
  readonly payments?: (context: TestContext) => PaymentContext;
  /** Built files, for a real browser. */
  readonly built?: { readonly publicDir: string; readonly manifest: AssetManifest };
}

const NO_FILES: AssetManifest = { script: "app.js", style: "app.css", icon: "icon.svg" };

/** Users alice, bob and root (an admin); it is noon of 31 October 2026 in Bangkok unless told otherwise. */
export async function startMeSite({
  now = "2026-10-31T05:00:00Z",
  tax = VAT,
  env = {},
  payments = (context) => context.payments,
  built,
}: MeSiteOptions = {}): Promise<MeSite> {
  const context = await createTestContext({ now, tax });
  const { db, clock } = context;
  const config = loadConfig({ SEED_DEMO_USERS: "0", PAYMENT_WEBHOOK_SECRET: WEBHOOK_SECRET, ...env });
  for (const username of ["alice", "bob", "root"]) {
    await createUser(
      db,
      clock,
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
  const metrics = createMetrics({ db, version: "1.2.3", appEnv: config.appEnv });
  const folder = built === undefined ? mkdtempSync(join(tmpdir(), "public-")) : undefined;
  const app = await createServer({
    config,
    db,
    clock,
    logger: pino({ level: "debug" }, sink),
    metrics,
    manifest: built?.manifest ?? NO_FILES,
    publicDir: built?.publicDir ?? folder ?? "",
    routes: [
      meRoutes({ billing: context, days: context.days }),
      receiptRoutes({ takesPayments: true, promptPay: config.payments.promptPay }),
      documentRoutes({ days: context.days, promptPay: config.payments.promptPay }),
      paymentRoutes({ payments: payments(context) }),
      playgroundRoutes({ billing: context }),
    ],
    version: "1.2.3",
    requestsPerMinute: 100_000,
  });
  return {
    ...context,
    app,
    metrics,
    log: () => lines.join(""),
    async browserOf(username) {
      const browser = new Browser(app);
      await browser.login(username);
      return browser;
    },
    async close() {
      await app.close();
      await context.close();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A page's words, without its markup. */
export function textOf(html: string): string {
  const words = html
    .replaceAll(/<[^>]+>/gu, " ")
    .replaceAll("&#39;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
  return words.replaceAll(/\s+/gu, " ");
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { checkAudit } from "./audit/verify.ts";
import { startBackground, type BackgroundTask } from "./background.ts";
import { prepareFirstStart, type FirstStart } from "./first-start.ts";
import { purgeExpired } from "./identity/index.ts";
import { PROJECT_ROOT } from "./project-root.ts";
import { closeCheckouts } from "./payments/close.ts";
import { workOnDeliveries } from "./payments/deliveries.ts";
import { sendRefunds } from "./payments/refunds.ts";
import { startQueue, type WorkQueue } from "./queue.ts";
import { openServices, type Services, type WiredServices } from "./services.ts";
import { queueTasks, reconcileRequests, requestFirstSyncs, syncRequests } from "./tasks.ts";
import { traced } from "./telemetry/tracing.ts";
import { repriceAll } from "./usage/prices/reprice.ts";
import { createMetrics, type Metrics } from "./web/plugins/metrics.ts";
import { adminRoutes } from "./web/routes/admin.tsx";
import { documentRoutes } from "./web/routes/documents.tsx";
import { formulaRoutes } from "./web/routes/formula.ts";
import { meRoutes } from "./web/routes/me.tsx";
import { paymentRoutes } from "./web/routes/payments.tsx";
import { playgroundRoutes } from "./web/routes/playground.tsx";
import { receiptRoutes } from "./web/routes/receipts.tsx";
import { createServer, type App } from "./web/server.ts";

const MINUTE_MS = 60_000;

/** Load balancers need a moment to see that this replica is leaving. */
const PRODUCTION_NOTICE_MS = 3_000;

const manifestSchema = z.object({
  script: z.string(),
  style: z.string(),
  icon: z.string(),
  fonts: z.array(z.string()).default([]),
});

/** A server that listens. */
export interface Running {
  readonly url: string;
  readonly firstStart: FirstStart;
  readonly services: Services;
  /** Settles when the embedded database has gone for good; the process should end then. */
  readonly databaseExited: Promise<void>;
  /** Finishes what is under way and closes everything; safe to call twice. */
  stop(): Promise<void>;
}

/** Opens the services, starts the web server and the background work. */
export async function start(env: Readonly<Record<string, string | undefined>>): Promise<Running> {
  const services = await openServices({ env, role: "serve" });
  const { config, logger } = services;
  try {
    for (const warning of config.warnings) logger.warn(warning);
    const firstStart = await prepareFirstStart(services, PROJECT_ROOT);
    const metrics = await newMetrics(services);
    const tasks = queueTasks(services).map((task) => traced(metrics.tasks.measured(task), services.tracing));
    const queue = await startQueue({
      databaseUrl: services.databaseUrl,
      timeZone: config.siteTz,
      logger,
      tasks,
    });
    metrics.watchQueue(tasks.map(({ name }) => name));
    const { app } = await webServer(services, queue, metrics);
    await app.listen({ host: config.host, port: config.port });
    await requestFirstSyncs(services, queue);
    const background = startBackground(
      backgroundTasks(services, metrics).map((task) => traced(metrics.tasks.measured(task), services.tracing)),
      logger,
    );
    let stopping: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      await app.drain({ noticeMs: config.appEnv === "production" ? PRODUCTION_NOTICE_MS : 0 });
      await Promise.all([background.stop(), queue.stop()]);
      await services.close();
    };
    return {
      url: addressOf(app, config.host),
      firstStart,
      services,
      databaseExited: services.databaseExited,
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await services.close();
    throw error;
  }
}

/** The web server with all routes, not yet listening. */
export async function webServer(
  services: WiredServices,
  queue: Pick<WorkQueue, "send">,
  given?: Metrics,
): Promise<{ app: App; metrics: Metrics }> {
  const { config, db, reports, clock, logger, days, billing, payments, importing } = services;
  const publicDir = join(PROJECT_ROOT, "dist", "public");
  const manifest = manifestSchema.parse(
    JSON.parse(await readFile(join(PROJECT_ROOT, "dist", "manifest.json"), "utf8")),
  );
  const version = await packageVersion();
  const metrics = given ?? (await newMetrics(services));
  const app = await createServer({
    config,
    db,
    reports,
    clock,
    logger,
    metrics,
    manifest,
    publicDir,
    version,
    routes: [
      meRoutes({ billing, days }),
      receiptRoutes({
        takesPayments: [...payments.providers.values()].some((one) => one.takesPayments),
        promptPay: config.payments.promptPay,
      }),
      documentRoutes({ days, promptPay: config.payments.promptPay }),
      paymentRoutes({ payments }),
      playgroundRoutes({ billing }),
      formulaRoutes({ prices: importing }),
      adminRoutes({
        billing,
        payments,
        prices: importing,
        days,
        keyring: config.auditKeyring,
        syncs: syncRequests(services, queue),
        startReconcile: reconcileRequests(queue),
      }),
    ],
  });
  return { app, metrics };
}

async function newMetrics({ db, config, logger }: WiredServices): Promise<Metrics> {
  return createMetrics({
    db,
    version: await packageVersion(),
    appEnv: config.appEnv,
    commit: config.revision,
    currency: config.currency,
    poolMax: config.databasePoolMax,
    onTrouble: (part, error) => logger.warn({ err: error, part }, "metrics cannot be read; they stay as they were"),
  });
}

function backgroundTasks(services: Services, metrics: Metrics): BackgroundTask[] {
  const { db, clock, config, importing, payments } = services;
  return [
    { name: "reprice", everyMs: 1_000, work: (signal) => repriceAll(importing, signal) },
    {
      name: "payment events",
      everyMs: 1_000,
      work: (signal) =>
        workOnDeliveries(payments, {
          signal,
          onVerdict: (_provider, { verdict }) => metrics.webhookEvents.inc({ verdict }),
        }),
    },
    { name: "refunds", everyMs: 2_000, work: (signal) => sendRefunds(payments, signal) },
    { name: "checkouts to close", everyMs: 5_000, work: (signal) => closeCheckouts(payments, signal) },
    {
      name: "audit check",
      everyMs: 60 * MINUTE_MS,
      work: async () => {
        const verdict = await checkAudit(db, config.auditKeyring, clock);
        metrics.audit.note(verdict, clock.now());
        if (!verdict.ok)
          services.logger.error({ brokenAt: verdict.brokenAt, reason: verdict.reason }, "the audit chain is broken");
      },
    },
    {
      name: "purge expired sessions",
      everyMs: 10 * MINUTE_MS,
      work: async () => {
        await purgeExpired(db, clock, config.throttle);
      },
    },
  ];
}

function addressOf(app: App, host: string): string {
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return `http://${host === "0.0.0.0" || host === "::" || host === "127.0.0.1" ? "localhost" : host}:${port}`;
}

async function packageVersion(): Promise<string> {
  const text = await readFile(join(PROJECT_ROOT, "package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

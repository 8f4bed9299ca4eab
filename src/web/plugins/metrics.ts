/** What Prometheus reads: one registry of our own, series at 0 from the start, one counter object for the features. */
import { createHash, timingSafeEqual } from "node:crypto";
import { collectDefaultMetrics, Counter, Histogram, Registry, type Gauge } from "prom-client";
import type { Database, Queries } from "../../db/database.ts";
import { UserError } from "../../errors.ts";
import type { Currency } from "../../rating/money.ts";
import { addAuditMetrics, type AuditMetrics } from "./audit-metrics.ts";
import type { App, WebContext } from "./context.ts";
import { addImportMetrics } from "./import-metrics.ts";
import { ScrapeQuestions } from "./metrics-questions.ts";
import { addMoneyMetrics } from "./money-metrics.ts";
import { addPaymentMetrics } from "./payment-metrics.ts";
import { addBuildInfo, addPoolMetrics, addReadiness, type BuildFacts } from "./process-metrics.ts";
import { addQueueMetrics } from "./queue-metrics.ts";
import { addReconcileMetrics } from "./reconcile-metrics.ts";
import { addSyncMetrics } from "./sync-metrics.ts";
import { addTaskMetrics, type TaskMetrics } from "./task-metrics.ts";

/** Every value a label can take: a series that is missing until the first event breaks rates and alerts. */
const LOGIN_RESULTS = ["succeeded", "failed", "locked"] as const;
const WEBHOOK_VERDICTS = ["applied", "replay", "ignored", "refused", "stored"] as const;

const DURATION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface Metrics {
  readonly registry: Registry;
  readonly requestSeconds: Histogram<"method" | "route" | "status">;
  readonly logins: Counter<"result">;
  readonly receiptsIssued: Counter;
  readonly webhookEvents: Counter<"verdict">;
  readonly auditChainOk: Gauge;
  readonly audit: AuditMetrics;
  readonly tasks: TaskMetrics;
  /** Adds the series of the shared queue, for a process that has one. */
  watchQueue(queues: readonly string[]): void;
}

export interface MetricsOptions extends BuildFacts {
  readonly db: Queries & Pick<Database, "poolState">;
  readonly poolMax?: number | undefined;
  readonly currency?: Currency | undefined;
  /** Told once when a part of the series can no longer be read. */
  readonly onTrouble?: (part: string, error: unknown) => void;
}

/** Makes the registry; one per process, or per test. */
export function createMetrics({ db, poolMax, currency, onTrouble, ...build }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const questions = new ScrapeQuestions({ onTrouble });
  collectDefaultMetrics({ register: registry });
  const audit = addAuditMetrics(registers);
  const metrics: Metrics = {
    registry,
    requestSeconds: new Histogram({
      name: "http_request_duration_seconds",
      help: "Time from the first byte of a request to the last of its answer",
      labelNames: ["method", "route", "status"],
      buckets: DURATION_BUCKETS_SECONDS,
      registers,
    }),
    logins: new Counter({ name: "hpc_login_total", help: "Attempts to sign in", labelNames: ["result"], registers }),
    receiptsIssued: new Counter({ name: "hpc_receipts_issued_total", help: "Receipts issued", registers }),
    webhookEvents: new Counter({
      name: "hpc_webhook_events_total",
      help: "Calls of the payment webhook by what was made of them",
      labelNames: ["verdict"],
      registers,
    }),
    auditChainOk: audit.isOk,
    audit,
    tasks: addTaskMetrics(registers),
    watchQueue: (queues) => addQueueMetrics(registers, db, { questions, queues }),
  };
  for (const result of LOGIN_RESULTS) metrics.logins.inc({ result }, 0);
  for (const verdict of WEBHOOK_VERDICTS) metrics.webhookEvents.inc({ verdict }, 0);
  addBuildInfo(registers, build);
  addPoolMetrics(registers, db, poolMax);
  addImportMetrics(registers, db, questions);
  addSyncMetrics(registers, db, questions);
  addReconcileMetrics(registers, db, questions);
  addMoneyMetrics(registers, db, { questions, currency });
  addPaymentMetrics(registers, db, questions);
  questions.addTo(registers);
  return metrics;
}

/** Measures every request by its route's pattern; addresses nobody registered share one series. */
export function measureRequests(app: App, metrics: Metrics): void {
  app.addHook("onRoute", (route) => {
    for (const method of [route.method].flat()) {
      if (method !== "HEAD") metrics.requestSeconds.zero({ method, route: route.url, status: "200" });
    }
  });
  app.addHook("onResponse", (request, reply, done) => {
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? "unmatched",
      status: String(reply.statusCode),
    };
    metrics.requestSeconds.observe(labels, reply.elapsedTime / 1_000);
    done();
  });
}

/** `GET /metrics`, for the operator's network, or for whoever has the token where one is set. */
export function metricsRoutes(app: App, { config, metrics, logger, db }: WebContext): void {
  const { enabled, token } = config.metrics;
  if (!enabled) return;
  addReadiness([metrics.registry], db, () => app.isDraining());
  if (token === null && config.appEnv === "production") {
    logger.warn("METRICS_TOKEN is not set: see to it that /metrics can be reached from inside only");
  }
  app.get(
    "/metrics",
    { config: { access: "private", stateless: true, rateLimit: false, errors: "json" } },
    async (request, reply) => {
      if (token !== null && !isBearer(request.headers.authorization, token)) {
        reply.header("www-authenticate", 'Bearer realm="metrics"');
        throw new UserError("the metrics take the header Authorization: Bearer METRICS_TOKEN", { status: 401 });
      }
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    },
  );
}

/** Digests have one length, so the comparison says nothing about the token's. */
function isBearer(header: string | undefined, token: string): boolean {
  const given = /^Bearer (.+)$/iu.exec(header ?? "")?.[1] ?? "";
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

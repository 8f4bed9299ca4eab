/** What Prometheus reads: one registry of our own, series at 0 from the start, one counter object for the features. */
import { createHash, timingSafeEqual } from "node:crypto";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { z } from "zod";
import { sql, type Database } from "../../db/database.ts";
import { UserError } from "../../errors.ts";
import type { App, WebContext } from "./context.ts";
import { addPaymentMetrics } from "./payment-metrics.ts";
import { addReconcileMetrics } from "./reconcile-metrics.ts";
import { addSyncMetrics } from "./sync-metrics.ts";

/** Every value a label can take: a series that is missing until the first event breaks rates and alerts. */
const LOGIN_RESULTS = ["succeeded", "failed", "locked"] as const;
const WEBHOOK_VERDICTS = ["applied", "replay", "ignored", "refused", "stored"] as const;
const IMPORT_OUTCOMES = ["new", "changed", "unchanged", "running", "rejected"] as const;
const POOL_STATES = ["total", "idle", "waiting"] as const;

const DURATION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface Metrics {
  readonly registry: Registry;
  readonly requestSeconds: Histogram<"method" | "route" | "status">;
  readonly logins: Counter<"result">;
  readonly receiptsIssued: Counter;
  readonly webhookEvents: Counter<"verdict">;
  readonly auditChainOk: Gauge;
}

/** Makes the registry; one per process, or per test. */
export function createMetrics(options: {
  readonly db: Pick<Database, "poolState" | "rows" | "one" | "maybeOne" | "run">;
  readonly version: string;
  readonly appEnv: string;
}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
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
    auditChainOk: new Gauge({
      name: "hpc_audit_chain_ok",
      help: "0 when the last check found the audit chain broken, else 1",
      registers,
    }),
  };
  for (const result of LOGIN_RESULTS) metrics.logins.inc({ result }, 0);
  for (const verdict of WEBHOOK_VERDICTS) metrics.webhookEvents.inc({ verdict }, 0);
  // Nothing is known to be broken before the first check; 0 would raise the alarm at every start.
  metrics.auditChainOk.set(1);
  addStateOfProcess(registers, options);
  countImports(registers, options.db);
  addSyncMetrics(registers, options.db);
  addReconcileMetrics(registers, options.db);
  addPaymentMetrics(registers, options.db);
  return metrics;
}

const importTotals = z.object({
  new: z.string(),
  changed: z.string(),
  unchanged: z.string(),
  running: z.string(),
  rejected: z.string(),
});

/** Imports run in other processes too: what they did is read from their records when somebody asks. */
function countImports(registers: Registry[], db: Pick<Database, "one">): void {
  const imported: Counter<"outcome"> = new Counter({
    name: "hpc_import_rows_total",
    help: "Jobs imported by what became of them, and rows that were rejected",
    labelNames: ["outcome"],
    registers,
    async collect() {
      const totals = await importTotalsNow(db);
      // A database that does not answer must not take the other series with it.
      if (totals === undefined) return;
      this.reset();
      for (const outcome of IMPORT_OUTCOMES) this.inc({ outcome }, Number(totals[outcome]));
    },
  });
  for (const outcome of IMPORT_OUTCOMES) imported.inc({ outcome }, 0);
}

async function importTotalsNow(db: Pick<Database, "one">): Promise<z.output<typeof importTotals> | undefined> {
  try {
    return await db.one(
      importTotals,
      sql`SELECT coalesce(sum(new), 0)::text AS new, coalesce(sum(changed), 0)::text AS changed,
                 coalesce(sum(unchanged), 0)::text AS unchanged, coalesce(sum(running), 0)::text AS running,
                 coalesce(sum(rejected), 0)::text AS rejected
          FROM import_runs`,
    );
  } catch {
    return undefined;
  }
}

function addStateOfProcess(
  registers: Registry[],
  {
    db,
    version,
    appEnv,
  }: { readonly db: Pick<Database, "poolState" | "one">; readonly version: string; readonly appEnv: string },
): void {
  const pool: Gauge<"state"> = new Gauge({
    name: "hpc_db_pool",
    help: "Database connections open and idle, and callers waiting for one",
    labelNames: ["state"],
    registers,
    collect() {
      const state = db.poolState();
      for (const name of POOL_STATES) this.set({ state: name }, state[name]);
    },
  });
  for (const state of POOL_STATES) pool.set({ state }, 0);
  const build = new Gauge({
    name: "hpc_build_info",
    help: "Always 1; its labels say what runs",
    labelNames: ["version", "node", "env"],
    registers,
  });
  build.set({ version, node: process.version, env: appEnv }, 1);
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
export function metricsRoutes(app: App, { config, metrics, logger }: WebContext): void {
  const { enabled, token } = config.metrics;
  if (!enabled) return;
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

/** Debian's real Prometheus scrapes the application, as the files of deploy/prometheus have it. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { until } from "../../support/until.ts";
import { startApplication, type Application } from "../proxy/application.ts";
import { openWorkplace, untilReady, type Workplace } from "../proxy/processes.ts";
import { alertRules, dashboardExpressions, metricsIn, PROMETHEUS, readDashboard } from "./files.ts";

const APP = 27_410;
const SCRAPER = 27_411;
const TOKEN = "token of the scraper";
/** Of Prometheus itself, and of another exporter that not everybody has. */
const FOREIGN = new Set(["up", "ALERTS", "node_filesystem_avail_bytes", "node_filesystem_size_bytes"]);

let place: Workplace;
let app: Application;

beforeAll(async () => {
  place = await openWorkplace();
  app = await startApplication(place, APP, { METRICS_TOKEN: TOKEN });
  await startPrometheus();
});

afterAll(() => place.close());

/** The files as they are, but impatient: a scrape every five seconds, and alerts that fire with the second evaluation. */
async function startPrometheus(): Promise<void> {
  const folder = join(place.folder, "prometheus");
  mkdirSync(folder);
  chmodSync(folder, 0o700);
  const config = readFileSync(join(PROMETHEUS, "prometheus.yml"), "utf8")
    .replace(/scrape_interval: \w+/u, "scrape_interval: 5s")
    .replace(/scrape_timeout: \w+/u, "scrape_timeout: 5s")
    .replace(/evaluation_interval: \w+/u, "evaluation_interval: 1s")
    .replace("127.0.0.1:8000", `127.0.0.1:${APP}`)
    .replace("127.0.0.1:9093", "127.0.0.1:27412")
    .replace("127.0.0.1:9100", "127.0.0.1:27413");
  writeFileSync(join(folder, "prometheus.yml"), config);
  const rules = readFileSync(join(PROMETHEUS, "rules.yml"), "utf8").replaceAll(/for: \w+/gu, "for: 1s");
  writeFileSync(join(folder, "rules.yml"), rules);
  writeFileSync(join(folder, "hpc-billing.token"), TOKEN);
  const prometheus = place.start("prometheus", "prometheus", [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${SCRAPER}`,
  ]);
  await untilReady(prometheus, "Prometheus is ready", async () => (await fetch(url("/-/ready"))).ok);
}

function url(path: string): string {
  return `http://127.0.0.1:${SCRAPER}${path}`;
}

async function ask<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
  const answer = await fetch(url(path));
  return schema.parse(z.object({ status: z.literal("success"), data: z.unknown() }).parse(await answer.json()).data);
}

async function query(expr: string): Promise<number> {
  const parameters = new URLSearchParams({ query: expr });
  const { result } = await ask(`/api/v1/query?${parameters.toString()}`, z.object({ result: z.array(z.unknown()) }));
  return result.length;
}

/** Names of the alerts that fire for the application. */
async function firing(): Promise<readonly string[]> {
  const alert = z.object({ state: z.string(), labels: z.object({ alertname: z.string() }) });
  const { alerts } = await ask("/api/v1/alerts", z.object({ alerts: z.array(alert) }));
  return alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels.alertname);
}

async function database<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    host: join(place.folder, "data/postgres-socket"),
    user: "hpc_billing",
    database: "hpc_billing",
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe("a Prometheus that scrapes the application", () => {
  it("finds it up, with its token", async () => {
    const target = z.object({ labels: z.object({ job: z.string() }), health: z.string(), lastError: z.string() });
    const targets = () => ask("/api/v1/targets", z.object({ activeTargets: z.array(target) }));
    const found = await until("the target is up", async () => {
      const ours = (await targets()).activeTargets.filter(({ labels }) => labels.job === "hpc-billing");
      return ours.length > 0 && ours.every(({ health }) => health === "up") && ours;
    });
    expect(found).toMatchObject([{ health: "up", lastError: "" }]);
  });

  it("gets every metric that the rules and the dashboard name", async () => {
    const answer = await fetch(`http://127.0.0.1:${APP}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const text = await answer.text();
    const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gmu)];
    const known = new Set(
      types.flatMap(([, name = "", type]) =>
        type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    const expressions = [...alertRules().map(({ expr }) => expr), ...dashboardExpressions(readDashboard())];
    const named = [...new Set(expressions.flatMap(metricsIn))].filter((name) => !FOREIGN.has(name));
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it("loads all rules and can evaluate each", async () => {
    const rule = z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() });
    const rules = z.object({ groups: z.array(z.object({ rules: z.array(rule) })) });
    const all = await until("all rules were evaluated", async () => {
      const found = (await ask("/api/v1/rules", rules)).groups.flatMap((group) => group.rules);
      return found.every(({ health }) => health !== "unknown") && found;
    });
    expect(all.map(({ name }) => name).toSorted()).toEqual(
      alertRules()
        .map(({ alert }) => alert)
        .toSorted(),
    );
    expect(all.filter(({ health }) => health !== "ok")).toEqual([]);
  });

  it("answers every question of the dashboard", async () => {
    for (const expr of dashboardExpressions(readDashboard())) await query(expr);
    expect(await query('hpc_ready{job="hpc-billing"}')).toBe(1);
    expect(await query('max(hpc_billed_minor) / on () group_left (currency) max by (currency) (hpc_minor_units_per_unit)')).toBe(1); // prettier-ignore
  });

  it("has nothing to tell of an application that is well", async () => {
    await until("nothing fires", async () => (await firing()).length === 0);
  });

  it("tells of a dead letter, and stops when somebody has set it aside", async () => {
    await database((client) =>
      client.query(
        `INSERT INTO webhook_deliveries (provider, received_at, headers, body, status, reason)
         VALUES ('dummy', now(), '{}', '', 'dead', 'a test')`,
      ),
    );
    await until("the alert fires", async () => (await firing()).includes("HpcBillingDeadLetters"));
    await database((client) => client.query("UPDATE webhook_deliveries SET status = 'dismissed'"));
    await until("nothing fires", async () => (await firing()).length === 0);
  });

  it("still gets an answer while the database hangs: the application is up, and not ready", async () => {
    const postmaster = Number(readFileSync(join(place.folder, "data/postgres/postmaster.pid"), "utf8").split("\n")[0]);
    try {
      await database(async (client) => {
        process.kill(postmaster, "SIGSTOP");
        // Connections that are open would still be served; new ones hang.
        await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); // prettier-ignore
      });
      await until("the alert fires", async () => (await firing()).includes("HpcBillingNotReady"), 60_000);
      expect(await firing()).not.toContain("HpcBillingDown");
    } finally {
      process.kill(postmaster, "SIGCONT");
    }
    await until("it is ready again", async () => !(await firing()).includes("HpcBillingNotReady"), 60_000);
  });

  it("tells that the application has gone", async () => {
    await app.started.stop();
    await until("the alert fires", async () => (await firing()).includes("HpcBillingDown"), 60_000);
  });
});

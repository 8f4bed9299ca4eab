import { once } from "node:events";
import { createServer, get, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { sql, type Database } from "../../src/db/database.ts";
import { traced } from "../../src/telemetry/tracing.ts";
import type { RouteModule } from "../../src/web/server.ts";
import { until } from "../support/until.ts";
import { startCollector, type Collector, type ReceivedSpan } from "./collector.ts";
import { startTracedSite, type TracedSite } from "./site.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const HEADER_KEY = "key-of-the-collector";
const VALUE = "a-value-of-somebody";
const PROXIED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const access = { access: "public", stateless: true } as const;
const row = z.object({ found: z.string() });

let collector: Collector;
let provider: Server;
let providerUrl: string;
let site: TracedSite;

function routes(db: Database): RouteModule {
  return (app) => {
    app.get("/trial/:name", { config: access }, async (request) => {
      request.log.info("in the middle of it");
      await db.rows(row, sql`SELECT ${VALUE}::text AS found`);
      await db.transaction(async (tx) => {
        await tx.run(sql`UPDATE clusters SET name = ${VALUE} WHERE name = ${VALUE}`);
      });
      await fetch(`${providerUrl}/v1/charges/${SECRET}?key=${VALUE}`, { headers: { authorization: SECRET } });
      await new Promise((resolve, reject) => {
        get(`${providerUrl}/slurm/jobs?user=${VALUE}`, (answer) => answer.resume().once("end", resolve)).once(
          "error",
          reject,
        );
      });
      return { ok: true };
    });
    app.get("/trial/broken", { config: access }, async () => db.rows(row, sql`SELECT ${VALUE}::int AS found`));
  };
}

beforeAll(async () => {
  collector = await startCollector();
  provider = createServer((_request, response) => response.end("{}")).listen(0, "127.0.0.1");
  await once(provider, "listening");
  const address = provider.address();
  providerUrl = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  site = await startTracedSite(environment(), routes);
});

afterAll(async () => {
  await site.close();
  await collector.close();
  provider.closeAllConnections();
  provider.close();
});

function environment(more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return {
    SECRET_KEY: SECRET,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${HEADER_KEY}`,
    TRUST_PROXY: "loopback",
    ...more,
  };
}

const lineSchema = z.looseObject({ msg: z.string(), requestId: z.string().optional(), traceId: z.string().optional() });

/** What the log says of a request, when it has ended. */
function linesOf(requestId: string): Promise<readonly z.output<typeof lineSchema>[]> {
  return until("the request is logged", () => {
    const all = site.lines.map((line) => lineSchema.parse(JSON.parse(line)));
    const ours = all.filter((line) => line.requestId === requestId);
    return ours.some(({ msg }) => msg === "request") && ours;
  });
}

let requests = 0;

/** Asks, and gives what the collector got of it. */
async function traceOf(path: string, more: Readonly<Record<string, string>> = {}): Promise<readonly ReceivedSpan[]> {
  const headers = { "x-request-id": `request-${++requests}`, ...more };
  await (await fetch(`${site.url}${path}`, { headers })).text();
  const line = (await linesOf(headers["x-request-id"])).find(({ msg }) => msg === "request");
  return until("the trace has come", () => {
    const ours = collector.spans.filter(({ traceId }) => traceId === line?.traceId);
    return ours.some(({ kind }) => kind === 2) && ours;
  });
}

describe("a trace of a request", () => {
  it("has its statements and its calls to others as children, under the route's pattern", async () => {
    const spans = await traceOf(`/trial/${VALUE}`);
    const server = spans.find(({ kind }) => kind === 2);
    expect(server?.name).toBe("GET /trial/:name");
    expect(server?.parentSpanId).toBeUndefined();
    expect(server?.attributes).toMatchObject({ "http.route": "/trial/:name", "http.response.status_code": 200 });
    const children = spans.filter(({ parentSpanId }) => parentSpanId === server?.spanId);
    expect(children.map(({ name }) => name).toSorted()).toEqual(["BEGIN", "COMMIT", "GET", "GET", "SELECT", "UPDATE"]);
    expect(children.find(({ name }) => name === "SELECT")?.attributes).toMatchObject({
      "db.system.name": "postgresql",
      "db.query.text": "SELECT $1::text AS found",
      "db.response.returned_rows": 1,
    });
    const paths = children.flatMap(({ attributes }) => attributes["url.path"] ?? []);
    expect(paths.map(String).toSorted()).toEqual(["/slurm/jobs", "/v1/charges/[redacted]"]);
    expect(collector.services).toEqual(new Set(["hpc-billing"]));
  });

  it("stands in every line that the log has of the request", async () => {
    const [span] = await traceOf(`/trial/${VALUE}`, { "x-request-id": "req-of-lines" });
    const lines = await linesOf("req-of-lines");
    expect(lines.map(({ msg }) => msg)).toEqual(["in the middle of it", "request"]);
    expect(lines.map(({ traceId }) => traceId)).toEqual(lines.map(() => span?.traceId));
  });

  it("says that it failed, and by which kind of error, and nothing of what the error says", async () => {
    const spans = await traceOf("/trial/broken");
    const server = spans.find(({ kind }) => kind === 2);
    expect(server).toMatchObject({ hasFailed: true, attributes: { "http.response.status_code": 500 } });
    const statement = spans.find(({ name }) => name === "SELECT");
    expect(statement).toMatchObject({ hasFailed: true, attributes: { "error.type": "22P02" } });
  });

  it("goes on where a trusted proxy began it", async () => {
    const spans = await traceOf(`/trial/${VALUE}`, { traceparent: PROXIED });
    expect(spans.find(({ kind }) => kind === 2)).toMatchObject({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      parentSpanId: "b7ad6b7169203331",
    });
  });

  it("is a new one when what came is no traceparent", async () => {
    for (const traceparent of ["00-00000000000000000000000000000000-b7ad6b7169203331-01", "nonsense"]) {
      const spans = await traceOf(`/trial/${VALUE}`, { traceparent });
      expect(spans.find(({ kind }) => kind === 2)?.parentSpanId).toBeUndefined();
    }
  });

  it("is not made of probes and files, which would drown the rest", async () => {
    for (const path of ["/healthz", "/metrics", "/assets/none.css"]) await fetch(`${site.url}${path}`);
    await traceOf(`/trial/${VALUE}`);
    const routesSeen = collector.spans.map(({ attributes }) => String(attributes["http.route"]));
    expect(routesSeen.filter((route) => /healthz|metrics|assets/u.test(route))).toEqual([]);
  });
});

describe("a trace of background work", () => {
  const task = (work: () => Promise<void>, name: string) => traced({ name, work }, site.tracing);

  it("is kept when something was changed, and not when a look found nothing to do", async () => {
    await task(async () => void (await site.db.rows(row, sql`SELECT 'nothing' AS found`)), "idle").work();
    await task(async () => {
      await site.db.run(sql`INSERT INTO clusters (name, first_seen_at) VALUES (${VALUE}, now())`);
    }, "busy").work();
    const busy = await collector.span("task busy");
    const statement = collector.spans.find(({ parentSpanId }) => parentSpanId === busy.spanId);
    expect(statement).toMatchObject({ name: "INSERT", traceId: busy.traceId });
    expect(collector.spans.map(({ name }) => name)).not.toContain("task idle");
  });

  it("is kept when it failed", async () => {
    const failing = task(() => Promise.reject(new Error(`of ${VALUE}`)), "failing");
    await expect(failing.work()).rejects.toThrow(VALUE);
    expect(await collector.span("task failing")).toMatchObject({
      hasFailed: true,
      attributes: { "error.type": "Error" },
    });
  });
});

describe("traces", () => {
  it("hold no value of a statement, no query of an address, and no secret but the collector's own key", () => {
    const all = collector.raw.join("\n");
    expect(all).toContain(`"x-api-key":"${HEADER_KEY}"`);
    expect(all.includes(VALUE)).toBe(false);
    expect(all.includes(SECRET)).toBe(false);
    expect(all.split(HEADER_KEY).length - 1).toBe(collector.raw.length);
  });

  it("that cannot be sent harm no request, and are told of once", async () => {
    const lonely = await startTracedSite(environment({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" }), routes);
    try {
      const ask = async (): Promise<number> => (await fetch(`${lonely.url}/trial/${VALUE}`)).status;
      expect(await ask()).toBe(200);
      await until("it is told of", () => lonely.troubles.length > 0);
      expect(await ask()).toBe(200);
    } finally {
      await lonely.close();
    }
    expect(lonely.troubles).toHaveLength(1);
  });

  it("end with the process also where the collector never answers", async () => {
    collector.answer = "never";
    const patient = await startTracedSite(environment(), routes);
    try {
      expect((await fetch(`${patient.url}/trial/${VALUE}`)).status).toBe(200);
    } finally {
      await patient.close();
      collector.answer = 200;
    }
  });

  it("take nobody's word for where they began but a proxy's", async () => {
    await site.close();
    site = await startTracedSite(environment({ TRUST_PROXY: "10.0.0.0/8" }), routes);
    const spans = await traceOf(`/trial/${VALUE}`, { traceparent: PROXIED });
    expect(spans.find(({ kind }) => kind === 2)?.parentSpanId).toBeUndefined();
  });
});

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { UpstreamError, UserError } from "../../src/errors.ts";
import { currentUser, receiveRawBodies, requireAdmin, type App, type RouteModule } from "../../src/web/route-kit.ts";
import { PRODUCTION, startHarness, type Harness } from "./server-harness.ts";

const CSP = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'";

/** What `/trial/slow` says, and what it waits for. */
const slowArrived = Promise.withResolvers<void>();
const slowMayEnd = Promise.withResolvers<void>();

/** Routes as a feature would write them, with everything that can happen in them. */
const trial: RouteModule = (app, { db }) => {
  app.get("/trial/bug", { config: { access: "public" } }, () => {
    throw new Error("secret detail of a bug");
  });
  app.get("/trial/bug.json", { config: { access: "public" } }, () => {
    throw new Error("secret detail of a bug");
  });
  app.get("/trial/wrong", { config: { access: "public" } }, () => {
    throw new UserError("the day takes YYYY-MM-DD", { status: 422 });
  });
  app.get("/trial/upstream", { config: { access: "public" } }, () => {
    throw new UpstreamError("secret detail of slurmrestd");
  });
  app.get(
    "/trial/list",
    {
      config: { access: "public" },
      schema: {
        tags: ["trial"],
        summary: "A list",
        querystring: z.object({ size: z.coerce.number().int().max(100).describe("Rows a page") }),
        response: { 200: z.object({ size: z.number() }) },
      },
    },
    (request) => ({ size: request.query.size }),
  );
  app.get("/trial/long", { config: { access: "public" } }, (_request, reply) =>
    reply.type("text/csv").send("a,b\n".repeat(1_000)),
  );
  app.get("/trial/cached", { config: { access: "public" } }, (_request, reply) =>
    reply.header("cache-control", "private, max-age=60").send("ok"),
  );
  app.get("/trial/user", { config: { access: "user" } }, (request) => ({ name: currentUser(request)?.username }));
  app.get("/trial/admin", { config: { access: "admin" } }, (request) => ({ name: requireAdmin(request).username }));
  app.post("/trial/body", { config: { access: "provider", errors: "json" } }, () => ({ ok: true }));
  app.get("/trial/slow", { config: { access: "public", stateless: true } }, async () => {
    slowArrived.resolve();
    await slowMayEnd.promise;
    return { done: true };
  });
  app.get("/trial/where", { config: { access: "public" } }, (request) => ({
    ip: request.ip,
    pool: db.poolState().total >= 0,
  }));
};

const webhook: RouteModule = (app) => {
  receiveRawBodies(app);
  app.post("/trial/webhook", { config: { access: "provider", errors: "json" } }, (request) => ({
    bytes: Buffer.isBuffer(request.body) ? request.body.toString("hex") : "none",
  }));
};

let site: Harness;
let app: App;
beforeAll(async () => {
  site = await startHarness({ routes: [trial, webhook] });
  app = site.app;
});
afterAll(() => site.close());

describe("every answer", () => {
  it.each([
    ["a page", "/login", 200],
    ["an address that does not exist", "/nowhere", 404],
    ["a bug", "/trial/bug", 500],
    ["a file", "/assets/app-AAAA1111.js", 200],
    ["a file that does not exist", "/assets/nothing.js", 404],
    ["a redirect", "/trial/user", 302],
    ["a probe", "/healthz", 200],
    ["an address nobody can read", "/%zz", 400],
  ])("has the security headers: %s", async (_what, url, status) => {
    const { statusCode, headers } = await app.inject({ url, headers: { accept: "text/html" } });
    expect(statusCode).toBe(status);
    expect(headers).toMatchObject({
      "content-security-policy": CSP,
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "same-origin",
    });
    expect(headers["strict-transport-security"]).toBeUndefined();
  });

  it("is kept by nobody, unless it says so or is a file named after its content", async () => {
    expect((await app.inject("/login")).headers["cache-control"]).toBe("no-store");
    expect((await app.inject("/nowhere")).headers["cache-control"]).toBe("no-store");
    expect((await app.inject("/assets/nothing.js")).headers["cache-control"]).toBe("no-store");
    expect((await app.inject("/trial/cached")).headers["cache-control"]).toBe("private, max-age=60");
    expect((await app.inject("/assets/app-AAAA1111.js")).headers["cache-control"]).toBe(
      "public, max-age=31536000, immutable",
    );
  });

  it("is compressed when it is long text and the client can read it", async () => {
    for (const encoding of ["br", "gzip"]) {
      const answer = await app.inject({ url: "/trial/long", headers: { "accept-encoding": encoding } });
      expect(answer.headers["content-encoding"]).toBe(encoding);
      expect(answer.headers["content-security-policy"]).toBe(CSP);
    }
    expect((await app.inject("/trial/long")).headers["content-encoding"]).toBeUndefined();
  });

  it("carries the id of its request, the proxy's own where it is sane", async () => {
    expect((await app.inject("/healthz")).headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(
      (await app.inject({ url: "/healthz", headers: { "x-request-id": "edge-7.42" } })).headers["x-request-id"],
    ).toBe("edge-7.42");
    for (const strange of ["", "a b", "x".repeat(65), '{"level":"fatal"}']) {
      expect(
        (await app.inject({ url: "/healthz", headers: { "x-request-id": strange } })).headers["x-request-id"],
      ).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});

describe("files", () => {
  it("come from the public folder only", async () => {
    for (const url of [
      "/assets/../package.json",
      "/assets/%2e%2e/package.json",
      "/assets/..%2fpackage.json",
      "/assets/",
      "/assets/.env",
    ]) {
      expect([400, 403, 404]).toContain((await app.inject(url)).statusCode);
    }
  });
});

describe("a route", () => {
  it("that does not say who may call it keeps the server from starting", async () => {
    const forgetful: RouteModule = (scope) => {
      scope.get("/forgotten", () => "anyone?");
    };
    await expect(startHarness({ routes: [forgetful] })).rejects.toThrow("GET /forgotten does not say who may call it");
  });

  it("for users sends an anonymous visitor to sign in, and scripts a 401", async () => {
    const page = await app.inject({ url: "/trial/user?a=1&b=2", headers: { accept: "text/html" } });
    expect(page.statusCode).toBe(302);
    expect(page.headers.location).toBe("/login?next=%2Ftrial%2Fuser%3Fa%3D1%26b%3D2");
    const script = await app.inject({ url: "/trial/user", headers: { accept: "application/json" } });
    expect(script.statusCode).toBe(401);
    expect(script.json()).toMatchObject({ code: 401, error: expect.stringContaining("Sign in") });
    expect((await site.browser().post("/account/password", {})).statusCode).toBe(401);
  });

  it("for admins is closed to users", async () => {
    const [alice, root] = [site.browser(), site.browser()];
    await alice.login("alice");
    await root.login("root");
    const refused = await alice.get("/trial/admin");
    expect(refused.statusCode).toBe(403);
    expect(refused.headers["content-type"]).toContain("text/html");
    expect((await alice.get("/trial/admin", { headers: { accept: "application/json" } })).json()).toMatchObject({
      code: 403,
    });
    expect((await root.get("/trial/admin")).json()).toEqual({ name: "root" });
    expect((await alice.get("/trial/user")).json()).toEqual({ name: "alice" });
  });

  it("for providers takes the bytes as they were sent, without a token", async () => {
    for (const type of ["application/json", "application/x-www-form-urlencoded", "text/plain"]) {
      const answer = await app.inject({
        method: "POST",
        url: "/trial/webhook",
        headers: { "content-type": type },
        payload: '{ "a": 1 }',
      });
      expect(answer.json()).toEqual({ bytes: Buffer.from('{ "a": 1 }').toString("hex") });
    }
  });
});

describe("errors", () => {
  it("are a page for people, in their language, and JSON for scripts", async () => {
    const page = await app.inject({ url: "/trial/wrong", headers: { accept: "text/html,application/xhtml+xml" } });
    expect(page.statusCode).toBe(422);
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.body).toContain("The day takes YYYY-MM-DD");
    expect(
      (await app.inject({ url: "/nowhere", headers: { accept: "text/html", "accept-language": "th" } })).body,
    ).toContain("ไม่พบหน้านี้");
    for (const headers of [{ accept: "application/json" }, { "x-requested-with": "XMLHttpRequest" }]) {
      const script = await app.inject({ url: "/trial/wrong", headers });
      expect(script.json()).toEqual({ error: "the day takes YYYY-MM-DD", code: 422 });
    }
    expect((await app.inject("/trial/bug.json")).json()).toMatchObject({ code: 500 });
    expect((await app.inject("/nowhere.json")).json()).toMatchObject({ code: 404 });
  });

  it("of ours show the request's id and nothing else; the log has the rest", async () => {
    const answer = await app.inject({ url: "/trial/bug", headers: { "x-request-id": "bug-42" } });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).toContain("bug-42");
    expect(answer.body).not.toContain("secret detail");
    const line = site
      .log()
      .split("\n")
      .find((one) => one.includes("bug-42") && one.includes("secret detail of a bug"));
    expect(line).toContain('"requestId":"bug-42"');
  });

  it("of other systems are a 502 without their details", async () => {
    const answer = await app.inject("/trial/upstream");
    expect(answer.statusCode).toBe(502);
    expect(answer.body).not.toContain("secret detail");
  });

  it("of input name the field and what is accepted", async () => {
    const answer = await app.inject({ url: "/trial/list?size=many", headers: { accept: "application/json" } });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({ error: "size: Invalid input: expected number, received NaN", code: 400 });
  });

  it("of bodies: more than 1 MiB, not JSON, not a known type", async () => {
    const post = async (payload: string, type = "application/json") =>
      (await app.inject({ method: "POST", url: "/trial/body", headers: { "content-type": type }, payload })).json();
    expect(await post(JSON.stringify("x".repeat(1024 * 1024)))).toEqual({
      error: "The request is too large: up to 1 MiB is accepted.",
      code: 413,
    });
    expect(await post("{nonsense")).toMatchObject({ code: 400 });
    expect(await post("a", "image/png")).toMatchObject({ code: 415 });
  });
});

describe("the request log", () => {
  it("has a line with method, path, status and time, and never the query", async () => {
    await app.inject({ url: "/trial/list?size=5&token=hush", headers: { "x-request-id": "log-1" } });
    const line =
      site
        .log()
        .split("\n")
        .find((one) => one.includes("log-1")) ?? "{}";
    expect(JSON.parse(line)).toMatchObject({
      requestId: "log-1",
      method: "GET",
      path: "/trial/list",
      route: "/trial/list",
      status: 200,
    });
    expect(site.log()).not.toContain("hush");
  });
});

describe("the rate limit", () => {
  it("answers 429 with Retry-After, but never to probes, files and metrics", async () => {
    const busy = await startHarness({ requestsPerMinute: 3 });
    try {
      for (let request = 1; request <= 3; request++) expect((await busy.app.inject("/login")).statusCode).toBe(200);
      const refused = await busy.app.inject({ url: "/login", headers: { accept: "application/json" } });
      expect(refused.statusCode).toBe(429);
      expect(refused.json()).toMatchObject({ code: 429 });
      expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
      expect((await busy.app.inject("/nowhere")).statusCode).toBe(429);
      for (const url of ["/healthz", "/readyz", "/metrics", "/assets/app-AAAA1111.js"])
        expect((await busy.app.inject(url)).statusCode).toBe(200);
      expect((await busy.app.inject({ url: "/login", remoteAddress: "192.0.2.200" })).statusCode).toBe(200);
    } finally {
      await busy.close();
    }
  });
});

describe("behind a proxy", () => {
  const forwarded = { "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https" };

  it("that is trusted, the client's address and TLS are the proxy's word", async () => {
    const behind = await startHarness({ env: { TRUST_PROXY: "1" }, routes: [trial] });
    try {
      const answer = await behind.app.inject({ url: "/trial/where", headers: forwarded });
      expect(answer.json()).toMatchObject({ ip: "203.0.113.9" });
      expect(answer.headers["strict-transport-security"]).toBe("max-age=31536000; includeSubDomains");
      const forged = await behind.app.inject({
        url: "/trial/where",
        headers: { ...forwarded, "x-forwarded-for": "10.9.9.9, 203.0.113.9" },
      });
      expect(forged.json()).toMatchObject({ ip: "203.0.113.9" });
    } finally {
      await behind.close();
    }
  });

  it("that is not, its headers mean nothing", async () => {
    const answer = await app.inject({ url: "/trial/where", headers: forwarded, remoteAddress: "192.0.2.5" });
    expect(answer.json()).toMatchObject({ ip: "192.0.2.5" });
    expect(answer.headers["strict-transport-security"]).toBeUndefined();
  });
});

describe("the probes", () => {
  it("say ok", async () => {
    expect((await app.inject("/healthz")).json()).toEqual({ status: "ok" });
    expect((await app.inject("/readyz")).json()).toEqual({ status: "ok" });
  });

  it("tell apart a process that is up and a database that is gone; pages say so too", async () => {
    const orphan = await startHarness();
    try {
      const browser = orphan.browser();
      await browser.login("alice");
      await orphan.db.close();
      expect((await orphan.app.inject("/healthz")).statusCode).toBe(200);
      const ready = await orphan.app.inject("/readyz");
      expect(ready.statusCode).toBe(503);
      expect(ready.json()).toEqual({ status: "error", error: "the database does not answer" });
      const page = await browser.get("/account/password");
      expect(page.statusCode).toBe(503);
      expect(page.body).toContain("The database does not answer");
      expect(page.headers["retry-after"]).toBeDefined();
    } finally {
      await orphan.close();
    }
  });
});

describe("metrics", () => {
  it("exist at 0 before anything has happened", async () => {
    const fresh = await startHarness();
    try {
      const { body, headers } = await fresh.app.inject("/metrics");
      expect(headers["content-type"]).toContain("text/plain");
      for (const series of [
        'hpc_login_total{result="succeeded"} 0',
        'hpc_login_total{result="failed"} 0',
        'hpc_login_total{result="locked"} 0',
        "hpc_receipts_issued_total 0",
        'hpc_webhook_events_total{verdict="applied"} 0',
        'hpc_import_rows_total{outcome="rejected"} 0',
        "hpc_audit_chain_ok 1",
        'hpc_db_pool{state="waiting"} 0',
        'http_request_duration_seconds_count{method="GET",route="/login",status="200"} 0',
      ]) {
        expect(body.split("\n")).toContain(series);
      }
      expect(body).toMatch(/hpc_build_info\{version="1.2.3",node="v\d+[^"]*",env="development",commit="[^"]*"\} 1/);
      expect(body).toContain("process_cpu_seconds_total");
    } finally {
      await fresh.close();
    }
  });

  it("count requests by route, and sign-ins by result", async () => {
    await site.browser().login("alice");
    await app.inject("/trial/list?size=1");
    await app.inject("/some/unknown/path");
    const { body } = await app.inject("/metrics");
    expect(body).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/trial\/list",status="200"\} [1-9]/,
    );
    expect(body).toContain('route="unmatched"');
    expect(body).not.toContain("/some/unknown/path");
    expect(body).toMatch(/hpc_login_total\{result="succeeded"\} [1-9]/);
  });

  it("take the token where one is set", async () => {
    const guarded = await startHarness({ env: { METRICS_TOKEN: "let-prometheus-in" } });
    try {
      const ask = async (authorization?: string) =>
        guarded.app.inject({ url: "/metrics", headers: authorization === undefined ? {} : { authorization } });
      for (const wrong of [undefined, "Bearer nonsense", "Basic let-prometheus-in", "Bearer "]) {
        const refused = await ask(wrong);
        expect(refused.statusCode).toBe(401);
        expect(refused.headers["www-authenticate"]).toContain("Bearer");
      }
      expect((await ask("Bearer let-prometheus-in")).statusCode).toBe(200);
    } finally {
      await guarded.close();
    }
  });

  it("are absent when switched off", async () => {
    const silent = await startHarness({ env: { METRICS_ENABLED: "0" } });
    try {
      expect((await silent.app.inject("/metrics")).statusCode).toBe(404);
    } finally {
      await silent.close();
    }
  });
});

describe("the API's description", () => {
  it("is OpenAPI 3.1 of the routes that have tags, and a page that lists them", async () => {
    const document = (await app.inject("/openapi.json")).json();
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(document.paths)).toEqual(["/healthz", "/readyz", "/trial/list"]);
    expect(document.paths["/trial/list"].get.parameters[0]).toMatchObject({
      name: "size",
      in: "query",
      required: true,
      description: "Rows a page",
    });
    const page = await app.inject("/docs/api");
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain("GET /trial/list");
    expect(page.body).toContain("Rows a page");
  });

  it("is for administrators in production", async () => {
    const production = await startHarness({ env: PRODUCTION });
    try {
      expect((await production.app.inject("/openapi.json")).statusCode).toBe(401);
      expect((await production.app.inject("/docs/api")).statusCode).toBe(302);
      const [alice, root] = [production.browser(), production.browser()];
      await alice.login("alice");
      await root.login("root");
      expect((await alice.get("/openapi.json")).statusCode).toBe(403);
      expect((await root.get("/openapi.json")).statusCode).toBe(200);
      expect((await root.get("/docs/api")).statusCode).toBe(200);
    } finally {
      await production.close();
    }
  });
});

describe("draining", () => {
  it("says not ready, finishes what is under way, then closes", async () => {
    const ending = await startHarness({ routes: [trial] });
    try {
      const address = await ending.app.listen({ host: "127.0.0.1", port: 0 });
      const slow = fetch(`${address}/trial/slow`);
      await slowArrived.promise;
      const drained = ending.app.drain({ noticeMs: 1_500 });
      expect(ending.app.drain()).toBe(drained);
      const ready = await fetch(`${address}/readyz`);
      expect(ready.status).toBe(503);
      expect(ready.headers.get("connection")).toBe("close");
      expect(await ready.json()).toEqual({ status: "error", error: "shutting down" });
      await sleep(1_600);
      await expect(fetch(`${address}/healthz`)).rejects.toThrow("fetch failed");
      slowMayEnd.resolve();
      const answer = await slow;
      expect(await answer.json()).toEqual({ done: true });
      expect(answer.headers.get("connection")).toBe("close");
      await drained;
    } finally {
      await ending.close();
    }
  });
});

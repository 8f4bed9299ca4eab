import { describe, expect, it } from "vitest";
import * as site from "../../src/doctor/site.ts";
import { certificateOutcome } from "../../src/doctor/site.ts";
import { TestClock } from "../support/context.ts";
import { is, production, serve, setupOf, statusOf } from "./support.ts";

const GOOD = {
  "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "set-cookie": "hpc_visitor=x; Path=/; HttpOnly; SameSite=Lax",
};

async function at(headers: Record<string, string | string[]>, status = 200, body = '{"status":"ok"}') {
  const port = await serve(() => ({ status, headers, body }));
  return setupOf(production({ SITE_BASE_URL: `http://127.0.0.1:${port}` }));
}

const nowhere = () => setupOf(production());

describe("security headers", () => {
  it("are right, each once", async () => {
    expect(await statusOf(site.headers, await at(GOOD))).toEqual(is("ok"));
  });

  it("that are missing or loosened fail, and doubled ones are named", async () => {
    const { "x-frame-options": _left, ...without } = GOOD;
    expect(await statusOf(site.headers, await at(without))).toEqual(["fail", "x-frame-options is missing"]);
    const loose = { ...GOOD, "content-security-policy": "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'" };
    expect(await statusOf(site.headers, await at(loose))).toEqual(is("fail"));
    const twice = { ...GOOD, "x-frame-options": ["DENY", "DENY"] };
    expect(await statusOf(site.headers, await at(twice))).toEqual(["warn", "x-frame-options is there 2 times"]);
  });

  it("of a site that does not answer are skipped", async () => {
    expect(await statusOf(site.headers, nowhere())).toEqual(is("skipped"));
  });
});

describe("cookies", () => {
  it("with all their attributes are right", async () => {
    expect(await statusOf(site.cookies, await at(GOOD))).toEqual(is("ok"));
  });

  it("that a proxy has stripped of them fail", async () => {
    const stripped = await at({ ...GOOD, "set-cookie": "hpc_visitor=x; Path=/; SameSite=Lax" });
    expect(await statusOf(site.cookies, stripped)).toEqual(["fail", "hpc_visitor is not HttpOnly"]);
    const config = { ...stripped.config, cookie: { secure: true, sameSite: "none" } as const };
    expect(await statusOf(site.cookies, { ...stripped, config })).toMatchObject(["fail", expect.stringContaining("SAMESITE is none")]); // prettier-ignore
  });
});

describe("TLS", () => {
  it("is missing where the site's address is plain HTTP", async () => {
    expect(await statusOf(site.tls, nowhere())).toEqual(is("fail"));
    const development = setupOf({ ...production(), appEnv: "development" });
    expect(await statusOf(site.tls, development)).toEqual(is("warn"));
  });

  it("that nobody can verify is no site at all", async () => {
    const port = await serve(() => ({ status: 200 }), { cert: "server.pem", key: "server-key.pem" });
    const setup = setupOf(production({ SITE_BASE_URL: `https://localhost:${port}` }));
    expect(await statusOf(site.tls, setup)).toMatchObject(["skipped", expect.stringContaining("certificate")]);
    expect(await statusOf(site.probes, setup)).toEqual(is("fail"));
  });

  it("that verifies asks for HSTS and Secure cookies as well", async () => {
    const lines = new Map<string, string[]>(Object.entries(GOOD).map(([name, value]) => [name, [value]]));
    const config = production({ SITE_BASE_URL: "https://billing.example.org" });
    const setup = setupOf(config, {
      site: () =>
        Promise.resolve({
          answer: {
            status: 200,
            header: (name) => lines.get(name) ?? [],
            body: "",
            certificateEnds: new Date(Date.now() + 60 * 86_400_000),
          },
        }),
    });
    expect(await statusOf(site.tls, setup)).toEqual(is("ok"));
    expect(await statusOf(site.headers, setup)).toEqual(["fail", "strict-transport-security is missing"]);
    expect(await statusOf(site.cookies, setup)).toEqual(["fail", "hpc_visitor is not Secure"]);
    lines.set("strict-transport-security", ["max-age=31536000; includeSubDomains"]);
    lines.set("set-cookie", [`${GOOD["set-cookie"]}; Secure`]);
    expect(await statusOf(site.headers, setup)).toEqual(is("ok"));
    expect(await statusOf(site.cookies, setup)).toEqual(is("ok"));
  });

  it("is judged by the days that are left of its certificate", () => {
    const clock = new TestClock("2026-11-01T00:00:00Z");
    const status = (end: string): string => certificateOutcome({ clock }, "it", new Date(end)).status;
    expect([status("2026-10-31T00:00:00Z"), status("2026-11-10T00:00:00Z"), status("2027-01-10T00:00:00Z")]).toEqual(["fail", "warn", "ok"]); // prettier-ignore
  });
});

describe("probes", () => {
  it("say ok", async () => {
    expect(await statusOf(site.probes, await at({}))).toEqual(["ok", "/healthz says ok; /readyz says ok"]);
  });

  it("that say no, or nothing, fail with what they said", async () => {
    const down = await at({}, 503, '{"status":"error","error":"the database does not answer"}');
    expect(await statusOf(site.probes, down)).toMatchObject(["fail", expect.stringContaining("the database does not answer")]); // prettier-ignore
    expect(await statusOf(site.probes, nowhere())).toMatchObject(["fail", expect.stringContaining("ECONNREFUSED")]);
  });
});

describe("what is nobody's business", () => {
  it("is refused to strangers", async () => {
    const setup = await at({}, 401, "sign in");
    for (const check of [site.metrics, site.apiDescription]) expect(await statusOf(check, setup)).toEqual(is("ok"));
  });

  it("fails where everybody can read it", async () => {
    expect(await statusOf(site.metrics, await at({}, 200, "# HELP x\n"))).toEqual(is("fail"));
    expect(await statusOf(site.apiDescription, await at({}, 200, '{"openapi":"3.1.0"}'))).toEqual(is("fail"));
  });

  it("is not asked for where it does not exist", async () => {
    const config = production({ METRICS_ENABLED: "0" });
    expect(await statusOf(site.metrics, setupOf(config))).toEqual(["ok", "METRICS_ENABLED is 0"]);
  });
});

describe("tools for development", () => {
  const closedPorts = { adminer: 1, swagger: 2 };

  it("are not reachable", async () => {
    const setup = setupOf(production({ SITE_BASE_URL: "http://127.0.0.1" }), { ports: closedPorts });
    for (const check of [site.adminer, site.swagger]) expect(await statusOf(check, setup)).toEqual(is("ok"));
  });

  it("fail where they answer in production, and are named in development", async () => {
    const port = await serve(() => ({ status: 200, body: "Adminer" }));
    const setup = setupOf(production(), { ports: { adminer: port, swagger: port } });
    for (const check of [site.adminer, site.swagger]) expect(await statusOf(check, setup)).toEqual(is("fail"));
    const development = { ...setup, config: { ...setup.config, appEnv: "development" as const } };
    expect(await statusOf(site.adminer, development)).toEqual(is("warn"));
  });

  it("say so when Swagger UI shows the Petstore", async () => {
    const port = await serve(() => ({ status: 200, body: 'url: "https://petstore.swagger.io/v2/swagger.json"' }));
    const config = { ...production(), appEnv: "development" as const };
    const setup = setupOf(config, { ports: { adminer: port, swagger: port } });
    const { found, advice } = await site.swagger.run(setup);
    expect(found).toContain("Petstore");
    expect(advice).toContain("SWAGGER_JSON");
  });
});

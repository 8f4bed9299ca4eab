/** The application behind each proxy: what people, scanners and payment providers get to see. */
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../support/until.ts";
import { ADMIN_PASSWORD, runCommand, startApplication, WEBHOOK_SECRET, type Application } from "./application.ts";
import { BrowserSession } from "./browser-session.ts";
import { call, type CallOptions } from "./client.ts";
import { openWorkplace, SITE, type Workplace } from "./processes.ts";
import { startProxy, type Kind, type Proxy } from "./proxies.ts";

const run = promisify(execFile);

const APP_PORT = 27_001;
const NOBODY = 27_009;
const JOBS = 12_000;

const HEADERS = {
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cache-control": "no-store",
};

let place: Workplace;
let app: Application;
const proxies = new Map<Kind, Proxy>();

beforeAll(async () => {
  place = await openWorkplace();
  app = await startApplication(place, APP_PORT, { AUTH_THROTTLE_MAX_FAILS: "3" });
  const dump = join(place.folder, "jobs.psv");
  writeFileSync(dump, dumpOf(JOBS));
  await runCommand(app.env, ["import", dump, "--cluster", "alpha"]);
  await runCommand(app.env, ["user", "add", "alice", "--password-stdin"], ADMIN_PASSWORD);
  // The first address has nobody: whatever works, works with a process missing.
  const upstreams = [NOBODY, APP_PORT] as const;
  proxies.set("nginx", await startProxy(place, "nginx", "nginx", { https: 27_443, http: 27_080, status: 27_090, upstreams })); // prettier-ignore
  proxies.set(
    "caddy",
    await startProxy(place, "caddy", "caddy", { https: 27_444, http: 27_081, status: 0, upstreams }),
  );
});

afterAll(() => place.close());

describe.each(["nginx", "caddy"] as const)("behind %s", (kind) => {
  const subnet = kind === "nginx" ? 5 : 6;
  let client = 0;

  /** A client that nobody was before, so that limits of one test are not those of another. */
  function newAddress(): string {
    client += 1;
    return `127.0.${subnet}.${client}`;
  }

  function proxy(): Proxy {
    const found = proxies.get(kind);
    if (found === undefined) throw new Error(`${kind} was not started`);
    return found;
  }

  const send = (path: string, options: CallOptions = {}) =>
    call(place.ca, proxy().ports.https, path, { from: newAddress(), ...options });

  async function signedIn(): Promise<BrowserSession> {
    const session = new BrowserSession(place.ca, proxy().ports.https, newAddress());
    const answer = await session.signIn("admin", ADMIN_PASSWORD);
    expect(answer.status).toBe(302);
    return session;
  }

  it.each([
    ["a page", "/login", 200],
    ["a page that is not there", "/nothing", 404],
    ["a redirect", "/me", 302],
    ["JSON", "/healthz", 200],
    ["what the proxy refuses", "/metrics", 403],
    ["an address that no router can read", "/%ff", 400],
  ])("sends every header once: %s", async (_what, path, status) => {
    const answer = await send(path);
    expect(answer.status).toBe(status);
    for (const [name, value] of Object.entries(HEADERS)) expect([name, answer.values(name)]).toEqual([name, [value]]);
    expect(answer.values("x-request-id")).toHaveLength(1);
  });

  it("sets cookies for TLS only, after a sign-in", async () => {
    const session = new BrowserSession(place.ca, proxy().ports.https, newAddress());
    const answer = await session.signIn("admin", ADMIN_PASSWORD);
    const cookie = answer.headers["set-cookie"]?.find((line) => line.startsWith("hpc_session="));
    expect(cookie).toMatch(/; HttpOnly; Secure; SameSite=Lax/u);
  });

  it("passes files that may be kept as the application says", async () => {
    const style = /href="(\/assets\/[^"]+\.css)"/u.exec((await send("/login")).body)?.[1] ?? "";
    const answer = await send(style);
    expect(answer.status).toBe(200);
    expect(answer.values("cache-control")).toEqual([expect.stringContaining("max-age=31536000")]);
  });

  it("speaks HTTP/2", async () => {
    const { stdout } = await run("curl", [
      "--silent", "--show-error", "--http2", "--cacert", join(place.folder, "tls/ca.pem"), "--output", "/dev/null",
      "--resolve", `${SITE}:${proxy().ports.https}:127.0.0.1`, "--write-out", "%{http_version} %{http_code}",
      `https://${SITE}:${proxy().ports.https}/login`,
    ]); // prettier-ignore
    expect(stdout).toBe("2 200");
  });

  it("leads plain HTTP to TLS of this site, whatever the request calls it", async () => {
    const { ports } = proxy();
    // Caddy takes another port than 443 for one that is forwarded from there.
    const origin = kind === "nginx" ? `https://${SITE}:${ports.https}` : `https://${SITE}`;
    expect(await redirectOf(ports.http, "/me?view=trend", SITE)).toBe(`${origin}/me?view=trend`);
    // Caddy leads to whatever name it was called by; no link can make a browser do that.
    if (kind === "nginx") expect(await redirectOf(ports.http, "/", "evil.example")).toBe(`${origin}/`);
  });

  it("tells the application who calls, and believes nobody who says it themselves", async () => {
    const from = newAddress();
    for (const headers of [{}, { "x-forwarded-for": "9.9.9.9" }, { "x-forwarded-for": ["8.8.8.8", "7.7.7.7"] }]) {
      const answer = await call(place.ca, proxy().ports.https, "/login", {
        from,
        headers: { ...headers, "x-real-ip": "9.9.9.9", forwarded: "for=9.9.9.9;proto=http" },
      });
      const id = answer.headers["x-request-id"];
      const line = await until("the log has the request", () => app.requests().find((one) => one.requestId === id));
      expect(line.ip).toBe(from);
    }
  });

  it("locks whoever guesses passwords, however they call themselves, and nobody else", async () => {
    const guesser = new BrowserSession(place.ca, proxy().ports.https, newAddress());
    const statuses: number[] = [];
    for (const spoofed of ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"]) {
      statuses.push((await guesser.signIn("admin", "wrong password", { "x-forwarded-for": spoofed })).status);
    }
    expect(statuses.slice(0, 2)).toEqual([401, 401]);
    expect(statuses.at(-1)).toBe(429);
    await signedIn();
  });

  it("gives a request one id, the same in both logs and in the answer", async () => {
    const answer = await send("/login", { headers: { "x-request-id": "chosen-by-the-client" } });
    const id = String(answer.headers["x-request-id"]);
    expect(id).toMatch(/^[0-9a-f-]{32,36}$/u);
    await until("the application's log has it", () => app.requests().some((line) => line.requestId === id));
    if (kind === "nginx") {
      const { stdout } = await run("grep", ["-c", `"requestId":"${id}"`, join(proxy().folder, "access.log")]);
      expect(stdout.trim()).toBe("1");
    }
  });

  it.each([
    "/metrics", "/metrics/", "/%6detrics", "//metrics", "/./metrics", "/x/../metrics", "/metrics?x=1", "/openapi.json",
    "/openapi%2ejson", "/docs/api", "/docs/api/", "/docs//api", "/docs/./api",
  ])("does not show %s", async (path) => {
    const asAdmin = await (await signedIn()).get(path);
    expect(asAdmin.status).toBe(403);
    expect(asAdmin.body).not.toMatch(/hpc_build_info|openapi|operationId/u);
  }); // prettier-ignore

  it("passes a signed event, and only so many at once from one address", async () => {
    const body = JSON.stringify({ event_type: "payment.pondered", external_payment_id: "dev_1", amount_cents: 1, currency: "THB" }); // prettier-ignore
    const signature = createHmac("sha256", WEBHOOK_SECRET).update(body).digest("hex");
    const event = {
      method: "POST",
      body,
      headers: { "content-type": "application/json", "x-dummy-signature": signature },
    };
    expect(await send("/payments/webhook", event)).toMatchObject({
      status: 200,
      body: expect.stringContaining("ignored"),
    });
    expect((await send("/payments/webhook", { ...event, headers: {} })).status).toBe(400);
    if (kind === "caddy") return;

    const from = newAddress();
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => send("/payments/webhook/dummy", { ...event, from })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(15);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(20);
    expect(JSON.parse(refused[0]?.body ?? "")).toEqual({ error: expect.stringContaining("too many"), code: 429 });
    expect(refused[0]?.headers["retry-after"]).toBe("10");
    for (const name of Object.keys(HEADERS)) expect(refused[0]?.values(name)).toHaveLength(1);
    // Others are not held up by it.
    expect((await send("/payments/webhook", event)).status).toBe(200);
  });

  // Caddy has such a list in its own file, and no second one to be read anew.
  if (kind === "nginx") {
    it("takes events from listed addresses only, once there is a list", async () => {
      const allowed = newAddress();
      const event = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
      writeFileSync(join(proxy().folder, "webhook-allow.conf"), `allow ${allowed};\ndeny all;\n`);
      proxy().reload();
      await until("strangers are refused", async () => (await send("/payments/webhook", event)).status === 403);
      expect((await send("/payments/webhook/dummy", event)).status).toBe(403);
      expect((await send("/payments/webhook", { ...event, from: allowed })).status).toBe(400);
      expect((await send("/login")).status).toBe(200);
    });
  }

  it("refuses a body that is too large, and says what is accepted", async () => {
    const page = await send("/login", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "x".repeat(1_100_000),
    });
    expect(page.status).toBe(413);
    expect(page.body).toMatch(/too large|entity/iu);
    for (const name of Object.keys(HEADERS)) expect([name, page.values(name)]).toEqual([name, [expect.any(String)]]);
    const event = await send("/payments/webhook", { method: "POST", body: "x".repeat(70_000) });
    expect(event.status).toBe(413);
    expect(JSON.parse(event.body)).toMatchObject({ code: 413 });
  });

  it("passes a CSV file whole", async () => {
    const session = new BrowserSession(place.ca, proxy().ports.https, newAddress());
    await session.signIn("alice", ADMIN_PASSWORD);
    const answer = await session.get("/me.csv?start=2026-10-01&end=2026-10-31");
    expect(answer.status).toBe(200);
    expect(answer.body.trimEnd().split("\n")).toHaveLength(JOBS + 1);
  });
});

/** Where plain HTTP leads. */
function redirectOf(port: number, path: string, host: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers: { host }, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.headers.location);
    }).once("error", reject);
  });
}

function dumpOf(jobs: number): string {
  const rows = Array.from(
    { length: jobs },
    (_, i) => `${i + 1}|${i + 1}|alice|lab|2026-10-10T02:00:00|2026-10-10T02:00:00|2026-10-10T03:00:00|COMPLETED|billing=4,cpu=4,mem=8G,node=1`,
  ); // prettier-ignore
  return ["JobID|JobIDRaw|User|Account|Submit|Start|End|State|AllocTRES", ...rows, ""].join("\n");
}

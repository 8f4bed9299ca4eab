/** A whole life of the application with secrets planted everywhere: none of them may be in anything it writes. */
import { createHmac, randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createUser } from "../../../src/identity/index.ts";
import { startCollector, type Collector } from "../../telemetry/collector.ts";
import { aJob, createTestContext, TEST_KEYRING, type TestContext } from "../../support/context.ts";
import { until } from "../../support/until.ts";
import { runCommand, startApplication, type Application } from "../proxy/application.ts";
import { openWorkplace, type Workplace } from "../proxy/processes.ts";
import { leaksIn } from "./leaks.ts";
import { openDatabaseDoor, startEchoes, writeDetour, type DatabaseDoor } from "./surroundings.ts";
import { Visitor } from "./visitor.ts";

const APP = 27_414;
const DATABASE = 27_415;
const ECHOES = 27_416;
const BASE = `http://127.0.0.1:${APP}`;

const plant = (begin: string): string => `${begin}${randomBytes(12).toString("hex")}`;
const SECRETS = {
  SECRET_KEY: plant("secret+key/of the site="),
  ADMIN_PASSWORD: plant('admin"s pass\\word '),
  database: plant("data:base/pass@word?"),
  SLURMRESTD_TOKEN: plant("eyJhbGciOiJIUzI1NiJ9.token-"),
  STRIPE_SECRET_KEY: plant("sk_test_"),
  STRIPE_WEBHOOK_SECRET: plant("whsec_"),
  OMISE_SECRET_KEY: plant("skey_test_"),
  OMISE_WEBHOOK_SECRET: Buffer.from(plant("omise")).toString("base64"),
  PAYMENT_WEBHOOK_SECRET: plant("payment webhook "),
  METRICS_TOKEN: plant("metrics "),
  collector: plant("key of the collector "),
  password: plant("alice's password "),
  wrong: plant("nobody's password "),
};

let context: TestContext;
let place: Workplace;
let app: Application;
let door: DatabaseDoor;
let echoes: Server;
let collector: Collector;
let url: URL;
const visitor = new Visitor(BASE);
const planted = new Map(Object.entries(SECRETS));

beforeAll(async () => {
  context = await createTestContext();
  await createUser(context.db, context.clock, { actor: "test" }, { username: "alice", password: SECRETS.password, role: "user" }); // prettier-ignore
  const jobs = ["2026-10-08", "2026-10-09"].map((day) => Date.parse(`${day}T05:00:00Z`) / 1000);
  await context.importJobs(jobs.map((endAt) => aJob({ submitAt: endAt - 3_600, startAt: endAt - 3_600, endAt })));
  url = new URL(context.url);
  place = await openWorkplace();
  door = await openDatabaseDoor(DATABASE, join(url.searchParams.get("host") ?? "", `.s.PGSQL.${url.port}`));
  echoes = await startEchoes(ECHOES);
  collector = await startCollector();
  app = await startApplication(place, APP, settings());
});

afterAll(async () => {
  await place.close();
  await door.close();
  echoes.close();
  await collector.close();
  await context.close();
});

function settings(): Readonly<Record<string, string>> {
  const { database, collector: key, password: _user, wrong: _wrong, ...variables } = SECRETS;
  const keyring = [...TEST_KEYRING.keys].map(([id, secret]) => `${id}:${secret}`).join(",");
  for (const [id, secret] of TEST_KEYRING.keys) planted.set(`audit key ${id}`, secret);
  return {
    ...variables,
    AUDIT_HMAC_KEYRING: keyring,
    DATABASE_URL: `postgres://${url.username}:${encodeURIComponent(database)}@127.0.0.1:${DATABASE}${url.pathname}`,
    PAYMENT_PROVIDER: "stripe,omise,dummy",
    SLURMRESTD_URL: `http://127.0.0.1:${ECHOES}`,
    SLURMRESTD_USER: "operator",
    SITE_BASE_URL: BASE,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${encodeURIComponent(key)}`,
    LOG_LEVEL: "trace",
    TRUST_PROXY: "0",
    NODE_OPTIONS: `--import=${writeDetour(place.folder, ECHOES)}`,
  };
}

/** Waits until the log has a line with this, which proves that the test came where it wanted to come. */
async function untilLogged(text: string): Promise<void> {
  await until(`the log says "${text}"`, () => app.started.log().includes(text), 30_000);
}

function webhook(provider: string, body: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  const init = { method: "POST", body, headers: { "content-type": "application/json", ...headers } };
  return fetch(
    `${BASE}/payments/webhook/${provider}?secret=${encodeURIComponent(SECRETS.PAYMENT_WEBHOOK_SECRET)}`,
    init,
  );
}

it("the search finds what is planted, in every form", () => {
  const secret = SECRETS.database;
  const forms = [
    secret,
    JSON.stringify({ secret: SECRETS.ADMIN_PASSWORD }),
    encodeURIComponent(secret),
    new URLSearchParams({ secret: SECRETS.SECRET_KEY }).toString(),
    Buffer.from(`user:${secret}`).toString("base64"),
    Buffer.from(`x${secret}`).toString("base64url"),
    Buffer.from(secret).toString("hex"),
  ];
  expect(forms.map((form) => leaksIn(`a line with ${form} in it`, planted).length)).toEqual(forms.map(() => 1));
});

it("sign-ins, good and bad, and pages", async () => {
  expect((await visitor.post("/login", { username: "alice", password: SECRETS.wrong }, "/login")).status).toBe(401);
  expect((await visitor.post("/login", { username: SECRETS.password, password: "x" }, "/login")).status).toBe(401);
  expect((await visitor.post("/login", { username: "alice", password: SECRETS.password }, "/login")).status).toBe(302);
  expect((await visitor.get(`/me?start=2026-10-01&token=${SECRETS.METRICS_TOKEN.replaceAll(" ", "+")}`)).status).toBe(
    200,
  );
  await fetch(`${BASE}/logout`, { method: "POST", body: new URLSearchParams({ csrf_token: SECRETS.SECRET_KEY }) });
  expect(visitor.cookies.size).toBeGreaterThan(0);
});

it("a checkout at each provider, whose refusals repeat the key", async () => {
  const made = await visitor.post("/me/receipt", { before: "2026-10-31" }, "/me");
  const id = /\/me\/receipts\/(\d+)/u.exec(made.location)?.[1] ?? "";
  for (const provider of ["stripe", "omise"]) {
    await visitor.post(`/payments/receipt/${id}/start`, { provider }, "/me");
  }
  await untilLogged("Stripe");
  await untilLogged("Omise was asked to");
  expect(app.started.log().match(/the payment provider could not open a checkout/gu)).toHaveLength(2);
});

it("webhooks, signed and not", async () => {
  const at = String(Math.floor(Date.now() / 1000));
  const sign = (key: string | Buffer, text: string): string => createHmac("sha256", key).update(text).digest("hex");
  const stripe = JSON.stringify({ id: "evt_1", object: "event", type: "checkout.session.completed", livemode: false });
  const good = `t=${at},v1=${sign(SECRETS.STRIPE_WEBHOOK_SECRET, `${at}.${stripe}`)}`;
  await webhook("stripe", stripe, { "stripe-signature": good });
  expect((await webhook("stripe", stripe, { "stripe-signature": SECRETS.STRIPE_WEBHOOK_SECRET })).status).toBe(400);
  const omise = JSON.stringify({ object: "event", id: "evnt_1", livemode: false, key: "charge.complete", data: { object: "charge", id: "chrg_1", link: "link_1", status: "successful", amount: 1, currency: "THB" } }); // prettier-ignore
  const signature = sign(Buffer.from(SECRETS.OMISE_WEBHOOK_SECRET, "base64"), `${at}.${omise}`);
  expect(
    (await webhook("omise", omise, { "omise-signature": signature, "omise-signature-timestamp": at })).status,
  ).toBe(200);
  expect((await webhook("dummy", "{}", { "x-dummy-signature": SECRETS.PAYMENT_WEBHOOK_SECRET })).status).toBe(400);
  const dummy = JSON.stringify({ event_type: "payment.succeeded", external_payment_id: "none", amount_cents: 1, currency: "THB" }); // prettier-ignore
  await webhook("dummy", dummy, { "x-dummy-signature": sign(SECRETS.PAYMENT_WEBHOOK_SECRET, dummy) });
  await untilLogged('"verdict":"stored"');
});

it("metrics, with the token and without", async () => {
  const ask = (token: string) => fetch(`${BASE}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const good = await ask(SECRETS.METRICS_TOKEN);
  expect(good.status).toBe(200);
  expect(leaksIn(await good.text(), planted)).toEqual([]);
  expect((await ask(SECRETS.SECRET_KEY.slice(0, 20))).status).toBe(401);
});

it("a scheduler that repeats the token", async () => {
  await untilLogged("cannot decode");
});

it("a database that is away, and one that refuses the password", async () => {
  for (const mode of ["closed", "refuses"] as const) {
    door.set(mode);
    expect((await fetch(`${BASE}/readyz`)).status).toBe(503);
    expect((await visitor.get("/me")).status).toBeGreaterThanOrEqual(500);
    const command = await runCommand(app.env, ["receipts", "list"]).then(() => "", String);
    expect(command).toContain("receipts list ended with 1");
    expect(leaksIn(command, planted)).toEqual([]);
  }
  door.set("repeats");
  await untilLogged("password authentication failed by");
  door.set("open");
  await until("it is ready again", async () => (await fetch(`${BASE}/readyz`)).ok);
});

it("and its end: nothing of it was written down", async () => {
  expect(await app.started.stop()).toBe(0);
  for (const [name, value] of visitor.cookies) if (value.length > 8) planted.set(`cookie ${name}`, value);
  for (const token of visitor.tokens) planted.set("CSRF token", token);
  expect(
    [...planted.keys()].filter((name) => name.startsWith("cookie") || name === "CSRF token").length,
  ).toBeGreaterThan(1);
  const log = app.started.log();
  expect(["draining", "failed by [redacted]"].filter((text) => !log.includes(text))).toEqual([]);
  expect(leaksIn(log, planted)).toEqual([]);
  // The collector is sent its own key, and nothing else.
  const traces = collector.raw.join("\n");
  expect(["POST /login", "UPDATE", "/v1/checkout/sessions"].filter((text) => !traces.includes(text))).toEqual([]);
  expect(leaksIn(traces, planted)).toEqual(["collector"]);
  expect(traces.split(SECRETS.collector).length - 1).toBe(collector.raw.length);
});

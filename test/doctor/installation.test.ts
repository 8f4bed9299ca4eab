import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { checkAudit } from "../../src/audit/verify.ts";
import { noteRestoreTest } from "../../src/backup/folder.ts";
import { openClient, openPool } from "../../src/db/connection.ts";
import { Database, raw, sql } from "../../src/db/database.ts";
import * as backups from "../../src/doctor/backups.ts";
import * as database from "../../src/doctor/database.ts";
import { CHECKS, examine } from "../../src/doctor/examine.ts";
import * as operation from "../../src/doctor/operation.ts";
import { diskOutcome } from "../../src/doctor/operation.ts";
import type { Setup } from "../../src/doctor/setup.ts";
import * as webhook from "../../src/doctor/webhook.ts";
import { receiveWebhook } from "../../src/payments/webhook.ts";
import { startQueue } from "../../src/queue.ts";
import { backUp } from "../backup/support.ts";
import { runCli } from "../cli/run-cli.ts";
import {
  aJob,
  createTestContext,
  TEST_KEYRING,
  TestClock,
  WEBHOOK_SECRET,
  type TestContext,
} from "../support/context.ts";
import { is, production, serve, setupOf, statusOf, STRONG } from "./support.ts";

let context: TestContext;
let setup: Setup;
let folder: string;

beforeEach(async () => {
  context = await createTestContext();
  folder = mkdtempSync(join(tmpdir(), "hpcb-d-"));
  setup = setupOf(production({ DATABASE_URL: context.url, PAYMENT_WEBHOOK_SECRET: WEBHOOK_SECRET }), {
    database: { db: context.db, url: context.url },
    backupFolder: folder,
  });
});

afterEach(async () => {
  rmSync(folder, { recursive: true });
  await context.close();
});

const run = (statement: string): Promise<unknown> => context.db.run(sql`${raw(statement)}`);
/** The installation as it will be some hours from now. */
const later = (hours: number): Setup => ({
  ...setup,
  clock: new TestClock(new Date(Date.now() + hours * 3_600_000).toISOString()),
});
const withUrl = (url: string): Setup => ({ ...setup, config: { ...setup.config, databaseUrl: url } });

describe("a database that is away", () => {
  it("fails its own item and keeps no other from being looked at", async () => {
    const findings = await examine({ ...setup, database: null, databaseProblem: "connection refused" });
    expect(findings.map(({ id }) => id)).toEqual(CHECKS.map(({ id }) => id));
    expect(findings.find(({ id }) => id === "database")).toMatchObject({ status: "fail", found: "connection refused" });
    expect(findings.find(({ id }) => id === "queue")).toMatchObject({ status: "skipped" });
  });

  it("as every other check that breaks, is told by what broke it", async () => {
    const broken = { id: "x", title: "X", run: () => Promise.reject(new Error("no such table")) };
    expect(await examine(setup, [broken])).toMatchObject([{ id: "x", status: "fail", found: "no such table" }]);
  });
});

describe("the database", () => {
  it("is as this version knows it, or behind, or ahead", async () => {
    expect(await statusOf(database.connection, setup)).toEqual(is("ok"));
    expect(await statusOf(database.schema, setup)).toEqual(is("ok"));
    await run("DELETE FROM schema_migrations WHERE name LIKE '0002%'");
    expect(await statusOf(database.schema, setup)).toEqual(["fail", "to be applied: 0002_sync.sql"]);
    await run("INSERT INTO schema_migrations VALUES ('9999_new.sql', 'x')");
    expect(await statusOf(database.schema, setup)).toMatchObject(["fail", expect.stringContaining("newer version")]);
  });

  it("is on a private network, encrypted unless it is on this machine", async () => {
    expect(await statusOf(database.network, setup)).toEqual(is("ok"));
    for (const [url, status] of [
      ["postgres://x@127.0.0.1/x", "ok"],
      ["postgres://x@[::1]:5432/x", "ok"],
      ["postgresql+psycopg2://x@10.1.2.3:5432/x", "warn"],
      ["postgres://x@[fd00::1]/x", "warn"],
      ["postgres://x@8.8.8.8/x", "fail"],
      ["postgres://x@[2001:db8::1]/x", "fail"],
    ] as const)
      expect([url, ...(await statusOf(database.network, withUrl(url)))]).toEqual([url, ...is(status)]);
  });

  it("is used by a role with its own rights only, and a superuser fails", async () => {
    expect(await statusOf(database.role, setup)).toMatchObject(["fail", expect.stringContaining("SUPERUSER")]);
    const name = `doctor_${Date.now()}`;
    const admin = openClient(inject("postgresAdminUrl"));
    await admin.connect();
    await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD 'x'`);
    const url = new URL(context.url);
    url.username = name;
    url.password = "x";
    const db = new Database(openPool(url.href, { max: 1, onIdleError: () => undefined }), () => Promise.resolve());
    try {
      const { advice: _none, ...found } = await database.role.run({ ...setup, database: { db, url: url.href } });
      expect(found).toEqual({ status: "ok", found: `${name} has none beyond its own tables` });
    } finally {
      await db.close();
      await admin.query(`DROP ROLE ${name}`);
      await admin.end();
    }
  });

  it("guards what is append-only, until somebody switches that off", async () => {
    expect(await statusOf(database.appendOnly, setup)).toEqual(is("ok"));
    await run("ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only");
    await run("DROP TRIGGER receipts_immutable ON receipts");
    expect(await statusOf(database.appendOnly, setup)).toEqual(["fail", "off or gone: audit_log_append_only, receipts_immutable"]); // prettier-ignore
  });
});

describe("backups", () => {
  it("fail when there is none, or an old one", async () => {
    expect(await statusOf(backups.backupFresh, setup)).toEqual(is("fail"));
    await backUp(context, { folder });
    expect(await statusOf(backups.backupFresh, setup)).toEqual(is("ok"));
    expect(await statusOf(backups.backupFresh, later(27))).toEqual(is("fail"));
    expect(await statusOf(backups.backupFresh, { ...later(27), backupHours: 48 })).toEqual(is("ok"));
  });

  it("are tested when one was restored within the last months", async () => {
    expect(await statusOf(backups.backupTested, setup)).toEqual(is("warn"));
    const now = new Date().toISOString();
    await noteRestoreTest(join(folder, "x.tar.zst"), { file: "x.tar.zst", taken_at: now, tested_at: now });
    expect(await statusOf(backups.backupTested, setup)).toEqual(is("ok"));
    expect(await statusOf(backups.backupTested, later(24 * 91))).toEqual(is("warn"));
  });
});

describe("the webhook", () => {
  /** The site, with its own database. */
  async function site(of: TestContext): Promise<Setup> {
    const port = await serve(async (request, body) => {
      await receiveWebhook(of.payments, of.payments.provider, {
        rawBody: body,
        header: (name) => request.headers[name]?.toString(),
        requestId: "doctor",
      });
      return { status: 400 };
    });
    return { ...setup, config: { ...setup.config, siteBaseUrl: `http://127.0.0.1:${port}` } };
  }

  const answering = async (status: number): Promise<Setup> => {
    const port = await serve(() => ({ status }));
    return { ...setup, config: { ...setup.config, siteBaseUrl: `http://127.0.0.1:${port}` } };
  };

  it("that takes a wrong signature, is away or something else fails", async () => {
    for (const status of [200, 404, 502])
      expect(await statusOf(webhook.webhookReachable, await answering(status))).toEqual(is("fail"));
    expect(await statusOf(webhook.webhookReachable, setup)).toEqual(is("fail"));
  });

  it("behind an allow-list is named, as is one that writes into another database", async () => {
    expect(await statusOf(webhook.webhookReachable, await answering(403))).toEqual(is("warn"));
    expect(await statusOf(webhook.webhookReachable, await answering(400))).toEqual(is("warn"));
  });

  it("that refuses it and says so in the database is right", async () => {
    expect(await statusOf(webhook.webhookReachable, await site(context))).toEqual(is("ok"));
  });

  it("checks signatures by the secret that is configured", async () => {
    expect(await statusOf(webhook.webhookSignature, setup)).toEqual(is("ok"));
    const stripe = production({ PAYMENT_PROVIDER: "stripe,omise", STRIPE_SECRET_KEY: "sk_test_1", STRIPE_WEBHOOK_SECRET: `whsec_${STRONG}`, OMISE_SECRET_KEY: "skey_1", OMISE_WEBHOOK_SECRET: Buffer.from(STRONG).toString("base64") }); // prettier-ignore
    const both = { ...setupOf(stripe), clock: { now: () => new Date() } };
    expect(await statusOf(webhook.webhookSignature, both)).toMatchObject(["ok", expect.stringContaining("omise")]);
    const another = { ...setup.config, payments: { ...setup.config.payments, dummy: { webhookSecret: STRONG } } };
    expect(await statusOf(webhook.webhookSignature, { ...setup, config: another })).toEqual(is("fail"));
  });

  it("names events that were ignored and deliveries that were given up", async () => {
    expect(await statusOf(webhook.webhookIgnored, setup)).toEqual(is("ok"));
    await run("INSERT INTO payment_events (provider, received_at, verdict, reason, body_sha256) VALUES ('dummy', now(), 'ignored', 'the amount differs', '')"); // prettier-ignore
    expect(await statusOf(webhook.webhookIgnored, setup)).toEqual(["warn", "1 ignored: the amount differs"]);
  });
});

describe("operation", () => {
  it("compares the clocks of database, site and this machine", async () => {
    const port = await serve(() => ({ status: 200 }));
    const site = { ...setupOf(production({ SITE_BASE_URL: `http://127.0.0.1:${port}` })), database: setup.database };
    const ahead = (ms: number): Setup => ({ ...site, clock: { now: () => new Date(Date.now() + ms) } });
    expect(await statusOf(operation.clocks, ahead(0))).toEqual(is("ok"));
    expect(await statusOf(operation.clocks, ahead(20_000))).toEqual(is("warn"));
    expect(await statusOf(operation.clocks, ahead(-120_000))).toEqual(is("fail"));
  });

  it("looks for room on the disk", async () => {
    expect((await operation.disk.run(setup)).found).toContain("GiB are free at");
    const gib = 1024 ** 3;
    const status = (free: number): string => diskOutcome("/data", free * gib, 100 * gib).status;
    expect([status(50), status(8), status(2), status(0.5)]).toEqual(["ok", "warn", "fail", "fail"]);
  });

  it("knows how the audit chain stood when it was last checked", async () => {
    expect(await statusOf(operation.auditChain, setup)).toEqual(is("warn"));
    await context.importJobs([aJob()]);
    await checkAudit(context.db, TEST_KEYRING, { now: () => new Date() });
    expect(await statusOf(operation.auditChain, setup)).toEqual(is("ok"));
    expect(await statusOf(operation.auditChain, later(5))).toEqual(is("warn"));
    await run("ALTER TABLE audit_log DISABLE TRIGGER USER");
    await run("UPDATE audit_log SET actor = 'mallory'");
    await checkAudit(context.db, TEST_KEYRING, { now: () => new Date() });
    expect(await statusOf(operation.auditChain, setup)).toMatchObject(["fail", expect.stringContaining("broken at record 1")]); // prettier-ignore
  });

  it("sees whether somebody works on the queue", async () => {
    expect(await statusOf(operation.queue, setup)).toMatchObject(["fail", expect.stringContaining("never ran")]);
    const silent = pino({ level: "silent" });
    const task = { name: "sync", retries: 0, atOnce: 1, schedules: [], work: () => Promise.resolve() };
    const queue = await startQueue({ databaseUrl: context.url, timeZone: "UTC", logger: silent, tasks: [task] });
    expect(await statusOf(operation.queue, setup)).toEqual(["ok", "1 at work"]);
    await queue.stop();
    expect(await statusOf(operation.queue, setup)).toEqual(["fail", "no server works on it"]);
  });

  it("says when usage does not come in", async () => {
    expect(await statusOf(operation.usageAge, setup)).toMatchObject(["warn", expect.stringContaining("no finished job")]); // prettier-ignore
    await context.importJobs([aJob()]);
    expect(await statusOf(operation.usageAge, setup)).toMatchObject(["ok", expect.stringContaining("by hand")]);
    const live = { ...setup, config: production({ SLURMRESTD_URL: "unix:/x" }) };
    await run("INSERT INTO sync_clusters (cluster, complete_until) VALUES ('a', now())");
    expect(await statusOf(operation.usageAge, live)).toEqual(is("ok"));
    await run("UPDATE sync_clusters SET complete_until = now() - interval '5 hours'");
    expect(await statusOf(operation.usageAge, live)).toEqual(["warn", "a: complete only up to 5 hours ago"]);
    await run("UPDATE sync_clusters SET failures = 4, last_error = 'refused'");
    expect(await statusOf(operation.usageAge, live)).toEqual(["fail", "a: 4 syncs failed: refused"]);
  });

  it("fails when nobody can sign in as admin", async () => {
    await run("INSERT INTO users (username, role, created_at) VALUES ('root', 'admin', now())");
    expect(await statusOf(operation.adminAccount, setup)).toEqual(is("fail"));
    await run("UPDATE users SET password_hash = 'x'");
    expect(await statusOf(operation.adminAccount, setup)).toEqual(is("ok"));
  });
});

describe("the command", () => {
  it("prints every item, as JSON too, and its exit code says whether one failed", async () => {
    const env = {
      DATABASE_URL: context.url,
      SECRET_KEY: STRONG,
      SITE_BASE_URL: "http://127.0.0.1:1",
      DATA_DIR: folder,
    };
    const text = await runCli(["doctor"], { env });
    expect(text.code).toBe(1);
    expect(text.stderr).toMatch(/^hpc-billing: failed: .*probes/u);
    expect(text.stdout).toContain("FAIL  /healthz and /readyz answer");
    const json = await runCli(["doctor", "--json"], { env });
    expect(JSON.parse(json.stdout)).toMatchObject({ checks: CHECKS.map(({ id }) => ({ id })) });
    const away = await runCli(["doctor", "--json"], { env: { ...env, DATABASE_URL: "postgres://x@127.0.0.1:1/x" } });
    expect(JSON.parse(away.stdout)).toMatchObject({ checks: expect.arrayContaining([expect.objectContaining({ id: "database", status: "fail" })]) }); // prettier-ignore
    expect((await runCli(["doctor", "--backup-hours", "x"], { env })).code).toBe(2);
  });
});

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { auditWriter } from "../../../src/audit/store.ts";
import { verifyAudit } from "../../../src/audit/verify.ts";
import { systemClock } from "../../../src/clock.ts";
import { openPool } from "../../../src/db/connection.ts";
import { Database, sql } from "../../../src/db/database.ts";
import { migrateDatabase } from "../../../src/db/migrate.ts";
import { SiteDays } from "../../../src/usage/site-day.ts";
import { startCli } from "../../cli/run-cli.ts";
import { aJob, at, importJobs, TEST_KEYRING, WEBHOOK_SECRET } from "../../support/context.ts";
import { until } from "../../support/until.ts";
import { startLoad } from "./load.ts";
import { SERVICE_URL, startServers, type Servers } from "./servers.ts";

const PORT = 27_510;
const ORIGIN = `http://127.0.0.1:${PORT}`;
const PEOPLE = Array.from({ length: 8 }, (_, n) => `payer${n}`);
const PASSWORD = "a-password-of-the-load";
const DAYS = Array.from({ length: 600 }, (_, n) => new Date(Date.UTC(2024, 0, 1 + n)).toISOString().slice(0, 10));

let servers: Servers;
let app: ReturnType<typeof startCli>;
let dataDir: string;
let log = "";

beforeAll(async () => {
  servers = await startServers();
  await migrateDatabase({ connectionString: SERVICE_URL, log: () => undefined });
  const db = openDatabase(SERVICE_URL);
  const jobs = PEOPLE.flatMap((user) =>
    DAYS.map((day) => {
      const endAt = at(`${day}T05:00:00Z`);
      return aJob({ user, submitAt: endAt - 3_600, startAt: endAt - 3_600, endAt });
    }),
  );
  const importing = {
    db,
    clock: systemClock,
    currency: { code: "THB", minorDigits: 2 },
    days: new SiteDays("Asia/Bangkok"),
  };
  await importJobs(importing, jobs);
  const setting = await db.one(z.unknown(), sql`SHOW synchronous_commit`);
  expect(setting).toEqual({ synchronous_commit: "on" });
  await db.close();
  dataDir = mkdtempSync(join(tmpdir(), "hpcb-ha-app-"));
  app = startCli(["serve"], {
    DATABASE_URL: SERVICE_URL,
    DATA_DIR: dataDir,
    PORT: String(PORT),
    TRUST_PROXY: "1",
    SECRET_KEY: "a secret of the failover's test",
    AUDIT_HMAC_KEYRING: '{"test":"a test\'s secret"}',
    PAYMENT_WEBHOOK_SECRET: WEBHOOK_SECRET,
    DEMO_USERS: PEOPLE.map((name) => `${name}:${PASSWORD}`).join(","),
  });
  for (const stream of [app.stdout, app.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (log += text));
  await until("the application is ready", isReady, 60_000);
});

afterAll(async () => {
  const exit = once(app, "exit");
  app.kill("SIGKILL");
  await exit;
  await servers.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

function openDatabase(url: string): Database {
  return new Database(openPool(url, { max: 4, onIdleError: () => undefined }), auditWriter(TEST_KEYRING, systemClock));
}

async function isReady(): Promise<boolean> {
  return fetch(`${ORIGIN}/readyz`).then(
    ({ status }) => status === 200,
    () => false,
  );
}

it("what was acknowledged survives the primary, nothing is there twice, and the application goes on by itself", async () => {
  const load = startLoad({
    origin: ORIGIN,
    webhookSecret: WEBHOOK_SECRET,
    password: PASSWORD,
    people: PEOPLE,
    days: DAYS,
  });
  await until("there is load", () => load.payments.length >= 60, 60_000);
  expect(load.failures).toEqual([]);

  const killedAt = Date.now();
  servers.killPrimary();
  await until("it is noticed", async () => !(await isReady()), 20_000);
  servers.promoteStandby();
  await until("it is ready again", isReady, 60_000);
  const readyAt = Date.now();
  const before = load.payments.length;
  await until("payments are taken again", () => load.payments.length >= before + 60, 60_000);
  await load.stop();

  expect(app.exitCode).toBeNull();
  const firstAfter = load.payments.find((one) => one.at > killedAt + 500 && one.at > readyAt - 1_000);
  const lastFailure = load.failures.at(-1);
  // Nothing fails once the new primary has been found.
  expect(lastFailure?.at ?? 0).toBeLessThan(readyAt + 15_000);
  const db = openDatabase(servers.standbyUrl);
  await expectBooks(db, load.receipts, load.payments);
  await db.close();
  process.stdout.write(
    `failover: ${load.receipts.length} receipts and ${load.payments.length} payments were acknowledged, all are there once; ` +
      `${load.failures.length} requests failed meanwhile and were repeated; ready again after ${readyAt - killedAt} ms, ` +
      `first payment after ${(firstAfter?.at ?? 0) - killedAt} ms, last failure after ${(lastFailure?.at ?? killedAt) - killedAt} ms\n`,
  );
}, 300_000);

const one = z.object({ id: z.string() });

async function expectBooks(
  db: Database,
  receipts: readonly { readonly id: string }[],
  payments: readonly { readonly id: string }[],
): Promise<void> {
  const ids = async (query: ReturnType<typeof sql>): Promise<Set<string>> =>
    new Set((await db.rows(one, query)).map(({ id }) => id));
  const there = await ids(sql`SELECT id::text FROM receipts`);
  const paid = await ids(sql`SELECT id::text FROM receipts WHERE status = 'paid' AND received_minor = total_minor`);
  expect(receipts.filter(({ id }) => !there.has(id))).toEqual([]);
  expect(payments.filter(({ id }) => !paid.has(id))).toEqual([]);
  expect(new Set(receipts.map(({ id }) => id)).size).toBe(receipts.length);
  const twice = await db.rows(
    one,
    sql`SELECT receipt_id::text AS id FROM money_movements GROUP BY receipt_id HAVING count(*) > 1
        UNION ALL SELECT receipt_id::text FROM payments WHERE status = 'succeeded' GROUP BY receipt_id HAVING count(*) > 1
        UNION ALL SELECT raw_job_id FROM receipt_items WHERE active GROUP BY cluster, raw_job_id, submit_at HAVING count(*) > 1`,
  );
  expect(twice).toEqual([]);
  const { gaps } = await db.one(
    z.object({ gaps: z.bigint() }),
    sql`SELECT (SELECT sum(last) FROM receipt_counters)::bigint - count(*) AS gaps FROM receipts`,
  );
  expect(gaps).toBe(0n);
  expect(await verifyAudit(db, TEST_KEYRING)).toMatchObject({ ok: true });
}

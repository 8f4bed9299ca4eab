/** deploy/roll.sh under load, to a new version and back: nothing fails, is lost or is done twice. */
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { verifyAudit } from "../../../src/audit/verify.ts";
import { sql } from "../../../src/db/database.ts";
import { createUser } from "../../../src/identity/index.ts";
import { aJob, at, createTestContext, TEST_KEYRING, WEBHOOK_SECRET, type TestContext } from "../../support/context.ts";
import { until } from "../../support/until.ts";
import { openWorkplace, ROOT, type Workplace } from "../proxy/processes.ts";
import { startProxy } from "../proxy/proxies.ts";
import { startLoad, type Load } from "./load.ts";
import { chooseVersion, installVersion } from "./releases.ts";

const run = promisify(execFile);

const PORTS = [27_021, 27_022] as const;
const HTTPS = 27_447;
const STATUS = 27_092;
const OLD = "1.0.0";
const NEW = "2.0.0";
const PASSWORD = "a password of the load";
const READERS = ["reader1", "reader2"];
const PAYERS = ["payer1", "payer2", "payer3", "payer4"];
const DAYS = Array.from({ length: 400 }, (_, i) => new Date(Date.UTC(2025, 6, 1 + i)).toISOString().slice(0, 10));

let context: TestContext;
let place: Workplace;
let home: string;

beforeAll(async () => {
  context = await createTestContext();
  for (const username of [...READERS, ...PAYERS]) {
    await createUser(context.db, context.clock, { actor: "test" }, { username, password: PASSWORD, role: "user" });
  }
  await context.importJobs(
    [...READERS, ...PAYERS].flatMap((user) =>
      DAYS.map((day) => {
        const endAt = at(`${day}T05:00:00Z`);
        return aJob({ user, submitAt: endAt - 3_600, startAt: endAt - 3_600, endAt });
      }),
    ),
  );
  place = await openWorkplace();
  home = join(place.folder, "opt");
  for (const version of [OLD, NEW]) installVersion(home, version);
  chooseVersion(home, OLD);
  writeCommands();
  for (const port of PORTS) await run(join(place.folder, "start"), [String(port)]);
  for (const port of PORTS) await until(`${port} is ready`, async () => (await versionOn(port)) === OLD, 60_000);
  await startProxy(place, "nginx", "nginx", { https: HTTPS, http: 27_084, status: STATUS, upstreams: PORTS });
});

afterAll(async () => {
  for (const port of PORTS) await run(join(place.folder, "stop"), [String(port)]).catch(() => undefined);
  await place.close();
  await context.close();
});

describe("processes that are replaced one after the other", () => {
  it("drop no request, lose no receipt and no payment, and do none twice, forth and back", async () => {
    const load = startLoad({ ca: place.ca, port: HTTPS, db: context.db, password: PASSWORD, readers: READERS, payers: PAYERS, days: DAYS }); // prettier-ignore
    await sleep(3_000);
    const durations: number[] = [];
    for (const version of [NEW, OLD]) {
      const startedAt = Date.now();
      await roll(version);
      durations.push(Math.round((Date.now() - startedAt) / 1_000));
      expect(await Promise.all(PORTS.map(versionOn))).toEqual([version, version]);
    }
    await sleep(2_000);
    await load.stop();
    report(load, durations);

    expect(load.failures).toEqual([]);
    expect(load.receipts.length).toBeGreaterThan(30);
    await expectBooksToMatch(load);
  });

  it("would have been seen to fail: requests while nobody serves are failures", async () => {
    const load = startLoad({ ca: place.ca, port: HTTPS, db: context.db, password: PASSWORD, readers: READERS, payers: [], days: [] }); // prettier-ignore
    await sleep(1_500);
    expect(load.failures).toEqual([]);
    await Promise.all(PORTS.map((port) => run(join(place.folder, "stop"), [String(port)])));
    await sleep(500);
    await load.stop();
    expect(load.failures.length).toBeGreaterThan(0);
  });

  it("are left alone when one of them is not ready", async () => {
    await expect(roll(NEW)).rejects.toThrow(/not ready; nothing was changed/u);
  });
});

async function roll(version: string): Promise<void> {
  const { stdout } = await run(join(ROOT, "deploy/roll.sh"), [version], {
    env: {
      PATH: process.env["PATH"] ?? "",
      PORTS: PORTS.join(" "),
      STATUS_URL: `http://127.0.0.1:${STATUS}/readyz`,
      RELEASES: home,
      START: join(place.folder, "start"),
      STOP: join(place.folder, "stop"),
    },
  });
  process.stdout.write(stdout);
}

/** Stands in for systemd: starts what the unit starts, stops as it stops. */
function writeCommands(): void {
  const env = {
    APP_ENV: "production",
    SECRET_KEY: "0123456789abcdef0123456789abcdef",
    AUDIT_HMAC_KEYRING: [...TEST_KEYRING.keys].map(([id, secret]) => `${id}:${secret}`).join(","),
    PAYMENT_WEBHOOK_SECRET: WEBHOOK_SECRET,
    DATABASE_URL: context.url,
    DATA_DIR: join(place.folder, "data"),
    HOST: "127.0.0.1",
    TRUST_PROXY: "1",
  };
  mkdirSync(env.DATA_DIR);
  const settings = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`);
  writeCommand("start", [
    ...settings,
    `cd ${quoted(join(home, "current"))}`,
    'cd "$(pwd -P)"',
    `PORT=$1 nohup node_modules/.bin/node --max-semi-space-size=16 bin/hpc-billing.mjs serve </dev/null >>${quoted(place.folder)}/app-$1.log 2>&1 &`,
    `echo $! >${quoted(place.folder)}/app-$1.pid`,
  ]);
  writeCommand("stop", [
    `pid=$(cat ${quoted(place.folder)}/app-$1.pid)`,
    'kill "$pid" 2>/dev/null || exit 0',
    // As long as systemd would wait.
    'for _ in $(seq 1800); do [ -d "/proc/$pid" ] || exit 0; sleep 0.1; done',
    'kill -KILL "$pid"; exit 1',
  ]);
}

function writeCommand(name: string, lines: readonly string[]): void {
  const path = join(place.folder, name);
  writeFileSync(path, ["#!/bin/bash", ...lines, ""].join("\n"));
  chmodSync(path, 0o700);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

async function versionOn(port: number): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    return /hpc_build_info\{version="([^"]+)"/u.exec(await answer.text())?.[1];
  } catch {
    return undefined;
  }
}

/** What everybody was told, and nothing else, is in the books; once. */
async function expectBooksToMatch(load: Load): Promise<void> {
  const { db } = context;
  const receiptRows = await db.rows(
    z.object({ id: z.bigint(), status: z.string(), paid_by: z.int(), events: z.int() }),
    sql`SELECT r.id, r.status,
               (SELECT count(*)::int FROM payments p WHERE p.receipt_id = r.id AND p.status = 'succeeded') AS paid_by,
               (SELECT count(*)::int FROM payment_events e WHERE e.event_id = 'evt-' || r.id AND e.verdict = 'applied') AS events
        FROM receipts r ORDER BY r.id`,
  );
  const sorted = (ids: readonly string[]): string[] => ids.toSorted((a, b) => Number(a) - Number(b));
  expect(new Set(load.receipts).size).toBe(load.receipts.length);
  expect(receiptRows.map(({ id }) => String(id))).toEqual(sorted(load.receipts));
  expect(receiptRows.filter(({ status }) => status === "paid").map(({ id }) => String(id))).toEqual(sorted(load.paid));
  expect(receiptRows.filter(({ paid_by, events }) => paid_by !== 1 || events !== 1)).toEqual([]);
  const doubled = await db.rows(
    z.object({ times: z.int() }),
    sql`SELECT count(*)::int AS times FROM receipt_items GROUP BY cluster, raw_job_id, submit_at HAVING count(*) > 1`,
  );
  expect(doubled).toEqual([]);
  expect(await verifyAudit(db, TEST_KEYRING)).toMatchObject({ ok: true });
  for (const port of PORTS) {
    const log = readFileSync(join(place.folder, `app-${port}.log`), "utf8");
    expect(log.split("\n").filter((line) => line.includes('"level":"error"'))).toEqual([]);
  }
}

function report(load: Load, durations: readonly number[]): void {
  const total = Object.values(load.requests).reduce((sum, count) => sum + count, 0);
  const kinds = Object.entries(load.requests).map(([kind, count]) => `${count} × ${kind}`);
  process.stdout.write(
    `${total} requests (${kinds.join(", ")}), ${load.failures.length} failed, slowest ${Math.round(load.slowestMs)} ms; ` +
      `${load.receipts.length} receipts, ${load.paid.length} paid; rolled in ${durations.join(" and ")} s\n`,
  );
}

import { statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import pino from "pino";
import { z } from "zod";
import { auditWriter } from "../../src/audit/store.ts";
import { verifyAudit } from "../../src/audit/verify.ts";
import { checkBooks } from "../../src/billing/balance/books.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { openClient, openPool } from "../../src/db/connection.ts";
import { Database, sql } from "../../src/db/database.ts";
import { migrateDatabase } from "../../src/db/migrate.ts";
import { ConflictError } from "../../src/errors.ts";
import { createUser } from "../../src/identity/index.ts";
import { startSession } from "../../src/identity/sessions.ts";
import { startQueue } from "../../src/queue.ts";
import { BreakList } from "../../src/usage/reconcile/breaks.ts";
import { addDays } from "../../src/usage/site-day.ts";
import { aJob, createTestContext, importJobs, TEST_KEYRING, type TestContext } from "../support/context.ts";
import {
  backUp,
  backupFolder,
  createEmptyDatabase,
  destroy,
  openDatabase,
  restore,
  somebodyPays,
  stateOf,
} from "./support.ts";

let context: TestContext;
let empty: { url: string; drop(): Promise<void> };
let folder: string;

beforeEach(async () => {
  [context, empty] = await Promise.all([createTestContext(), createEmptyDatabase()]);
  folder = backupFolder();
});

afterEach(async () => {
  await context.close();
  await empty.drop();
});

/** What differs between two databases, by table. */
async function differences(before: Map<string, string>, url: string): Promise<string[]> {
  const after = await stateOf(url);
  expect([...after.keys()]).toEqual([...before.keys()]);
  return [...before.keys()].filter((name) => before.get(name) !== after.get(name));
}

async function count(url: string, table: string): Promise<number> {
  const line = (await stateOf(url)).get(table) ?? "";
  return Number(line.split(" ")[0]);
}

describe("the drill", () => {
  it("brings back exactly what was backed up, and nothing of what came later", async () => {
    for (let n = 0; n < 3; n++) await somebodyPays(context);
    await context.importJobs([aJob({ user: "nobody-pays" })]);
    const before = await stateOf(context.url);
    const taken = await backUp(context, { folder });
    expect(statSync(taken.path).mode & 0o777).toBe(0o600);
    await somebodyPays(context);
    await destroy(context.url);

    const restored = await restore({ databaseUrl: empty.url, file: taken.path });

    expect(restored.accepted).toEqual([]);
    // The one record that says so.
    expect(await differences(before, empty.url)).toEqual(["audit_head", "audit_log"]);
    const db = openDatabase(empty.url);
    const verdict = await verifyAudit(db, TEST_KEYRING);
    expect(verdict).toMatchObject({ ok: true, records: BigInt(taken.manifest.audit.records) + 1n });
    const last = await db.one(z.unknown(), sql`SELECT action, actor FROM audit_log ORDER BY id DESC LIMIT 1`);
    expect(last).toEqual({ action: "backup.restored", actor: "test" });
    await expect(db.run(sql`UPDATE audit_log SET actor = 'x'`)).rejects.toThrow("append-only");
    await expect(db.run(sql`UPDATE receipts SET total_minor = 1`)).rejects.toThrow("cannot be edited");
    await db.close();
  });

  it("leaves a database with which everything goes on: numbers, queue, migrations", async () => {
    await somebodyPays(context);
    const { path } = await backUp(context, { folder });
    await restore({ databaseUrl: empty.url, file: path });

    await migrateDatabase({ connectionString: empty.url, log: () => undefined });
    const db = new Database(
      openPool(empty.url, { max: 5, onIdleError: () => undefined }),
      auditWriter(TEST_KEYRING, context.clock),
    );
    await importJobs({ ...context, db }, [aJob({ user: "zoe" })]);
    const receipt = await issueReceipt(
      { ...context, db },
      { userName: "zoe", cutoffDay: "2026-10-31" },
      { actor: "zoe" },
    );
    expect(receipt).toMatchObject({ number: "R-2026-000002" });
    await db.close();
    const queue = await startQueue({
      databaseUrl: empty.url,
      timeZone: "Asia/Bangkok",
      logger: pino({ level: "silent" }),
      tasks: [{ name: "sync", retries: 1, atOnce: 1, schedules: [], work: () => Promise.resolve() }],
    });
    expect(await queue.send("sync", { key: "one", requestedBy: "test", options: {} })).toBe(true);
    await queue.stop();
  });

  it("signs nobody in again who was signed in when the backup was taken", async () => {
    const person = { username: "ann", password: "correct horse battery", role: "user" } as const;
    await createUser(context.db, context.clock, { actor: "test" }, person);
    const { passwordHash } = await context.db.one(
      z.object({ passwordHash: z.string() }),
      sql`SELECT password_hash AS "passwordHash" FROM users`,
    );
    await context.db.transaction((tx) => startSession(tx, { username: "ann", passwordHash, now: context.clock.now() }));
    expect(await count(context.url, "sessions")).toBe(1);
    const { path } = await backUp(context, { folder });
    await restore({ databaseUrl: empty.url, file: path });
    expect(await count(empty.url, "users")).toBe(1);
    expect(await count(empty.url, "sessions")).toBe(0);
  });

  it("taken while others write, restores to books that balance", async () => {
    await somebodyPays(context);
    let isOver = false;
    let paid = 1;
    const writer = async (): Promise<void> => {
      while (!isOver) {
        await somebodyPays(context);
        paid++;
      }
    };
    const writers = [writer(), writer(), writer()];
    const files: string[] = [];
    for (let n = 0; n < 3; n++) files.push((await backUp(context, { folder })).path);
    isOver = true;
    await Promise.all(writers);

    for (const file of files) {
      const target = await createEmptyDatabase();
      await restore({ databaseUrl: target.url, file });
      const db = openDatabase(target.url);
      const breaks = new BreakList();
      const { receipts } = await checkBooks(
        {
          ...context,
          db,
          days: ["2026-10-10", "2026-11-01"].map((day) => ({
            day,
            from: context.days.startOf(day),
            to: context.days.startOf(addDays(day, 1)),
          })),
          signal: new AbortController().signal,
          onAlive: () => Promise.resolve(),
        },
        breaks,
      );
      expect(breaks.kept).toEqual([]);
      expect(receipts.count).toBeGreaterThan(0n);
      expect(receipts.count).toBeLessThanOrEqual(BigInt(paid));
      await db.close();
      await target.drop();
    }
  });
});

describe("restore", () => {
  it("refuses a database that is not empty, and leaves it as it is", async () => {
    await somebodyPays(context);
    const { path } = await backUp(context, { folder });
    const before = await stateOf(context.url);
    await expect(restore({ databaseUrl: context.url, file: path })).rejects.toThrow("not empty");
    expect(await differences(before, context.url)).toEqual([]);
  });

  it("drops what is there when told, but not while somebody is connected", async () => {
    await somebodyPays(context);
    const { path } = await backUp(context, { folder });
    const target = await createTestContext();
    await somebodyPays(target);
    await somebodyPays(target);
    const queue = await startQueue({
      databaseUrl: target.url,
      timeZone: "UTC",
      logger: pino({ level: "silent" }),
      tasks: [],
    });
    await queue.stop();
    const request = { databaseUrl: target.url, file: path, replace: true };

    await expect(restore(request)).rejects.toThrow(ConflictError);
    await target.db.close();
    await restore(request);

    expect(await count(target.url, "receipts")).toBe(1);
    const client = openClient(target.url);
    await client.connect();
    const { rows } = await client.query("SELECT to_regnamespace('pgboss') AS queue");
    expect(rows).toEqual([{ queue: null }]);
    await client.end();
  });

  it("as a trial checks everything beside the data that is there, and changes nothing", async () => {
    await somebodyPays(context);
    const { path } = await backUp(context, { folder });
    await somebodyPays(context);
    const before = await stateOf(context.url);

    const { manifest } = await restore({ databaseUrl: context.url, file: path, isTrial: true });

    expect(manifest.tables.find(({ name }) => name === "receipts")).toMatchObject({ rows: "1" });
    expect(await differences(before, context.url)).toEqual([]);
    const { schemas } = await context.db.one(
      z.object({ schemas: z.bigint() }),
      sql`SELECT count(*) AS schemas FROM pg_namespace WHERE nspname LIKE 'hpc%'`,
    );
    expect(schemas).toBe(0n);
  });

  it("refuses an empty database to back up", async () => {
    await expect(backUp({ ...context, url: empty.url }, { folder })).rejects.toThrow("nothing to back up");
  });
});

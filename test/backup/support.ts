import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { inject } from "vitest";
import { z } from "zod";
import type { AuditKeyring } from "../../src/audit/chain.ts";
import { restoreBackup, type Restored, type RestoreRequest } from "../../src/backup/restore.ts";
import { takeBackup, type BackupRequest, type BackupTaken } from "../../src/backup/take.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { systemClock } from "../../src/clock.ts";
import { openClient, openPool } from "../../src/db/connection.ts";
import { Database, raw, sql } from "../../src/db/database.ts";
import { startCheckout } from "../../src/payments/checkout.ts";
import { signDummyBody } from "../../src/payments/dummy.ts";
import { receiveWebhook } from "../../src/payments/webhook.ts";
import { aJob, TEST_KEYRING, WEBHOOK_SECRET, type TestContext } from "../support/context.ts";
import { databaseUrl } from "../support/database-url.ts";
import { makeFolderIn } from "../support/run-folder.ts";

/** A database without anything in it, as a new server has. */
export async function createEmptyDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await asAdmin(`CREATE DATABASE ${name}`);
  return {
    url: databaseUrl(inject("postgresAdminUrl"), name),
    drop: () => asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/** Drops a database, whoever uses it. */
export function destroy(url: string): Promise<void> {
  return asAdmin(`DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
}

async function asAdmin(statement: string): Promise<void> {
  const client = openClient(inject("postgresAdminUrl"));
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export function backupFolder(): string {
  return join(makeFolderIn(inject("runFolder")), "backups");
}

export function backUp(
  context: TestContext,
  overrides: Partial<BackupRequest> & { folder: string },
): Promise<BackupTaken> {
  return takeBackup({
    databaseUrl: context.url,
    now: systemClock.now(),
    version: "1.2.3",
    keyring: TEST_KEYRING,
    recipients: [],
    keep: null,
    onTable: () => undefined,
    ...overrides,
  });
}

export function restore(
  request: Pick<RestoreRequest, "databaseUrl" | "file"> & Partial<RestoreRequest>,
): Promise<Restored> {
  return restoreBackup({
    identity: undefined,
    keyring: TEST_KEYRING,
    clock: systemClock,
    actor: "test",
    replace: false,
    isTrial: false,
    acceptsBrokenChain: false,
    onTable: () => undefined,
    ...request,
  });
}

export function openDatabase(url: string): Database {
  const refuse = (): Promise<never> => Promise.reject(new Error("this database is looked at only"));
  return new Database(openPool(url, { max: 4, onIdleError: () => undefined }), refuse);
}

/** The number of tables and the rows of each, as one line per table that any change in it changes. */
export async function stateOf(url: string): Promise<Map<string, string>> {
  const db = openDatabase(url);
  try {
    const tables = await db.rows(
      z.object({ name: z.string() }),
      sql`SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`,
    );
    const lines = tables.map(async ({ name }): Promise<[string, string]> => {
      const { line } = await db.one(
        z.object({ line: z.string() }),
        sql`SELECT count(*) || ' ' || md5(coalesce(string_agg(t::text, E'\n' ORDER BY t::text), '')) AS line FROM ${raw(name)} t`,
      );
      return [name, line];
    });
    return new Map(await Promise.all(lines));
  } finally {
    await db.close();
  }
}

let people = 0;

/** Somebody's job, receipt, checkout and payment, as the product does them. Gives the receipt's id. */
export async function somebodyPays(context: TestContext): Promise<bigint> {
  const user = `user${++people}`;
  const by = { actor: user };
  await context.importJobs([aJob({ user }), aJob({ user, allocGpus: 1, jobName: "tab\tnew\nline \\N 'quote' ไทย" })]);
  const receipt = await issueReceipt(context, { userName: user, cutoffDay: "2026-10-31" }, by);
  if (receipt === undefined || receipt === null) throw new Error("nothing was billed");
  const { url } = await startCheckout(context.payments, receipt.id, by);
  const body = Buffer.from(
    JSON.stringify({
      event_id: `evt_${user}`,
      event_type: "payment.succeeded",
      external_payment_id: new URLSearchParams(url.split("?")[1]).get("external_payment_id"),
      amount_cents: Number(receipt.totalMinor),
      currency: "THB",
    }),
  );
  const answer = await receiveWebhook(context.payments, context.payments.provider, {
    rawBody: body,
    header: (name) => (name === "x-dummy-signature" ? signDummyBody(WEBHOOK_SECRET, body) : undefined),
    requestId: `request-${user}`,
  });
  if (answer.verdict !== "applied") throw new Error(`the payment was not applied: ${answer.reason}`);
  return receipt.id;
}

export const OTHER_KEYRING: AuditKeyring = { activeKeyId: "test", keys: new Map([["test", "another secret"]]) };

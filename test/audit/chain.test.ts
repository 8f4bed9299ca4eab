import fc from "fast-check";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/audit/chain.ts";
import { auditRecordsAfter } from "../../src/audit/store.ts";
import { verifyAudit } from "../../src/audit/verify.ts";
import { sql } from "../../src/db/database.ts";
import { createTestContext, TEST_KEYRING, type TestContext } from "../support/context.ts";

let context: TestContext;

beforeEach(async () => {
  context = await createTestContext();
});

afterEach(() => context.close());

async function record(action: string, details: Record<string, unknown> = {}): Promise<void> {
  await context.db.transaction((tx) => {
    tx.audit({ actor: "test", action, subject: "thing:1", details });
    return Promise.resolve();
  });
}

/** What somebody with the superuser's password could do. */
async function tamper(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: context.url });
  await client.connect();
  await client.query("ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only");
  await client.query(statement);
  await client.end();
}

describe("the audit chain", () => {
  it("is one chain, whoever writes at the same time", async () => {
    await Promise.all(Array.from({ length: 60 }, (_, index) => record(`write.${index}`)));
    expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true, records: 60n });
    const ids = (await auditRecordsAfter(context.db, 0n, 100)).map((row) => row.id);
    expect(ids).toEqual(Array.from({ length: 60 }, (_, index) => BigInt(index + 1)));
  });

  it("has no record of what was rolled back", async () => {
    await expect(
      context.db.transaction((tx) => {
        tx.audit({ actor: "test", action: "never", subject: "x", details: {} });
        return Promise.reject(new Error("no"));
      }),
    ).rejects.toThrow("no");
    expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true, records: 0n });
  });

  it("refuses to be changed, deleted or emptied", async () => {
    await record("first");
    for (const statement of [
      sql`UPDATE audit_log SET actor = 'me'`,
      sql`DELETE FROM audit_log`,
      sql`TRUNCATE audit_log`,
    ]) {
      await expect(context.db.run(statement)).rejects.toThrow("append-only");
    }
  });

  it.each([
    ["an edited record", "UPDATE audit_log SET details = '{\"amount\": 1}' WHERE id = 3", 3n],
    ["another actor", "UPDATE audit_log SET actor = 'somebody else' WHERE id = 2", 2n],
    ["another time", "UPDATE audit_log SET at = at + interval '1 second' WHERE id = 4", 4n],
    ["a removed record", "DELETE FROM audit_log WHERE id = 3", 3n],
    ["a cut tail", "DELETE FROM audit_log WHERE id >= 4", 4n],
    [
      "two records that changed places",
      "UPDATE audit_log SET id = CASE id WHEN 2 THEN -3 WHEN 3 THEN -2 END WHERE id IN (2, 3); UPDATE audit_log SET id = -id WHERE id < 0",
      2n,
    ],
    ["a tail cut off together with the head", "DELETE FROM audit_log WHERE id = 5; UPDATE audit_head SET id = 4", 4n],
    [
      "a record beyond the head",
      "INSERT INTO audit_log SELECT 6, at, actor, action, subject, details, request_id, key_id, hash, 'forged' FROM audit_log WHERE id = 5",
      6n,
    ],
  ])("finds %s", async (_what, statement, brokenAt) => {
    for (let index = 1; index <= 5; index++) await record(`step.${index}`, { amount: 100, note: "ไทย" });
    await tamper(statement);
    expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: false, brokenAt });
  });

  it("does not verify with another key, and says which key it lacks", async () => {
    await record("first");
    const wrong = { activeKeyId: "test", keys: new Map([["test", "another secret"]]) };
    expect(await verifyAudit(context.db, wrong)).toMatchObject({ ok: false, brokenAt: 1n });
    const missing = { activeKeyId: "new", keys: new Map([["new", "another secret"]]) };
    expect(await verifyAudit(context.db, missing)).toMatchObject({
      ok: false,
      reason: 'the keyring has no key "test"',
    });
  });

  it("verifies whatever details were written, as the database gives them back", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ noUnicodeString: false })),
        async (details) => {
          const text = JSON.stringify(details);
          // PostgreSQL's jsonb holds neither NUL nor lone surrogates, nor numbers as long as those of fast-check.
          fc.pre(!/\\u0000|\\ud[89a-f]/iu.test(text) && !/\d[eE.]/u.test(text) && !/-0/u.test(text));
          await record("any", details);
        },
      ),
      { numRuns: 60 },
    );
    expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
  });

  it("writes JSON in one canonical way", () => {
    expect(canonicalJson({ b: 1n, a: [true, null, { z: undefined, y: "ก" }] })).toBe(
      '{"a":[true,null,{"y":"ก"}],"b":"1"}',
    );
  });
});

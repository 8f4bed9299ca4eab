import { z } from "zod";
import { auditWriter } from "../../src/audit/store.ts";
import type { Clock } from "../../src/clock.ts";
import { openPool } from "../../src/db/connection.ts";
import { Database, sql } from "../../src/db/database.ts";
import { createTestDatabase } from "../support/database.ts";

export const RULE = { maxFails: 5, windowSeconds: 300, lockSeconds: 300 };
export const BY = { actor: "test" };

/** A clock that stands still until told. */
export class TestClock implements Clock {
  #now = new Date("2026-10-31T09:00:00Z");

  now(): Date {
    return new Date(this.#now);
  }

  advance(seconds: number): void {
    this.#now = new Date(this.#now.getTime() + seconds * 1_000);
  }
}

export interface IdentityHarness {
  readonly db: Database;
  readonly clock: TestClock;
  /** `action subject` of every audit record, oldest first. */
  audited(): Promise<string[]>;
  /** All audit records as text, to look for secrets in. */
  auditText(): Promise<string>;
  close(): Promise<void>;
}

export async function startIdentity(): Promise<IdentityHarness> {
  const database = await createTestDatabase();
  const pool = openPool(database.url, { max: 10, onIdleError: () => undefined });
  const clock = new TestClock();
  const db = new Database(pool, auditWriter({ activeKeyId: "k", keys: new Map([["k", "test key test key"]]) }, clock));
  const line = z.object({ line: z.string() });
  const read = async (query: ReturnType<typeof sql>): Promise<string[]> =>
    (await db.rows(line, query)).map((row) => row.line);
  return {
    db,
    clock,
    audited: () => read(sql`SELECT action || ' ' || subject AS line FROM audit_log ORDER BY id`),
    auditText: async () => (await read(sql`SELECT l::text AS line FROM audit_log l`)).join("\n"),
    async close() {
      await db.close();
      await database.drop();
    },
  };
}

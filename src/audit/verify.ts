import { z } from "zod";
import type { Clock } from "../clock.ts";
import { sql, type Database, type Queries } from "../db/database.ts";
import { hashOf, sameHash, type AuditKeyring } from "./chain.ts";
import { auditRecordsAfter } from "./store.ts";

/** The answer of a check of the whole chain. */
export type AuditVerdict =
  | { readonly ok: true; readonly records: bigint; readonly head: string }
  | { readonly ok: false; readonly brokenAt: bigint; readonly reason: string };

const PAGE = 2_000;

/**
 * Recomputes every record's hash from the first to the head. Finds an edited, removed, inserted or re-ordered record,
 * and a tail that was cut off behind the head's back. Reads in pages, in constant memory; records that are written
 * meanwhile are checked when they come before the head seen at the start.
 */
export async function verifyAudit(db: Queries, keyring: AuditKeyring): Promise<AuditVerdict> {
  const head = await db.one(z.object({ id: z.bigint(), hash: z.string() }), sql`SELECT id, hash FROM audit_head`);
  let lastId = 0n;
  let lastHash = "";
  while (lastId < head.id) {
    const page = await auditRecordsAfter(db, lastId, PAGE);
    if (page.length === 0) break;
    for (const record of page) {
      if (record.id > head.id) break;
      if (record.id !== lastId + 1n) return broken(lastId + 1n, "the record is missing");
      if (!sameHash(record.prevHash, lastHash)) return broken(record.id, "it does not follow the record before it");
      const expected = hashOf(record, keyring);
      if (expected === undefined) return broken(record.id, `the keyring has no key "${record.keyId}"`);
      if (!sameHash(expected, record.hash)) return broken(record.id, "its content does not match its hash");
      lastId = record.id;
      lastHash = record.hash;
    }
  }
  if (lastId !== head.id) return broken(lastId + 1n, `the records after ${lastId} up to ${head.id} are missing`);
  if (lastHash !== head.hash) return broken(head.id, "the head of the chain was changed");
  const { extra } = await db.one(
    z.object({ extra: z.bigint().nullable() }),
    sql`SELECT min(l.id) AS extra FROM audit_log l, audit_head h WHERE l.id > h.id`,
  );
  if (extra !== null) return broken(extra, "it lies beyond the head of the chain");
  return { ok: true, records: head.id, head: head.hash };
}

function broken(brokenAt: bigint, reason: string): AuditVerdict {
  return { ok: false, brokenAt, reason };
}

const checkSchema = z.object({
  checked_at: z.date(),
  ok: z.boolean(),
  records: z.bigint(),
  broken_at: z.bigint().nullable(),
  reason: z.string().nullable(),
});

export type AuditCheck = z.output<typeof checkSchema>;

/** Verifies and keeps the answer, for the dashboard and the metrics. */
export async function checkAudit(db: Database, keyring: AuditKeyring, clock: Clock): Promise<AuditVerdict> {
  const verdict = await verifyAudit(db, keyring);
  await db.run(
    verdict.ok
      ? sql`INSERT INTO audit_checks (checked_at, ok, records, head) VALUES (${clock.now()}, true, ${verdict.records}, ${verdict.head})`
      : sql`INSERT INTO audit_checks (checked_at, ok, records, head, broken_at, reason)
            VALUES (${clock.now()}, false, 0, '', ${verdict.brokenAt}, ${verdict.reason})`,
  );
  return verdict;
}

export function lastAuditCheck(db: Database): Promise<AuditCheck | undefined> {
  return db.maybeOne(
    checkSchema,
    sql`SELECT checked_at, ok, records, broken_at, reason FROM audit_checks ORDER BY id DESC LIMIT 1`,
  );
}

import { z } from "zod";
import type { Clock } from "../clock.ts";
import { sql, type AuditWriter, type Queries } from "../db/database.ts";
import { canonicalJson, hashOf, type AuditKeyring } from "./chain.ts";

/**
 * Makes the writer that the transaction helper calls just before each commit: it takes the lock of the chain's head,
 * links the new records to it and moves it on. Concurrent transactions queue on that one row.
 */
export function auditWriter(keyring: AuditKeyring, clock: Clock): AuditWriter {
  return async (queries, events) => {
    const head = await queries.one(
      z.object({ id: z.bigint(), hash: z.string() }),
      sql`SELECT id, hash FROM audit_head FOR UPDATE`,
    );
    let { id, hash } = head;
    for (const event of events) {
      id += 1n;
      const record = {
        id,
        at: clock.now(),
        actor: event.actor,
        action: event.action,
        subject: event.subject,
        details: event.details,
        requestId: event.requestId ?? null,
        keyId: keyring.activeKeyId,
        prevHash: hash,
      };
      const next = hashOf(record, keyring);
      if (next === undefined) throw new Error(`the audit keyring has no key "${keyring.activeKeyId}"`);
      hash = next;
      await queries.run(
        sql`INSERT INTO audit_log (id, at, actor, action, subject, details, request_id, key_id, prev_hash, hash)
            VALUES (${id}, ${record.at}, ${record.actor}, ${record.action}, ${record.subject},
                    ${canonicalJson(record.details)}::jsonb, ${record.requestId}, ${record.keyId}, ${record.prevHash}, ${hash})`,
      );
    }
    await queries.run(sql`UPDATE audit_head SET id = ${id}, hash = ${hash}`);
  };
}

/** An audit record as pages and files show it. */
export const auditRecordSchema = z
  .object({
    id: z.bigint(),
    at: z.date(),
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    details: z.unknown(),
    request_id: z.string().nullable(),
    key_id: z.string(),
    prev_hash: z.string(),
    hash: z.string(),
  })
  .transform(({ request_id, key_id, prev_hash, ...row }) => {
    return { ...row, requestId: request_id, keyId: key_id, prevHash: prev_hash };
  });

export type AuditRecord = z.output<typeof auditRecordSchema>;

/** Records after an id, oldest first. */
export function auditRecordsAfter(queries: Queries, afterId: bigint, limit: number): Promise<AuditRecord[]> {
  return queries.rows(
    auditRecordSchema,
    sql`SELECT id, at, actor, action, subject, details, request_id, key_id, prev_hash, hash
        FROM audit_log WHERE id > ${afterId} ORDER BY id LIMIT ${limit}`,
  );
}

/** Narrowing of the audit list; undefined means any. */
export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
}

/** Records before an id (or the newest), newest first. */
export function auditRecordsBefore(
  queries: Queries,
  filter: AuditFilter,
  beforeId: bigint | null,
  limit: number,
): Promise<AuditRecord[]> {
  const { actor = null, action = null, subject = null } = filter;
  return queries.rows(
    auditRecordSchema,
    sql`SELECT id, at, actor, action, subject, details, request_id, key_id, prev_hash, hash
        FROM audit_log
        WHERE (${beforeId}::bigint IS NULL OR id < ${beforeId}::bigint)
          AND (${actor}::text IS NULL OR actor = ${actor}::text)
          AND (${action}::text IS NULL OR action = ${action}::text)
          AND (${subject}::text IS NULL OR subject = ${subject}::text)
        ORDER BY id DESC LIMIT ${limit}`,
  );
}

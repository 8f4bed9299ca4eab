import { z } from "zod";
import type { Clock } from "../clock.ts";
import { sql, type AuditWriter, type Queries, type Sql } from "../db/database.ts";
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

const RECORD_COLUMNS = sql`id, at, actor, action, subject, details, request_id, key_id, prev_hash, hash`;

function filterConditions({ actor, action, subject }: AuditFilter): Sql {
  let conditions = sql`true`;
  if (actor !== undefined) conditions = sql`${conditions} AND actor = ${actor}`;
  if (action !== undefined) conditions = sql`${conditions} AND action = ${action}`;
  if (subject !== undefined) conditions = sql`${conditions} AND subject = ${subject}`;
  return conditions;
}

/** Records before an id (or the newest), newest first. */
export function auditRecordsBefore(
  queries: Queries,
  filter: AuditFilter,
  beforeId: bigint | null,
  limit: number,
): Promise<AuditRecord[]> {
  const from = beforeId === null ? sql`true` : sql`id < ${beforeId}`;
  return queries.rows(
    auditRecordSchema,
    sql`SELECT ${RECORD_COLUMNS} FROM audit_log WHERE ${filterConditions(filter)} AND ${from} ORDER BY id DESC LIMIT ${limit}`,
  );
}

/** Records of a filter after an id, oldest first. */
export function filteredAuditRecordsAfter(
  queries: Queries,
  filter: AuditFilter,
  afterId: bigint,
  limit: number,
): Promise<AuditRecord[]> {
  return queries.rows(
    auditRecordSchema,
    sql`SELECT ${RECORD_COLUMNS} FROM audit_log WHERE ${filterConditions(filter)} AND id > ${afterId} ORDER BY id LIMIT ${limit}`,
  );
}

/** All records of a filter, oldest first, in pages: for files of any size. */
export async function* allAuditRecords(queries: Queries, filter: AuditFilter): AsyncGenerator<AuditRecord[]> {
  const limit = 1_000;
  for (let after = 0n; ;) {
    const page = await filteredAuditRecordsAfter(queries, filter, after, limit);
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (page.length < limit || last === undefined) return;
    after = last.id;
  }
}

export function findAuditRecord(queries: Queries, id: bigint): Promise<AuditRecord | undefined> {
  return queries.maybeOne(auditRecordSchema, sql`SELECT ${RECORD_COLUMNS} FROM audit_log WHERE id = ${id}`);
}

/** Number of records in the chain, by its head. */
export async function auditRecordCount(queries: Queries): Promise<bigint> {
  return (await queries.one(z.object({ id: z.bigint() }), sql`SELECT id FROM audit_head`)).id;
}

/** The kinds of action there are, by name: jumps from one to the next in the index instead of reading every record. */
export async function auditActions(queries: Queries): Promise<string[]> {
  const rows = await queries.rows(
    z.object({ action: z.string() }),
    sql`WITH RECURSIVE known AS (
          (SELECT action FROM audit_log ORDER BY action LIMIT 1)
          UNION ALL
          SELECT (SELECT l.action FROM audit_log l WHERE l.action > known.action ORDER BY l.action LIMIT 1)
          FROM known WHERE known.action IS NOT NULL
        )
        SELECT action FROM known WHERE action IS NOT NULL`,
  );
  return rows.map(({ action }) => action);
}

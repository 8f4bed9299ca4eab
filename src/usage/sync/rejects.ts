import { createHash } from "node:crypto";
import { z } from "zod";
import { sql, type Database } from "../../db/database.ts";
import type { RejectedRow } from "../../slurm/job-record.ts";

/** A row that a sync could not read, and since when it comes. */
export interface SyncReject {
  readonly fingerprint: Buffer;
  readonly cluster: string;
  readonly source: string;
  readonly line: number;
  readonly reason: string;
  readonly text: string;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
}

/** Keeps rejected rows, once each: a window that is read again brings the same rows again. */
export async function keepRejects(
  db: Database,
  from: { readonly cluster: string; readonly source: string; readonly at: Date },
  rows: readonly RejectedRow[],
): Promise<void> {
  const byFingerprint = new Map(
    rows.map((row) => [createHash("sha256").update(`${from.source}\0${row.reason}\0${row.text}`).digest("hex"), row]),
  );
  const kept = [...byFingerprint].sort(([a], [b]) => (a < b ? -1 : 1));
  await db.run(
    sql`INSERT INTO sync_rejects (cluster, fingerprint, source, line, reason, text, first_seen_at, last_seen_at)
        SELECT ${from.cluster}, decode(r.fingerprint, 'hex'), ${from.source}, r.line, r.reason, r.text, ${from.at}, ${from.at}
        FROM unnest(${kept.map(([fingerprint]) => fingerprint)}::text[], ${kept.map(([, row]) => row.line)}::bigint[],
                    ${kept.map(([, row]) => row.reason)}::text[], ${kept.map(([, row]) => row.text)}::text[])
          AS r (fingerprint, line, reason, text)
        ON CONFLICT (cluster, fingerprint) DO UPDATE SET last_seen_at = excluded.last_seen_at, line = excluded.line`,
  );
}

const KEPT_DAYS = 90;

/** Drops rejected rows that have not come again for a long time. */
export async function dropOldRejects(db: Database, cluster: string, now: Date): Promise<void> {
  await db.run(
    sql`DELETE FROM sync_rejects
        WHERE cluster = ${cluster} AND last_seen_at < ${now}::timestamptz - make_interval(days => ${KEPT_DAYS})`,
  );
}

const rejectSchema = z
  .object({
    fingerprint: z.instanceof(Buffer),
    cluster: z.string(),
    source: z.string(),
    line: z.bigint(),
    reason: z.string(),
    text: z.string(),
    first_seen_at: z.date(),
    last_seen_at: z.date(),
  })
  .transform((row): SyncReject => ({
    fingerprint: row.fingerprint,
    cluster: row.cluster,
    source: row.source,
    line: Number(row.line),
    reason: row.reason,
    text: row.text,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  }));

/** The rows of a cluster that could not be read, those that came last first; `after` is the last one of the page before. */
export function listRejects(
  db: Database,
  cluster: string,
  { limit, after }: { readonly limit: number; readonly after?: SyncReject | undefined },
): Promise<SyncReject[]> {
  const from =
    after === undefined ? sql`` : sql`AND (last_seen_at, fingerprint) < (${after.lastSeenAt}, ${after.fingerprint})`;
  return db.rows(
    rejectSchema,
    sql`SELECT fingerprint, cluster, source, line, reason, text, first_seen_at, last_seen_at FROM sync_rejects
        WHERE cluster = ${cluster} ${from} ORDER BY last_seen_at DESC, fingerprint DESC LIMIT ${limit}`,
  );
}

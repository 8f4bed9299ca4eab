import { z } from "zod";
import { sql, type Queries } from "../db/database.ts";

export interface ThrottleRule {
  readonly maxFails: number;
  readonly windowSeconds: number;
  readonly lockSeconds: number;
}

export interface ThrottleKey {
  readonly username: string;
  readonly ip: string;
}

/** More than this says nothing new, and an integer column has an end. */
const MAX_COUNT = 1_000_000;

const countedSchema = z.object({ fails: z.int(), locked_until: z.date().nullable() });
export type CountedAttempt = z.output<typeof countedSchema>;

/**
 * Counts an attempt as failed before its password is looked at, in one statement. However many come at once, the
 * counter gives each its number, so no more than `maxFails` are ever checked. The attempt that reaches the limit
 * starts the lock; a lock or window that has passed begins anew.
 */
export function countAttempt(
  queries: Queries,
  key: ThrottleKey,
  rule: ThrottleRule,
  now: Date,
): Promise<CountedAttempt> {
  const windowFrom = new Date(now.getTime() - rule.windowSeconds * 1_000);
  const lockUntil = new Date(now.getTime() + rule.lockSeconds * 1_000);
  const isOver = sql`(CASE WHEN t.locked_until IS NULL THEN t.window_started_at <= ${windowFrom}::timestamptz ELSE t.locked_until <= ${now}::timestamptz END)`;
  return queries.one(
    countedSchema,
    sql`INSERT INTO login_throttle AS t (username, ip, fails, window_started_at, locked_until)
        VALUES (${key.username}, ${key.ip}, 1, ${now}, CASE WHEN ${rule.maxFails}::integer <= 1 THEN ${lockUntil}::timestamptz END)
        ON CONFLICT (username, ip) DO UPDATE SET
          fails = CASE WHEN ${isOver} THEN 1 ELSE LEAST(t.fails + 1, ${MAX_COUNT}::integer) END,
          window_started_at = CASE WHEN ${isOver} THEN ${now}::timestamptz ELSE t.window_started_at END,
          locked_until = CASE
            WHEN ${isOver} THEN CASE WHEN ${rule.maxFails}::integer <= 1 THEN ${lockUntil}::timestamptz END
            WHEN t.locked_until IS NULL AND t.fails + 1 >= ${rule.maxFails}::integer THEN ${lockUntil}::timestamptz
            ELSE t.locked_until END
        RETURNING fails, locked_until`,
  );
}

export async function deleteThrottle(queries: Queries, key: ThrottleKey): Promise<void> {
  await queries.run(sql`DELETE FROM login_throttle WHERE username = ${key.username} AND ip = ${key.ip}`);
}

/** Deletes at most `limit` rows whose window and lock are over. */
export function deleteExpiredThrottles(
  queries: Queries,
  now: Date,
  windowSeconds: number,
  limit: number,
): Promise<number> {
  const windowFrom = new Date(now.getTime() - windowSeconds * 1_000);
  return queries.run(
    sql`DELETE FROM login_throttle WHERE (username, ip) IN (
          SELECT username, ip FROM login_throttle
          WHERE window_started_at <= ${windowFrom} AND (locked_until IS NULL OR locked_until <= ${now})
          ORDER BY window_started_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`,
  );
}

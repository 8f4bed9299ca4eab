import { z } from "zod";
import { sql, type Queries } from "../db/database.ts";
import { roleSchema } from "./user-store.ts";

/**
 * Inserts a session while the password is still the one that was checked. The share lock makes it wait for a change of
 * password under way, and that change for us: a session never outlives its password.
 *
 * @returns false when the password was changed meanwhile.
 */
export async function insertSession(
  queries: Queries,
  session: {
    readonly tokenHash: Buffer;
    readonly username: string;
    readonly passwordHash: string;
    readonly now: Date;
    readonly expiresAt: Date;
  },
): Promise<boolean> {
  const inserted = await queries.run(
    sql`INSERT INTO sessions (token_hash, username, created_at, last_seen_at, expires_at)
        SELECT ${session.tokenHash}::bytea, username, ${session.now}::timestamptz, ${session.now}::timestamptz, ${session.expiresAt}::timestamptz
        FROM users WHERE username = ${session.username} AND password_hash = ${session.passwordHash} FOR SHARE`,
  );
  return inserted > 0;
}

const liveSessionSchema = z.object({
  username: z.string(),
  role: roleSchema,
  created_at: z.date(),
  last_seen_at: z.date(),
});
export type LiveSession = z.output<typeof liveSessionSchema>;

export function selectLiveSession(queries: Queries, tokenHash: Buffer, now: Date): Promise<LiveSession | undefined> {
  return queries.maybeOne(
    liveSessionSchema,
    sql`SELECT s.username, u.role, s.created_at, s.last_seen_at
        FROM sessions s JOIN users u USING (username)
        WHERE s.token_hash = ${tokenHash} AND s.expires_at > ${now}`,
  );
}

/** Of requests that come together, one writes. */
export async function touchSession(
  queries: Queries,
  tokenHash: Buffer,
  seen: { readonly before: Date; readonly now: Date; readonly expiresAt: Date },
): Promise<void> {
  await queries.run(
    sql`UPDATE sessions SET last_seen_at = ${seen.now}, expires_at = ${seen.expiresAt}
        WHERE token_hash = ${tokenHash} AND last_seen_at = ${seen.before}`,
  );
}

/** The user whose session it was. */
export async function deleteSession(queries: Queries, tokenHash: Buffer): Promise<string | undefined> {
  const row = await queries.maybeOne(
    z.object({ username: z.string() }),
    sql`DELETE FROM sessions WHERE token_hash = ${tokenHash} RETURNING username`,
  );
  return row?.username;
}

export function deleteSessionsOf(queries: Queries, username: string): Promise<number> {
  return queries.run(sql`DELETE FROM sessions WHERE username = ${username}`);
}

/** Deletes at most `limit` that have ended; replicas that clean up at once skip each other's rows. */
export function deleteExpiredSessions(queries: Queries, now: Date, limit: number): Promise<number> {
  return queries.run(
    sql`DELETE FROM sessions WHERE token_hash IN (
          SELECT token_hash FROM sessions WHERE expires_at <= ${now} ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`,
  );
}

import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Database, Transaction } from "../db/database.ts";
import {
  deleteExpiredSessions,
  deleteSession,
  insertSession,
  selectLiveSession,
  touchSession,
} from "./session-store.ts";
import { deleteExpiredThrottles } from "./throttle-store.ts";
import type { SignedInUser } from "./user-store.ts";

const MINUTE_MS = 60_000;
const IDLE_MS = 12 * 60 * MINUTE_MS;
const ABSOLUTE_MS = 7 * 24 * 60 * MINUTE_MS;

/** A page of twenty requests must not write twenty times. */
const TOUCH_EVERY_MS = MINUTE_MS;

const TOKEN_BYTES = 32;
const TOKEN_PATTERN = /^[A-Za-z0-9_-]{43}$/u;

const PURGE_BATCH = 1_000;
const PURGE_BATCHES = 100;

/** What is stored of a token: a copy of the table signs nobody in. */
export function hashToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Ends after twelve hours without a request, and after seven days in any case. */
function expiryOf(createdAt: Date, now: Date): Date {
  return new Date(Math.min(now.getTime() + IDLE_MS, createdAt.getTime() + ABSOLUTE_MS));
}

/** Null when the password was changed since it was checked. */
export async function startSession(
  tx: Transaction,
  options: { readonly username: string; readonly passwordHash: string; readonly now: Date },
): Promise<string | null> {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const { now } = options;
  const isStarted = await insertSession(tx, { ...options, tokenHash: hashToken(token), expiresAt: expiryOf(now, now) });
  return isStarted ? token : null;
}

export interface Session {
  readonly user: SignedInUser;
  /** The session's key in the table. */
  readonly sessionHash: Buffer;
}

/** Whose session a cookie's token is; null for one that never was, has ended or is too old. The role is today's. */
export async function findSession(db: Database, clock: Clock, token: string): Promise<Session | null> {
  if (!TOKEN_PATTERN.test(token)) return null;
  const sessionHash = hashToken(token);
  const now = clock.now();
  const session = await selectLiveSession(db, sessionHash, now);
  if (session === undefined) return null;
  if (now.getTime() - session.last_seen_at.getTime() >= TOUCH_EVERY_MS) {
    await touchSession(db, sessionHash, {
      before: session.last_seen_at,
      now,
      expiresAt: expiryOf(session.created_at, now),
    });
  }
  return { user: { username: session.username, role: session.role }, sessionHash };
}

/** Signs out. Does nothing when the session has ended already. */
export async function endSession(
  db: Database,
  options: { readonly sessionHash: Buffer; readonly requestId?: string | undefined },
): Promise<void> {
  await db.transaction(async (tx) => {
    const username = await deleteSession(tx, options.sessionHash);
    if (username === undefined) return;
    tx.audit({
      actor: username,
      action: "logout",
      subject: `user:${username}`,
      details: {},
      requestId: options.requestId,
    });
  });
}

/**
 * Deletes sessions that have ended and throttle rows that no longer count, in small batches. What a very long pause
 * left behind goes in the next runs.
 */
export async function purgeExpired(
  db: Database,
  clock: Clock,
  rule: { readonly windowSeconds: number },
): Promise<{ sessions: number; throttles: number }> {
  const now = clock.now();
  return {
    sessions: await inBatches((limit) => deleteExpiredSessions(db, now, limit)),
    throttles: await inBatches((limit) => deleteExpiredThrottles(db, now, rule.windowSeconds, limit)),
  };
}

async function inBatches(deleteBatch: (limit: number) => Promise<number>): Promise<number> {
  let deleted = 0;
  for (let batch = 0; batch < PURGE_BATCHES; batch++) {
    const count = await deleteBatch(PURGE_BATCH);
    deleted += count;
    if (count < PURGE_BATCH) break;
  }
  return deleted;
}

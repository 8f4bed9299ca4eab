import type { Clock } from "../clock.ts";
import type { Actor, Database } from "../db/database.ts";
import { ConflictError, UserError } from "../errors.ts";
import { hashPassword, requirePassword, verifyPassword } from "./password.ts";
import { deleteSessionsOf } from "./session-store.ts";
import { startSession } from "./sessions.ts";
import { deleteThrottle, type ThrottleRule } from "./throttle-store.ts";
import { admitAttempt, throttleKey } from "./throttle.ts";
import {
  insertLogin,
  replacePassword,
  selectCredentials,
  selectUser,
  selectUsersAfter,
  updatePassword,
  type Role,
  type User,
} from "./user-store.ts";
import { requireUsername } from "./username.ts";

/**
 * Makes somebody able to sign in: a new user, or one known from Slurm so far.
 *
 * @throws {ConflictError} when the user has a password already.
 */
export async function createUser(
  db: Database,
  clock: Clock,
  by: Actor,
  user: { readonly username: string; readonly password: string; readonly role: Role },
): Promise<void> {
  requirePassword(user.password);
  if (await createLogin(db, clock, by, user)) return;
  throw new ConflictError(`user ${user.username} exists and has a password; to change it, set a new one`);
}

/**
 * As `createUser`, without a rule for the password (bootstrap and demo accounts have theirs from the operator).
 *
 * @returns false when the user has a password already; nothing is changed then.
 */
export async function createLogin(
  db: Database,
  clock: Clock,
  by: Actor,
  { username, password, role }: { readonly username: string; readonly password: string; readonly role: Role },
): Promise<boolean> {
  requireUsername(username);
  const passwordHash = await hashPassword(password);
  return db.transaction(async (tx) => {
    const made = await insertLogin(tx, { username, role, passwordHash, now: clock.now() });
    if (made === undefined) return false;
    tx.audit({
      ...by,
      action: "user.created",
      subject: `user:${username}`,
      details: { role, known_from_slurm: made.known_before },
    });
    return true;
  });
}

/** Sets anybody's password, and ends their sessions. */
export async function setPassword(
  db: Database,
  by: Actor,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<void> {
  requirePassword(password);
  const passwordHash = await hashPassword(password);
  await db.transaction(async (tx) => {
    if (!(await updatePassword(tx, username, passwordHash))) throw noSuchUser(username);
    const endedSessions = await deleteSessionsOf(tx, username);
    tx.audit({
      ...by,
      action: "user.password_set",
      subject: `user:${username}`,
      details: { ended_sessions: endedSessions },
    });
  });
}

export type PasswordChange =
  /** All sessions are ended; `token` is a new one for whoever changed it. */
  | { readonly kind: "changed"; readonly token: string }
  | { readonly kind: "refused" }
  | { readonly kind: "locked"; readonly retryAfterSeconds: number };

/**
 * Changes one's own password, which needs the present one. Guesses count as failed sign-ins: a browser left open must
 * not become a way to find the password.
 */
export async function changeOwnPassword(
  db: Database,
  clock: Clock,
  rule: ThrottleRule,
  change: {
    readonly username: string;
    readonly current: string;
    readonly next: string;
    readonly ip: string;
    readonly requestId?: string | undefined;
  },
): Promise<PasswordChange> {
  const { username } = change;
  requirePassword(change.next);
  if (change.next === change.current) throw new UserError("the new password is the same as the present one");
  const key = throttleKey(username, change.ip);
  const admission = await admitAttempt(db, key, rule, clock.now());
  if (admission.kind === "locked") return admission;
  const from = (await selectCredentials(db, username))?.password_hash ?? null;
  if (!(await verifyPassword(from, change.current)) || from === null) return { kind: "refused" };

  const to = await hashPassword(change.next);
  return db.transaction(async (tx): Promise<PasswordChange> => {
    if (!(await replacePassword(tx, username, { from, to }))) return { kind: "refused" };
    const endedSessions = await deleteSessionsOf(tx, username);
    const token = await startSession(tx, { username, passwordHash: to, now: clock.now() });
    if (token === null) return { kind: "refused" };
    await deleteThrottle(tx, key);
    const details = { ended_sessions: endedSessions };
    tx.audit({
      actor: username,
      action: "user.password_set",
      subject: `user:${username}`,
      details,
      requestId: change.requestId,
    });
    return { kind: "changed", token };
  });
}

export function findUser(db: Database, username: string): Promise<User | undefined> {
  return selectUser(db, username);
}

const MAX_PAGE = 500;

/** One page of users by name; the next one starts after the last name. */
export function listUsers(
  db: Database,
  page: { readonly afterUsername?: string; readonly limit?: number } = {},
): Promise<User[]> {
  return selectUsersAfter(db, page.afterUsername ?? "", Math.min(page.limit ?? 100, MAX_PAGE));
}

function noSuchUser(username: string): UserError {
  return new UserError(`there is no user ${username}`, { status: 404 });
}

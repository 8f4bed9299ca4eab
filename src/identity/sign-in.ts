import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { verifyPassword } from "./password.ts";
import { startSession } from "./sessions.ts";
import { deleteThrottle, type ThrottleRule } from "./throttle-store.ts";
import { admitAttempt, throttleKey } from "./throttle.ts";
import { selectCredentials, type SignedInUser } from "./user-store.ts";
import { isUsername } from "./username.ts";

export interface SignInAttempt {
  readonly username: string;
  readonly password: string;
  readonly ip: string;
  readonly requestId?: string | undefined;
}

export type SignInOutcome =
  /** `token` goes into the cookie and nowhere else. */
  | { readonly kind: "signedIn"; readonly user: SignedInUser; readonly token: string }
  /** Wrong name or wrong password: which of them is nobody's business. */
  | { readonly kind: "refused" }
  | { readonly kind: "locked"; readonly retryAfterSeconds: number };

/**
 * Checks a name and a password and starts a session. An attempt takes the same time whether the user exists or not,
 * and is counted before it is checked, so parallel guesses are no way round the limit.
 */
export async function signIn(
  db: Database,
  clock: Clock,
  rule: ThrottleRule,
  attempt: SignInAttempt,
): Promise<SignInOutcome> {
  const key = throttleKey(attempt.username, attempt.ip);
  const admission = await admitAttempt(db, key, rule, clock.now());
  if (admission.kind === "locked") return admission;

  const credentials = isUsername(attempt.username) ? await selectCredentials(db, attempt.username) : undefined;
  const passwordHash = credentials?.password_hash ?? null;
  const isRight = await verifyPassword(passwordHash, attempt.password);
  if (!isRight || credentials === undefined || passwordHash === null) {
    if (admission.locks) await recordLock(db, attempt, { isKnownUser: credentials !== undefined });
    return { kind: "refused" };
  }

  const { username, requestId } = attempt;
  return db.transaction(async (tx): Promise<SignInOutcome> => {
    const token = await startSession(tx, { username, passwordHash, now: clock.now() });
    if (token === null) return { kind: "refused" };
    await deleteThrottle(tx, key);
    tx.audit({
      actor: username,
      action: "login.succeeded",
      subject: `user:${username}`,
      details: { ip: attempt.ip },
      requestId,
    });
    return { kind: "signedIn", user: { username, role: credentials.role }, token };
  });
}

/** What was typed for a name is kept only where it is one: people type their password into the wrong field. */
async function recordLock(
  db: Database,
  attempt: SignInAttempt,
  options: { readonly isKnownUser: boolean },
): Promise<void> {
  const name = options.isKnownUser ? attempt.username : "(unknown)";
  await db.transaction((tx) => {
    tx.audit({
      actor: "anonymous",
      action: "login.locked",
      subject: `user:${name}`,
      details: { ip: attempt.ip },
      requestId: attempt.requestId,
    });
    return Promise.resolve();
  });
}

import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { UserError } from "../errors.ts";
import { createLogin } from "./accounts.ts";
import { isAcceptedPassword } from "./password.ts";
import { hasAdmin, selectCredentials } from "./user-store.ts";

const ADMIN = "admin";

/** The example's value: everybody who read the documentation knows it. */
const SAMPLE_PASSWORD = "generate-a-strong-one";

export type Bootstrap =
  /** Somebody can administer already, or just became able to by another replica. */
  | { readonly kind: "exists" }
  | { readonly kind: "created"; readonly warning?: string }
  /** The password is shown this once; only its hash is kept. */
  | { readonly kind: "generated"; readonly password: string }
  | { readonly kind: "missing"; readonly warning: string };

/**
 * Sees to it that the site can be administered. With a password, makes the user `admin` unless that name has one
 * already; without, in development and staging, makes up a password where there is no admin yet. Safe to run at every
 * start and by several replicas at once.
 */
export async function bootstrapAdmin(
  db: Database,
  clock: Clock,
  options: { readonly appEnv: "development" | "staging" | "production"; readonly adminPassword: string | null },
): Promise<Bootstrap> {
  const { appEnv, adminPassword } = options;
  if (adminPassword !== null)
    return createAdmin(db, clock, { password: adminPassword, isProduction: appEnv === "production" });
  if (await hasAdmin(db)) return { kind: "exists" };
  if (appEnv === "production") {
    return {
      kind: "missing",
      warning:
        "there is no administrator: set ADMIN_PASSWORD and restart, or run `hpc-billing user add NAME --role admin --password-stdin`",
    };
  }
  const password = randomBytes(12).toString("base64url");
  const isMade = await createLogin(db, clock, { actor: "system" }, { username: ADMIN, password, role: "admin" });
  return isMade ? { kind: "generated", password } : { kind: "exists" };
}

async function createAdmin(
  db: Database,
  clock: Clock,
  options: { readonly password: string; readonly isProduction: boolean },
): Promise<Bootstrap> {
  const { password, isProduction } = options;
  const present = await selectCredentials(db, ADMIN);
  if (present !== undefined && present.password_hash !== null) return { kind: "exists" };
  if (isProduction && !isAcceptedPassword(password)) throw new UserError("ADMIN_PASSWORD takes 8 to 256 characters");
  const isMade = await createLogin(db, clock, { actor: "system" }, { username: ADMIN, password, role: "admin" });
  if (!isMade) return { kind: "exists" };
  if (password === SAMPLE_PASSWORD) {
    return {
      kind: "created",
      warning: "ADMIN_PASSWORD still has the value of a sample file: sign in as admin and change the password now",
    };
  }
  return { kind: "created" };
}

/** Gives the demo users their passwords, those that have none. Returns the names it gave one to. */
export async function seedDemoUsers(
  db: Database,
  clock: Clock,
  users: readonly { readonly username: string; readonly password: string }[],
): Promise<string[]> {
  const seeded: string[] = [];
  for (const { username, password } of users) {
    // Asked first only because a hash costs much more than a look.
    const present = await selectCredentials(db, username);
    if (present !== undefined && present.password_hash !== null) continue;
    const role = present?.role ?? "user";
    if (await createLogin(db, clock, { actor: "system" }, { username, password, role })) seeded.push(username);
  }
  return seeded;
}

import { z } from "zod";
import { sql, type Queries } from "../db/database.ts";

export const roleSchema = z.enum(["user", "admin"]);
export type Role = z.output<typeof roleSchema>;

/** Who somebody is while signed in. */
export interface SignedInUser {
  readonly username: string;
  readonly role: Role;
}

const userSchema = z
  .object({
    username: z.string(),
    role: roleSchema,
    can_sign_in: z.boolean(),
    default_account: z.string(),
    created_at: z.date(),
  })
  .transform(({ can_sign_in, default_account, created_at, ...row }) => {
    return { ...row, canSignIn: can_sign_in, defaultAccount: default_account, createdAt: created_at };
  });

export type User = z.output<typeof userSchema>;

const COLUMNS = sql`username, role, password_hash IS NOT NULL AS can_sign_in, default_account, created_at`;

export function selectUser(queries: Queries, username: string): Promise<User | undefined> {
  return queries.maybeOne(userSchema, sql`SELECT ${COLUMNS} FROM users WHERE username = ${username}`);
}

/** Users after a name, by name. */
export function selectUsersAfter(queries: Queries, afterUsername: string, limit: number): Promise<User[]> {
  return queries.rows(
    userSchema,
    sql`SELECT ${COLUMNS} FROM users WHERE username > ${afterUsername} ORDER BY username LIMIT ${limit}`,
  );
}

export function selectCredentials(
  queries: Queries,
  username: string,
): Promise<{ role: Role; password_hash: string | null } | undefined> {
  return queries.maybeOne(
    z.object({ role: roleSchema, password_hash: z.string().nullable() }),
    sql`SELECT role, password_hash FROM users WHERE username = ${username}`,
  );
}

/** Whether anybody can administer. */
export async function hasAdmin(queries: Queries): Promise<boolean> {
  const { found } = await queries.one(
    z.object({ found: z.boolean() }),
    sql`SELECT EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND password_hash IS NOT NULL) AS found`,
  );
  return found;
}

/**
 * Gives a password to somebody who has none: a new user, or one known from Slurm. One statement, so of two that try at
 * once only one does.
 *
 * @returns undefined when the user has a password already; nothing is changed then.
 */
export function insertLogin(
  queries: Queries,
  login: { readonly username: string; readonly role: Role; readonly passwordHash: string; readonly now: Date },
): Promise<{ known_before: boolean } | undefined> {
  return queries.maybeOne(
    z.object({ known_before: z.boolean() }),
    sql`INSERT INTO users (username, role, password_hash, created_at)
        VALUES (${login.username}, ${login.role}, ${login.passwordHash}, ${login.now})
        ON CONFLICT (username) DO UPDATE SET role = EXCLUDED.role, password_hash = EXCLUDED.password_hash
          WHERE users.password_hash IS NULL
        RETURNING xmax <> 0 AS known_before`,
  );
}

/** False when there is no such user. */
export async function updatePassword(queries: Queries, username: string, passwordHash: string): Promise<boolean> {
  return (await queries.run(sql`UPDATE users SET password_hash = ${passwordHash} WHERE username = ${username}`)) > 0;
}

/** False when the password is no longer the one that was checked. */
export async function replacePassword(
  queries: Queries,
  username: string,
  change: { readonly from: string; readonly to: string },
): Promise<boolean> {
  return (
    (await queries.run(
      sql`UPDATE users SET password_hash = ${change.to} WHERE username = ${username} AND password_hash = ${change.from}`,
    )) > 0
  );
}

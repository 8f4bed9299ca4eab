import { hash, verify } from "@node-rs/argon2";
import { UserError } from "../errors.ts";

const MIN_LENGTH = 8;
const MAX_LENGTH = 256;

/** Argon2id (the library's default) with the parameters OWASP's password storage cheat sheet names first for one thread. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };

/** A hash of nobody's password: what an unknown user's attempt is checked against, at the price of a real check. */
const NOBODY = `$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}$${zeros(16)}$${zeros(COST.outputLen)}`;

function zeros(bytes: number): string {
  return Buffer.alloc(bytes).toString("base64").replace(/=+$/u, "");
}

/** The same characters typed on another keyboard may come as other code points. */
function normalized(password: string): string {
  return password.normalize("NFKC");
}

/** Counted in code points, not in the units of a string: an emoji is one. */
export function isAcceptedPassword(password: string): boolean {
  const length = Array.from(password).length;
  return length >= MIN_LENGTH && length <= MAX_LENGTH;
}

/** @throws {UserError} that says what is accepted; never the password. */
export function requirePassword(password: string): void {
  if (!isAcceptedPassword(password)) throw new UserError(`a password takes ${MIN_LENGTH} to ${MAX_LENGTH} characters`);
}

export function hashPassword(password: string): Promise<string> {
  return hash(normalized(password), COST);
}

/**
 * Whether it is the password of that hash. With null (no such user, or one who cannot sign in) the answer is false and
 * takes as long as any other.
 */
export async function verifyPassword(passwordHash: string | null, password: string): Promise<boolean> {
  const isPossible = password.length <= MAX_LENGTH * 4;
  const matches = await verify(passwordHash ?? NOBODY, isPossible ? normalized(password) : "");
  return matches && isPossible && passwordHash !== null;
}

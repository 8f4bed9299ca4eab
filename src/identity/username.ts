import { UserError } from "../errors.ts";

const MAX_LENGTH = 64;

/** Names are the cluster's: case-sensitive, and nothing in them that cannot be seen. */
export function isUsername(text: string): boolean {
  const length = Array.from(text).length;
  return length >= 1 && length <= MAX_LENGTH && text.trim() === text && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text);
}

/** @throws {UserError} that says what is accepted. */
export function requireUsername(text: string): string {
  if (isUsername(text)) return text;
  throw new UserError(`a username takes 1 to ${MAX_LENGTH} visible characters, without blanks at its ends`);
}

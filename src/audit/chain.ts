import { createHmac, timingSafeEqual } from "node:crypto";

/** Keys by id; old ones stay, so that old records can be checked after the active key was changed. */
export interface AuditKeyring {
  readonly activeKeyId: string;
  readonly keys: ReadonlyMap<string, string>;
}

/** What the hash of a record covers: everything but the hash itself. */
export interface ChainedRecord {
  readonly id: bigint;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly details: unknown;
  readonly requestId: string | null;
  readonly keyId: string;
  readonly prevHash: string;
}

/** JSON with sorted keys and without blanks, so that what the database gives back hashes as what was written. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  if (typeof value === "bigint") return JSON.stringify(value.toString());
  return JSON.stringify(value ?? null);
}

/**
 * Hex HMAC-SHA256 of a record, which includes the hash of the record before it. Undefined when the keyring does not
 * hold the record's key.
 */
export function hashOf(record: ChainedRecord, keyring: AuditKeyring): string | undefined {
  const key = keyring.keys.get(record.keyId);
  if (key === undefined) return undefined;
  const text = canonicalJson([
    record.id,
    record.at,
    record.actor,
    record.action,
    record.subject,
    record.details,
    record.requestId,
    record.keyId,
    record.prevHash,
  ]);
  return createHmac("sha256", key).update(text).digest("hex");
}

/** Compares two hex digests in constant time. */
export function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

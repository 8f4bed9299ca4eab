import { createHmac, timingSafeEqual } from "node:crypto";
import { UserError } from "../../errors.ts";

export const SIGNATURE_HEADER = "omise-signature";
export const TIMESTAMP_HEADER = "omise-signature-timestamp";
const TOLERANCE_SECONDS = 300;
/** Two are sent while a secret is being rolled. */
const MAX_SIGNATURES = 4;

/**
 * Reads a webhook secret as Omise's dashboard shows it.
 * @throws {UserError} when it is not base64: an event signed with nothing must never pass.
 */
export function readWebhookSecret(text: string): Buffer {
  if (!/^[A-Za-z0-9+/]{4,}={0,2}$/u.test(text) || text.length % 4 !== 0) {
    throw new UserError("an Omise webhook secret is base64, as the dashboard shows it under Webhooks");
  }
  return Buffer.from(text, "base64");
}

/**
 * Whether one of the secrets signed these bytes within five minutes of now: hex HMAC-SHA256 of the timestamp, a dot and
 * the raw body; for a day after a secret was rolled two signatures stand in the header, separated by a comma
 * (https://docs.omise.co/api-webhooks).
 */
export function isSigned(
  secrets: readonly Buffer[],
  rawBody: Buffer,
  header: (name: string) => string | undefined,
  now: Date,
): boolean {
  const timestamp = header(TIMESTAMP_HEADER) ?? "";
  if (!/^\d{1,12}$/u.test(timestamp)) return false;
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const expected = secrets.map((secret) =>
    createHmac("sha256", secret).update(`${timestamp}.`).update(rawBody).digest(),
  );
  return signaturesIn(header(SIGNATURE_HEADER) ?? "").some((signature) =>
    expected.some((digest) => timingSafeEqual(digest, signature)),
  );
}

function signaturesIn(header: string): Buffer[] {
  return header
    .split(",", MAX_SIGNATURES)
    .map((text) => text.trim())
    .filter((text) => /^[0-9a-f]{64}$/iu.test(text))
    .map((text) => Buffer.from(text, "hex"));
}

/**
 * Whether Stripe sent a webhook. Source of the scheme: docs.stripe.com/webhooks, "verify webhook signatures".
 *
 * The vendor's own check is not used: it signs the decoded text and not the bytes that came, has nothing against times to
 * come, and would load the whole client. The tests hold this one against it.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export const SIGNATURE_HEADER = "stripe-signature";

const TOLERANCE_SECONDS = 300;

/**
 * True when one of the secrets made one of the `v1` signatures in the header over exactly these bytes, at most five
 * minutes ago (or ahead, for clocks that differ). While a secret is rolled, two are good.
 */
export function isSignedByStripe(
  rawBody: Buffer,
  header: string | undefined,
  by: { readonly secrets: readonly string[]; readonly now: Date },
): boolean {
  const signed = header === undefined ? undefined : readHeader(header);
  if (signed === undefined) return false;
  const ageSeconds = Math.floor(by.now.getTime() / 1000) - Number(signed.timestamp);
  if (Math.abs(ageSeconds) > TOLERANCE_SECONDS) return false;
  return by.secrets.some((secret) => {
    if (secret === "") return false; // Anyone could sign with it.
    const expected = createHmac("sha256", secret).update(`${signed.timestamp}.`).update(rawBody).digest();
    return signed.signatures.some((signature) => timingSafeEqual(signature, expected));
  });
}

/** `t=1492774577,v1=5257a8…,v1=…`; schemes other than `v1` do not count. */
function readHeader(header: string): { timestamp: string; signatures: readonly Buffer[] } | undefined {
  const items = header.split(",");
  const times = items.filter((item) => item.startsWith("t=")).map((item) => item.slice(2));
  const [timestamp] = times;
  if (times.length !== 1 || timestamp === undefined || !/^\d{1,12}$/u.test(timestamp)) return undefined;
  const signatures = items
    .filter((item) => /^v1=[0-9a-f]{64}$/u.test(item))
    .map((item) => Buffer.from(item.slice(3), "hex"));
  return { timestamp, signatures };
}

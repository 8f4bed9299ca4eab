/** Events as Omise sends them, and what the provider makes of them. */
import { createHmac } from "node:crypto";
import { omiseProvider } from "../../../src/payments/omise/omise-provider.ts";
import type { ParsedEvent, PaymentProvider } from "../../../src/payments/provider.ts";

export const NOW_SECONDS = 1_793_600_000;
export const OLD_SECRET = Buffer.from("the secret that goes").toString("base64");
export const NEW_SECRET = Buffer.from("the secret that comes").toString("base64");

/** A provider that asks nobody anything. */
export function offline(webhookSecrets: readonly string[], secretKey = "skey_test_1"): PaymentProvider {
  return omiseProvider({ secretKey, webhookSecrets, clock: { now: () => new Date(NOW_SECONDS * 1000) } });
}

export function parse(
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
  webhookSecrets: readonly string[],
): ParsedEvent {
  return offline(webhookSecrets).parseEvent(Buffer.from(body), (name) => headers[name]);
}

export function sign(
  body: string | Buffer,
  secrets: readonly string[],
  timestamp = NOW_SECONDS.toString(),
): Record<string, string> {
  const signatures = secrets.map((secret) =>
    createHmac("sha256", Buffer.from(secret, "base64")).update(`${timestamp}.`).update(body).digest("hex"),
  );
  return { "omise-signature": signatures.join(","), "omise-signature-timestamp": timestamp };
}

/** An event of a charge of 99 baht that was paid, but for what is given. */
export function anEvent(charge: Readonly<Record<string, unknown>> = {}, key = "charge.complete"): string {
  const data = {
    object: "charge",
    id: "chrg_test_1",
    amount: 9900,
    currency: "THB",
    status: "successful",
    link: "link_test_1",
  };
  return JSON.stringify({ object: "event", id: "evnt_test_1", livemode: false, key, data: { ...data, ...charge } });
}

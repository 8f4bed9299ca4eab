/** The secrets of the configuration, and their removal from what leaves the process: log lines and traces. */
import type { Config } from "../config.ts";

/** A shorter one would be found in words that are no secret, and protects nothing anyway. */
const SHORTEST = 8;

const REPLACEMENT = "[redacted]";

/** Replaces every secret in a text. */
export type Scrub = (text: string) => string;

/** Everything in the configuration that proves who we are to somebody, or somebody to us. */
export function secretsOf(config: Config): readonly string[] {
  const { payments, slurm, metrics, auditKeyring } = config;
  const tokens = slurm.clusters.flatMap(({ slurmrestd }) =>
    slurmrestd?.token?.kind === "value" ? [slurmrestd.token.value] : [],
  );
  const accounts = [payments.stripe, payments.omise].flatMap((account) =>
    account === null ? [] : [account.secretKey, ...account.webhookSecrets],
  );
  const passwords = [config.databaseUrl, config.databaseReplicaUrl].flatMap(passwordIn);
  const given = [config.secretKey, config.adminPassword, metrics.token, payments.dummy.webhookSecret];
  const headers = Object.values(config.telemetry?.headers ?? {});
  return [...given, ...headers, ...tokens, ...accounts, ...passwords, ...auditKeyring.keys.values()].flatMap(
    (secret) => (secret === null ? [] : [secret.trim()]),
  );
}

function passwordIn(url: string | null): readonly string[] {
  // Not by `URL`, which does not read all that `pg` reads.
  const written = /^[a-z0-9+]+:\/\/[^/?#]*?:(.*)@/iu.exec(url ?? "")?.[1];
  if (written === undefined) return [];
  return [written, decoded(written)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Finds secrets as they are, and as JSON, addresses and headers of HTTP have them. */
export function scrubberOf(secrets: readonly string[]): Scrub {
  const forms = new Set(secrets.filter((secret) => secret.length >= SHORTEST).flatMap(formsOf));
  if (forms.size === 0) return (text) => text;
  // The longest first: one may be part of another.
  const sorted = [...forms].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(sorted.map(literally).join("|"), "gu");
  return (text) => text.replaceAll(pattern, REPLACEMENT);
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
}

function formsOf(secret: string): readonly string[] {
  const plain = [secret, encodeURIComponent(secret), new URLSearchParams({ s: secret }).toString().slice(2)];
  const asJson = plain.map((text) => JSON.stringify(text).slice(1, -1));
  return [...plain, ...asJson, ...base64Forms(secret)];
}

/**
 * Base64 of a text that holds the secret, whatever stands before it: the characters that the secret alone decides, for
 * each of the three places at which it can begin.
 */
function base64Forms(secret: string): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    // Of the characters at either end, bits belong to the neighbours.
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor((bytes.length * 8) / 6);
    const standard = bytes.toString("base64").slice(from, to);
    return [standard, standard.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

import fc from "fast-check";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { createLogger } from "../../src/log.ts";
import { scrubberOf, secretsOf } from "../../src/telemetry/secrets.ts";

/** Lines that a logger with these secrets writes. */
function logged(secrets: readonly string[], write: (log: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: unknown, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  write(createLogger({ level: "trace", destination, scrub: scrubberOf(secrets) }));
  return lines.join("");
}

describe("secrets of the configuration", () => {
  it("are all known to the log", () => {
    const config = loadConfig({
      APP_ENV: "production",
      SECRET_KEY: "secret-key-0123456789abcdef0123456789",
      ADMIN_PASSWORD: "password-of-admin",
      DATABASE_URL: "postgresql+psycopg2://hpc:p%40ss-word@db.example.org/hpc?sslmode=require",
      DATABASE_REPLICA_URL: "postgres://hpc:replica-password@db2.example.org/hpc",
      SLURMRESTD_URL: "http://slurm:6820",
      SLURMRESTD_TOKEN: "token-of-slurm",
      PAYMENT_PROVIDER: "dummy,stripe,omise",
      PAYMENT_WEBHOOK_SECRET: "webhook-secret-of-dummy",
      STRIPE_SECRET_KEY: "sk_test_stripe_key",
      STRIPE_WEBHOOK_SECRET: "whsec_one,whsec_two",
      OMISE_SECRET_KEY: "skey_test_omise_key",
      OMISE_WEBHOOK_SECRET: "b21pc2Utc2VjcmV0",
      METRICS_TOKEN: "token-of-metrics",
      AUDIT_HMAC_KEYRING: "2025:older-audit-key,2026:newer-audit-key",
    });
    expect(secretsOf(config).toSorted()).toEqual(
      [
        "secret-key-0123456789abcdef0123456789",
        "password-of-admin",
        "p%40ss-word",
        "p@ss-word",
        "replica-password",
        "replica-password",
        "token-of-slurm",
        "webhook-secret-of-dummy",
        "sk_test_stripe_key",
        "whsec_one",
        "whsec_two",
        "skey_test_omise_key",
        "b21pc2Utc2VjcmV0",
        "token-of-metrics",
        "older-audit-key",
        "newer-audit-key",
      ].toSorted(),
    );
  });

  it("leave no log line, wherever in it they stand, and lines stay JSON", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, maxLength: 40, unit: "grapheme-ascii" }).filter((secret) => secret.trim() === secret),
        fc.string({ maxLength: 5 }),
        (secret, before) => {
          const text = logged([secret], (log) => {
            log.error({ err: new Error(`the key ${secret} was refused`, { cause: new Error(secret) }) }, secret);
            log.info({
              deep: { deeper: [{ deepest: `Basic ${Buffer.from(`${before}${secret}:`).toString("base64")}` }] },
            });
            log.info({ url: `https://x.example/?key=${encodeURIComponent(secret)}` });
          });
          const base64 = Buffer.from(`${before}${secret}:`).toString("base64");
          const lines = text.trim().split("\n");
          expect(lines).toHaveLength(3);
          for (const line of lines) {
            const values = JSON.stringify(JSON.parse(line), undefined, 1);
            expect(values).not.toContain(JSON.stringify(secret).slice(1, -1));
            expect(values).not.toContain(encodeURIComponent(secret));
            expect(values).not.toContain(base64);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("too short to be one are left alone: they would take words apart", () => {
    expect(scrubberOf(["dev", ""])("a developer's line")).toBe("a developer's line");
  });
});

describe("fields that hold secrets by their name", () => {
  it("are blanked at the top and two levels down", () => {
    const text = logged([], (log) => {
      for (const name of ["password", "token", "authorization", "cookie", "set-cookie", "csrf_token", "secretKey"]) {
        log.info({ [name]: "planted", one: { [name]: "planted", two: { [name]: "planted" } } });
      }
    });
    expect(text).not.toContain("planted");
  });
});

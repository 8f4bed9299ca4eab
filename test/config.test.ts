import { describe, expect, it } from "vitest";
import { loadConfig } from "../src/config.ts";

const production = {
  APP_ENV: "production",
  FLASK_SECRET_KEY: "0123456789abcdef0123456789abcdef",
  DATABASE_URL: "postgresql+psycopg2://hpc_user:secret@db:5432/hpc_app",
  ADMIN_PASSWORD: "a strong one",
  PAYMENT_PROVIDER: "dummy",
  PAYMENT_CURRENCY: "THB",
  PAYMENT_WEBHOOK_SECRET: "agreed with the provider",
  SITE_BASE_URL: "https://billing.example.org",
  METRICS_ENABLED: "1",
};

describe("the environment", () => {
  it("of the documented platform keeps working", () => {
    const config = loadConfig(production);
    expect(config).toMatchObject({
      appEnv: "production",
      port: 8000,
      siteTz: "Asia/Bangkok",
      adminPassword: "a strong one",
    });
    expect(config.cookie).toEqual({ secure: true, sameSite: "lax" });
    expect(config.demoUsers).toEqual([]);
    expect(config.warnings).toEqual([]);
  });

  it("enables several payment providers, the default first, and asks for what each of them needs", () => {
    const config = loadConfig({
      PAYMENT_PROVIDER: "stripe,omise",
      PAYMENT_WEBHOOK_SECRET: "whsec_default",
      STRIPE_SECRET_KEY: "sk_test_abc",
      OMISE_SECRET_KEY: "skey_test_abc",
      OMISE_WEBHOOK_SECRET: "b25l, dHdv",
    });
    expect(config.payments).toMatchObject({
      enabled: ["stripe", "omise"],
      stripe: { webhookSecrets: ["whsec_default"] },
      omise: { webhookSecrets: ["b25l", "dHdv"] },
    });
    expect(() => loadConfig({ PAYMENT_PROVIDER: "stripe" })).toThrow(/STRIPE_SECRET_KEY.*\n.*STRIPE_WEBHOOK_SECRET/u);
    expect(() => loadConfig({ PAYMENT_PROVIDER: "omise", OMISE_SECRET_KEY: "pkey_x" })).toThrow("OMISE_SECRET_KEY");
    for (const value of ["paypal", "stripe,stripe", "dummy,"]) {
      expect(() => loadConfig({ PAYMENT_PROVIDER: value })).toThrow("PAYMENT_PROVIDER takes dummy, stripe, omise");
    }
  });

  it("needs nothing in development", () => {
    const config = loadConfig({});
    expect(config).toMatchObject({ appEnv: "development", databaseUrl: null, host: "127.0.0.1" });
    expect(config.demoUsers.map((user) => user.username)).toContain("somchai");
  });

  it("reports every problem at once, with the name and what it takes, never the value", () => {
    const env = {
      ...production,
      FLASK_SECRET_KEY: "change-me-in-prod",
      PORT: "99999",
      SITE_TZ: "Mars",
      PAYMENT_CURRENCY: "GOLD",
      BILLING_TAX_RATE: "-7",
      AUDIT_HMAC_KEYRING: "broken",
      TRUST_PROXY: "maybe;not",
      SESSION_COOKIE_SAMESITE: "loose",
      METRICS_ENABLED: "perhaps",
      DATABASE_URL: "mysql://x",
    };
    expect(() => loadConfig(env)).toThrow(/SECRET_KEY.*[\s\S]*PORT/u);
    try {
      loadConfig(env);
    } catch (error) {
      const text = String(error);
      for (const name of [
        "SECRET_KEY",
        "PORT",
        "SITE_TZ",
        "PAYMENT_CURRENCY",
        "BILLING_TAX_RATE",
        "AUDIT_HMAC_KEYRING",
        "TRUST_PROXY",
        "SESSION_COOKIE_SAMESITE",
        "METRICS_ENABLED",
        "DATABASE_URL",
      ]) {
        expect(text).toContain(name);
      }
      for (const value of ["change-me-in-prod", "GOLD", "mysql://x", "broken"]) expect(text).not.toContain(value);
    }
  });

  it("refuses to start in production without a secret", () => {
    expect(() => loadConfig({ APP_ENV: "production" })).toThrow("SECRET_KEY is required");
  });

  it("reads the tax as a percentage or as a fraction", () => {
    const tax = (rate: string) => loadConfig({ BILLING_TAX_ENABLED: "1", BILLING_TAX_RATE: rate }).tax?.rateMicro;
    expect([tax("7"), tax("7%"), tax("0.07"), tax("12.5")]).toEqual([70_000n, 70_000n, 70_000n, 125_000n]);
    expect(loadConfig({ BILLING_TAX_RATE: "7" }).tax).toBeNull();
  });

  it("reads the audit keyring as JSON or as a list", () => {
    const list = loadConfig({ AUDIT_HMAC_KEYRING: "2025:old secret,2026:new secret" }).auditKeyring;
    expect(list).toMatchObject({ activeKeyId: "2026" });
    const json = loadConfig({
      AUDIT_HMAC_KEYRING: '{"a":"secret one","b":"secret two"}',
      AUDIT_HMAC_KEY_ID: "a",
    }).auditKeyring;
    expect(json).toMatchObject({ activeKeyId: "a" });
    expect([...json.keys.keys()]).toEqual(["a", "b"]);
  });

  it("names what means nothing here, once", () => {
    expect(loadConfig({ ...production, FLASK_ENV: "x", GUNICORN_CMD_ARGS: "y" }).warnings).toEqual([
      "ignored, they mean nothing here: FLASK_ENV, GUNICORN_CMD_ARGS",
    ]);
  });
});

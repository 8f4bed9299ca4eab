import { createHmac, randomBytes } from "node:crypto";
import { z } from "zod";
import type { AuditKeyring } from "./audit/chain.ts";
import { EnvReader, FALSE, TRUE } from "./config-reader.ts";
import { slurmConfig, type SlurmConfig } from "./config-slurm.ts";
import { UserError } from "./errors.ts";
import type { PromptPaySite } from "./payments/promptpay/receipt-qr.ts";
import {
  PROMPTPAY_BILLER_ID_TAKES,
  PROMPTPAY_ID_TAKES,
  readBillerId,
  readPromptPayId,
} from "./payments/promptpay/target.ts";
import { telemetryConfig, type TelemetryConfig } from "./telemetry/config.ts";
import { currencyOf, MICRO, parseMicro, type Currency } from "./rating/money.ts";
import type { TaxRule } from "./rating/tax.ts";

/** Values that stand in sample files: a production that runs with one of them has no secret at all. */
const SAMPLE_SECRETS: ReadonlySet<string> = new Set([
  "change-me-in-prod",
  "change-me",
  "changeme",
  "super-secret",
  "secret",
  "dev",
]);

const DEFAULT_DEMO_USERS = "alice,bob,carol,dan,erin,somchai";

/** Variables of the documented platform (Flask, gunicorn) that mean nothing here. */
const FOREIGN_VARIABLES = [
  "FLASK_ENV",
  "FLASK_APP",
  "FLASK_DEBUG",
  "GUNICORN_CMD_ARGS",
  "WEB_CONCURRENCY",
  "SQLALCHEMY_DATABASE_URI",
  "SESSION_COOKIE_HTTPONLY",
  "WTF_CSRF_ENABLED",
];

export interface DemoUser {
  readonly username: string;
  readonly password: string;
}

export const PROVIDERS = ["dummy", "stripe", "omise", "promptpay"] as const;

/** The providers that are enabled, each with what it needs. */
export interface PaymentsConfig {
  /** The first is the one that is taken where nobody chooses. */
  readonly enabled: readonly (typeof PROVIDERS)[number][];
  readonly dummy: { readonly webhookSecret: string };
  /** Null where it is not enabled. Two webhook secrets while one is being rolled. */
  readonly stripe: { readonly secretKey: string; readonly webhookSecrets: readonly string[] } | null;
  readonly omise: { readonly secretKey: string; readonly webhookSecrets: readonly string[] } | null;
  /** A QR on receipts, paid without a provider and matched by the bank's statement. Null where it is not enabled. */
  readonly promptPay: PromptPaySite | null;
}

/** The environment, validated: the only place that reads variables. */
export interface Config {
  readonly appEnv: "development" | "staging" | "production";
  /** What the running version was built from, where the image says it. */
  readonly revision: string | undefined;
  /** Null: the embedded PostgreSQL in `dataDir`. */
  readonly databaseUrl: string | null;
  /** Null: reports are read from the database itself. */
  readonly databaseReplicaUrl: string | null;
  readonly dataDir: string;
  readonly databasePoolMax: number;
  readonly secretKey: string;
  readonly adminPassword: string | null;
  /** Empty when none are wanted. */
  readonly demoUsers: readonly DemoUser[];
  readonly slurm: SlurmConfig;
  readonly host: string;
  readonly port: number;
  readonly trustProxy: boolean | number | string;
  readonly siteName: string;
  readonly siteBaseUrl: string;
  readonly siteTz: string;
  readonly cookie: { readonly secure: boolean; readonly sameSite: "lax" | "strict" | "none" };
  readonly throttle: { readonly maxFails: number; readonly windowSeconds: number; readonly lockSeconds: number };
  readonly metrics: { readonly enabled: boolean; readonly token: string | null };
  /** Null: no traces. */
  readonly telemetry: TelemetryConfig | null;
  readonly payments: PaymentsConfig;
  readonly currency: Currency;
  readonly tax: TaxRule | null;
  readonly auditKeyring: AuditKeyring;
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error" | "silent";
  /** Things to say once in the log. */
  readonly warnings: readonly string[];
}

/**
 * Validates the environment.
 *
 * @param options.savedSecret the secret of earlier starts, used in development where SECRET_KEY is not set.
 * @throws {UserError} that lists every problem, each with the variable's name and what it takes; never a value.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  options: { savedSecret?: string | undefined } = {},
): Config {
  const read = new EnvReader(env);
  const appEnv = read.choice("APP_ENV", ["development", "staging", "production"], "development");
  const isProduction = appEnv === "production";
  const isDevelopment = appEnv === "development";
  const secret = secretKey(read, isDevelopment, options.savedSecret);
  const host = read.text("HOST") ?? (isDevelopment ? "127.0.0.1" : "0.0.0.0");
  const port = read.integer("PORT", 8000, 0, 65_535);
  const config: Config = {
    appEnv,
    revision: read.text("APP_REVISION"),
    databaseUrl: databaseUrl(read, "DATABASE_URL"),
    databaseReplicaUrl: databaseUrl(read, "DATABASE_REPLICA_URL"),
    dataDir: read.text("DATA_DIR") ?? "./data",
    databasePoolMax: read.integer("DATABASE_POOL_MAX", 10, 2, 500),
    secretKey: secret,
    adminPassword: read.text("ADMIN_PASSWORD") ?? null,
    demoUsers: demoUsers(read, isDevelopment),
    slurm: slurmConfig(read),
    host,
    port,
    trustProxy: trustProxy(read),
    siteName: read.text("SITE_NAME") ?? "HPC Billing",
    siteBaseUrl: (read.url("SITE_BASE_URL", ["http:", "https:"]) ?? `http://localhost:${port}`).replace(/\/+$/u, ""),
    siteTz: timeZone(read),
    cookie: {
      secure: read.flag("SESSION_COOKIE_SECURE", isProduction),
      sameSite: read.choice("SESSION_COOKIE_SAMESITE", ["lax", "strict", "none"], "lax"),
    },
    throttle: {
      maxFails: read.integer("AUTH_THROTTLE_MAX_FAILS", 5, 1, 1_000),
      windowSeconds: read.integer("AUTH_THROTTLE_WINDOW_SEC", 300, 1, 86_400),
      lockSeconds: read.integer("AUTH_THROTTLE_LOCK_SEC", 300, 1, 86_400),
    },
    metrics: { enabled: read.flag("METRICS_ENABLED", true), token: read.text("METRICS_TOKEN") ?? null },
    telemetry: telemetryConfig(read),
    payments: payments(read, secret),
    currency: currency(read),
    tax: tax(read),
    auditKeyring: auditKeyring(read, secret),
    logLevel: read.choice("LOG_LEVEL", ["trace", "debug", "info", "warn", "error", "silent"], "info"),
    warnings: [...read.warnings, ...foreignVariables(read)],
  };
  if (read.problems.length > 0) {
    throw new UserError(`the environment is not right:\n${read.problems.map((line) => `  - ${line}`).join("\n")}`);
  }
  return config;
}

function secretKey(read: EnvReader, isDevelopment: boolean, savedSecret: string | undefined): string {
  const key = read.text("SECRET_KEY") ?? read.text("FLASK_SECRET_KEY");
  const advice = "32 or more random characters, e.g. from `openssl rand -hex 32`";
  if (key === undefined) {
    if (!isDevelopment) read.problem("SECRET_KEY", `is required outside of development: ${advice}`);
    return savedSecret ?? randomBytes(32).toString("hex");
  }
  if (!isDevelopment && SAMPLE_SECRETS.has(key)) {
    read.problem("SECRET_KEY", `still has the value of a sample file: set ${advice}`);
  } else if (!isDevelopment && key.length < 8) {
    read.problem("SECRET_KEY", `is too short: set ${advice}`);
  } else if (!isDevelopment && key.length < 32) {
    read.warnings.push(`SECRET_KEY is short: ${advice} are safer`);
  }
  return key;
}

function databaseUrl(read: EnvReader, name: "DATABASE_URL" | "DATABASE_REPLICA_URL"): string | null {
  const text = read.text(name);
  if (text === undefined) return null;
  if (/^postgres(ql)?(\+\w+)?:\/\/./u.test(text)) return text;
  read.problem(
    name,
    "takes postgres://user:password@host:port/name (postgresql:// and postgresql+psycopg2:// are the same)",
  );
  return null;
}

function demoUsers(read: EnvReader, isDevelopment: boolean): DemoUser[] {
  const isWanted = read.flag("SEED_DEMO_USERS", isDevelopment);
  const list = read.text("DEMO_USERS") ?? DEFAULT_DEMO_USERS;
  if (!isDevelopment || !isWanted) return [];
  return list.split(",").map((entry) => {
    const [username = "", password] = entry.trim().split(":");
    if (username === "") read.problem("DEMO_USERS", "takes name or name:password, separated by commas");
    return { username, password: password ?? username };
  });
}

function trustProxy(read: EnvReader): boolean | number | string {
  const text = read.text("TRUST_PROXY");
  if (text === undefined) return false;
  // As in the documented platform, 1 is one proxy in front of us; a list of addresses names the proxies themselves.
  if (/^\d{1,2}$/u.test(text)) return text === "0" ? false : Number(text);
  const flag = text.toLowerCase();
  if (TRUE.has(flag)) return true;
  if (FALSE.has(flag)) return false;
  if (/^[0-9a-f.:/,\s]+$/iu.test(text) || /^(loopback|linklocal|uniquelocal)$/u.test(text)) return text;
  read.problem("TRUST_PROXY", "takes the number of proxies in front, or their addresses separated by commas");
  return false;
}

function timeZone(read: EnvReader): string {
  const zone = read.text("SITE_TZ") ?? "Asia/Bangkok";
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    read.problem("SITE_TZ", "takes a time zone of the IANA database, such as Asia/Bangkok");
    return "UTC";
  }
}

function payments(read: EnvReader, key: string): PaymentsConfig {
  const enabled = enabledProviders(read);
  const secret = read.text("PAYMENT_WEBHOOK_SECRET");
  const usesDummy = enabled.includes("dummy");
  if (usesDummy && secret === undefined) {
    read.warnings.push("PAYMENT_WEBHOOK_SECRET is not set: only the built-in simulation can confirm a payment");
  } else if (secret !== undefined && SAMPLE_SECRETS.has(secret)) {
    read.warnings.push("PAYMENT_WEBHOOK_SECRET still has the value of a sample file: anyone can confirm payments");
  }
  return {
    enabled,
    dummy: { webhookSecret: secret ?? derive(key, "payment webhook") },
    stripe: enabled.includes("stripe") ? stripe(read, enabled[0] === "stripe" ? secret : undefined) : null,
    omise: enabled.includes("omise") ? omise(read, enabled[0] === "omise" ? secret : undefined) : null,
    promptPay: enabled.includes("promptpay") ? promptPay(read) : null,
  };
}

function enabledProviders(read: EnvReader): PaymentsConfig["enabled"] {
  const names = (read.text("PAYMENT_PROVIDER") ?? "dummy")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const known = names.flatMap((name) => PROVIDERS.filter((provider) => provider === name));
  if (known.length === names.length && new Set(known).size === known.length) return known;
  read.problem("PAYMENT_PROVIDER", `takes ${PROVIDERS.join(", ")}, or several of them separated by commas, the default first`); // prettier-ignore
  return ["dummy"];
}

/** @param fallback PAYMENT_WEBHOOK_SECRET, which is the default provider's. */
function stripe(read: EnvReader, fallback: string | undefined): NonNullable<PaymentsConfig["stripe"]> {
  const secretKey = read.text("STRIPE_SECRET_KEY") ?? "";
  if (!/^(sk|rk)_(test|live)_\w+$/u.test(secretKey)) {
    read.problem("STRIPE_SECRET_KEY", "is required for the provider stripe: a secret or restricted key, sk_… or rk_…");
  }
  const webhookSecrets = secretList(read.text("STRIPE_WEBHOOK_SECRET") ?? fallback);
  if (webhookSecrets.length === 0) {
    read.problem("STRIPE_WEBHOOK_SECRET", "is required for the provider stripe: whsec_…, or two separated by a comma");
  }
  return { secretKey, webhookSecrets };
}

function omise(read: EnvReader, fallback: string | undefined): NonNullable<PaymentsConfig["omise"]> {
  const secretKey = read.text("OMISE_SECRET_KEY") ?? "";
  if (!/^skey_\w+$/u.test(secretKey)) {
    read.problem("OMISE_SECRET_KEY", "is required for the provider omise: a secret key, skey_…");
  }
  return { secretKey, webhookSecrets: secretList(read.text("OMISE_WEBHOOK_SECRET") ?? fallback) };
}

function promptPay(read: EnvReader): PromptPaySite | null {
  const [id, billerId] = [read.text("PROMPTPAY_ID"), read.text("PROMPTPAY_BILLER_ID")];
  if ((read.text("PAYMENT_CURRENCY") ?? "THB").toUpperCase() !== "THB")
    read.problem("PAYMENT_PROVIDER", "can have promptpay with PAYMENT_CURRENCY=THB only");
  if ((id === undefined) === (billerId === undefined)) {
    read.problem("PROMPTPAY_ID", "or PROMPTPAY_BILLER_ID is required for the provider promptpay: one of the two");
    return null;
  }
  const target = billerId === undefined ? readPromptPayId(id ?? "") : readBillerId(billerId);
  if (target !== undefined)
    return { target, name: read.text("PROMPTPAY_NAME") ?? read.text("SITE_NAME") ?? "HPC Billing" };
  if (billerId === undefined) read.problem("PROMPTPAY_ID", PROMPTPAY_ID_TAKES);
  else read.problem("PROMPTPAY_BILLER_ID", PROMPTPAY_BILLER_ID_TAKES);
  return null;
}

function secretList(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((secret) => secret.trim())
    .filter((secret) => secret !== "");
}

function currency(read: EnvReader): Currency {
  const found = currencyOf(read.text("PAYMENT_CURRENCY") ?? "THB");
  if (found === undefined) read.problem("PAYMENT_CURRENCY", "takes a currency code of ISO 4217, such as THB");
  return found ?? { code: "THB", minorDigits: 2 };
}

/** The rate is a percentage (`7`); a value below 1 (`0.07`) is read as a fraction of the price. */
function tax(read: EnvReader): TaxRule | null {
  const isEnabled = read.flag("BILLING_TAX_ENABLED", false);
  const label = read.text("BILLING_TAX_LABEL") ?? "VAT";
  const inclusive = read.flag("BILLING_TAX_INCLUSIVE", false);
  const value = parseMicro((read.text("BILLING_TAX_RATE") ?? "7").replace(/\s*%$/u, ""));
  if (value === undefined || value > 100n * MICRO) {
    read.problem("BILLING_TAX_RATE", "takes a percentage from 0 to 100, such as 7");
    return null;
  }
  return isEnabled ? { label, rateMicro: value < MICRO ? value : value / 100n, inclusive } : null;
}

const keyringObject = z.record(z.string().min(1), z.string().min(8));

/** `{"2026":"…"}` as JSON, or `2026:…,2025:…`. Without one, a key derived from SECRET_KEY under the id `secret-key`. */
function auditKeyring(read: EnvReader, secret: string): AuditKeyring {
  const text = read.text("AUDIT_HMAC_KEYRING");
  if (text === undefined) {
    return { activeKeyId: "secret-key", keys: new Map([["secret-key", derive(secret, "audit chain")]]) };
  }
  const keys = new Map<string, string>(text.startsWith("{") ? jsonKeyring(text) : listKeyring(text));
  const last = [...keys.keys()].at(-1);
  const activeKeyId = read.text("AUDIT_HMAC_KEY_ID") ?? last ?? "";
  if (keys.size === 0) {
    read.problem("AUDIT_HMAC_KEYRING", 'takes {"id":"secret",…} or id:secret,… with secrets of 8 or more characters');
  } else if (!keys.has(activeKeyId)) {
    read.problem("AUDIT_HMAC_KEY_ID", "takes the id of a key in AUDIT_HMAC_KEYRING");
  }
  return { activeKeyId, keys };
}

function jsonKeyring(text: string): [string, string][] {
  try {
    const parsed = keyringObject.safeParse(JSON.parse(text));
    return parsed.success ? Object.entries(parsed.data) : [];
  } catch {
    return [];
  }
}

function listKeyring(text: string): [string, string][] {
  const pairs = text.split(",").map((entry): [string, string] => {
    const cut = entry.indexOf(":");
    return [entry.slice(0, Math.max(cut, 0)).trim(), entry.slice(cut + 1).trim()];
  });
  return pairs.every(([id, secret]) => id !== "" && secret.length >= 8) ? pairs : [];
}

/** A secret for one purpose from the site's one secret. */
function derive(secret: string, purpose: string): string {
  return createHmac("sha256", secret).update(purpose).digest("hex");
}

function foreignVariables(read: EnvReader): string[] {
  const foreign = FOREIGN_VARIABLES.filter((name) => read.text(name) !== undefined);
  return foreign.length === 0 ? [] : [`ignored, they mean nothing here: ${foreign.join(", ")}`];
}

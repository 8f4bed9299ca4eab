/** Secrets: set, strong, apart from each other, in no repository. */
import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { fail, ok, skipped, together, warn, type Outcome } from "./outcome.ts";
import { grave, type Check, type Setup } from "./setup.ts";

const GENERATE = "make one with `openssl rand -hex 32`";

export const variables: Check = {
  id: "variables",
  title: "Variables are understood",
  run: async ({ config }) =>
    config.warnings.length === 0
      ? ok("nothing to complain about")
      : warn(config.warnings.join("; "), "see docs/deployment.md, Variables"),
};

export const secretKey: Check = {
  id: "secret-key",
  title: "SECRET_KEY is set and strong",
  run: async (setup) => {
    const problem = weakness(setup.config.secretKey);
    return problem === undefined ? ok("set, long and random") : grave(setup, `SECRET_KEY ${problem}`, GENERATE);
  },
};

export const auditKey: Check = {
  id: "audit-key",
  title: "The audit chain has a key of its own",
  run: async (setup) => {
    const { auditKeyring: ring, secretKey: secret } = setup.config;
    const active = ring.keys.get(ring.activeKeyId) ?? "";
    if (ring.activeKeyId === "secret-key" && ring.keys.size === 1)
      return warn("it is derived from SECRET_KEY", "set AUDIT_HMAC_KEYRING as docs/security.md says, and keep it apart from the database"); // prettier-ignore
    if (active === secret)
      return grave(setup, "it is SECRET_KEY itself", `add a key to AUDIT_HMAC_KEYRING: ${GENERATE}`);
    const problem = weakness(active);
    return problem === undefined
      ? ok(`key "${ring.activeKeyId}" of ${ring.keys.size}`)
      : grave(setup, `the active key ${problem}`, `add one to AUDIT_HMAC_KEYRING: ${GENERATE}`);
  },
};

export const webhookSecret: Check = {
  id: "webhook-secret",
  title: "PAYMENT_WEBHOOK_SECRET is set and strong",
  run: async (setup) => {
    const { enabled, dummy, stripe, omise } = setup.config.payments;
    const derived = setup.config.warnings.find((text) => text.startsWith("PAYMENT_WEBHOOK_SECRET"));
    const outcomes = enabled.flatMap((name): Outcome[] => {
      if (name === "dummy" && derived !== undefined) return [grave(setup, derived, `${GENERATE}, on both sides`)];
      if (name === "dummy") return [strengthOf(setup, name, [dummy.webhookSecret])];
      if (name === "stripe") return [strengthOf(setup, name, stripe?.webhookSecrets ?? [])];
      if (name === "omise" && omise?.webhookSecrets.length === 0)
        return [
          warn("omise has none: its events are hints, and Omise is asked about each", "set OMISE_WEBHOOK_SECRET"),
        ];
      return name === "omise" ? [strengthOf(setup, name, omise?.webhookSecrets ?? [])] : [];
    });
    return outcomes.length === 0 ? skipped("no provider sends events") : together(outcomes);
  },
};

function strengthOf(setup: Setup, provider: string, secrets: readonly string[]): Outcome {
  const problem = secrets.map(weakness).find((one) => one !== undefined);
  return problem === undefined
    ? ok(`${provider}: set and long`)
    : grave(setup, `the secret of ${provider} ${problem}`, `${GENERATE}, or roll it at the provider`);
}

export const adminPassword: Check = {
  id: "admin-password",
  title: "ADMIN_PASSWORD is gone after the first start",
  run: async ({ config }) =>
    config.adminPassword === null
      ? ok("not set")
      : warn("it is still in the environment", "remove it: the account exists and keeps its password"),
};

const run = promisify(execFile);

export const envFiles: Check = {
  id: "env-files",
  title: ".env files are in no repository, and closed to others",
  run: async ({ projectRoot }) => {
    const names = (await readdir(projectRoot)).filter(
      (name) => /^\.env(\.|$)/u.test(name) && !/example|sample/u.test(name),
    );
    if (names.length === 0) return ok("there are none");
    const outcomes = await Promise.all(names.map((name) => envFile(projectRoot, name)));
    return together(outcomes);
  },
};

async function envFile(folder: string, name: string): Promise<Outcome> {
  const isTracked = await run("git", ["-C", folder, "ls-files", "--error-unmatch", name]).then(
    () => true,
    () => false,
  );
  if (isTracked)
    return fail(
      `${name} is in the repository`,
      "git rm --cached it, add it to .gitignore, and change every secret in it",
    );
  const { mode } = await stat(join(folder, name));
  return (mode & 0o004) === 0
    ? ok(`${name} is closed`)
    : warn(`${name} can be read by everybody here`, `chmod 640 ${name}`);
}

/** What makes a secret guessable; undefined when nothing does. */
function weakness(secret: string): string | undefined {
  if (secret.length < 32) return `has ${secret.length} characters, 32 or more are safe`;
  const counts = new Map<string, number>();
  for (const character of secret) counts.set(character, (counts.get(character) ?? 0) + 1);
  const bits = [...counts.values()].reduce((sum, n) => sum - n * Math.log2(n / secret.length), 0);
  // 32 random hex digits have 128 bits at most, and rarely less than 100 by this measure.
  return bits < 90 ? "is not random: it repeats itself" : undefined;
}

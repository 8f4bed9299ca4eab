import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import * as secrets from "../../src/doctor/secrets.ts";
import { is, production, setupOf, statusOf, STRONG } from "./support.ts";

const withEnv = (env: Record<string, string>) => setupOf(production(env));

describe("secrets", () => {
  it("that are set, long and random are right", async () => {
    const setup = withEnv({});
    for (const check of [
      secrets.variables,
      secrets.secretKey,
      secrets.auditKey,
      secrets.webhookSecret,
      secrets.adminPassword,
    ])
      // prettier-ignore
      expect([check.id, ...(await statusOf(check, setup))]).toEqual([check.id, ...is("ok")]);
  });

  it("that are short or repeat themselves fail", async () => {
    expect(await statusOf(secrets.secretKey, withEnv({ SECRET_KEY: "short-but-taken" }))).toEqual(is("fail"));
    expect(await statusOf(secrets.secretKey, withEnv({ SECRET_KEY: "ab".repeat(30) }))).toEqual(is("fail"));
    expect(await statusOf(secrets.webhookSecret, withEnv({ PAYMENT_WEBHOOK_SECRET: "super-secret" }))).toEqual(is("fail")); // prettier-ignore
    expect(await statusOf(secrets.webhookSecret, withEnv({ PAYMENT_WEBHOOK_SECRET: "" }))).toEqual(is("fail"));
    expect(await statusOf(secrets.auditKey, withEnv({ AUDIT_HMAC_KEYRING: "a:too-short" }))).toEqual(is("fail"));
    expect(await statusOf(secrets.auditKey, withEnv({ AUDIT_HMAC_KEYRING: `a:${STRONG}` }))).toEqual(is("fail"));
  });

  it("that could be better are named", async () => {
    expect(await statusOf(secrets.auditKey, withEnv({ AUDIT_HMAC_KEYRING: "" }))).toEqual(is("warn"));
    expect(await statusOf(secrets.adminPassword, withEnv({ ADMIN_PASSWORD: "still there" }))).toEqual(is("warn"));
    expect(await statusOf(secrets.variables, withEnv({ FLASK_APP: "x" }))).toEqual(is("warn"));
    const omise = { PAYMENT_PROVIDER: "omise", OMISE_SECRET_KEY: "skey_1", PAYMENT_WEBHOOK_SECRET: "" };
    expect(await statusOf(secrets.webhookSecret, withEnv(omise))).toEqual(is("warn"));
  });

  it("never stand in what is said about them", async () => {
    const setup = withEnv({ SECRET_KEY: "short-but-taken", PAYMENT_WEBHOOK_SECRET: "hunter2-hunter2" });
    const said = await Promise.all([secrets.secretKey, secrets.webhookSecret].map((check) => check.run(setup)));
    expect(JSON.stringify(said)).not.toMatch(/short-but-taken|hunter2/u);
  });
});

describe(".env files", () => {
  function project(): string {
    const folder = mkdtempSync(join(tmpdir(), "hpcb-env-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, ".env.example"), "SECRET_KEY=");
    return folder;
  }
  /** The bare machine that tests must pass on has no git. */
  function answerAsGit(folder: string, script: string): void {
    const path = process.env["PATH"] ?? "";
    onTestFinished(() => {
      process.env["PATH"] = path;
    });
    const bin = mkdtempSync(join(folder, "bin-"));
    writeFileSync(join(bin, "git"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env["PATH"] = `${bin}:${path}`;
  }
  const look = (projectRoot: string) => statusOf(secrets.envFiles, setupOf(production(), { projectRoot }));

  it("are none, or closed", async () => {
    const folder = project();
    expect(await look(folder)).toEqual(["ok", "there are none"]);
    writeFileSync(join(folder, ".env.production"), "SECRET_KEY=x", { mode: 0o600 });
    expect(await look(folder)).toEqual(["ok", ".env.production is closed"]);
  });

  it("that everybody can read are named, and those in the repository fail", async () => {
    const folder = project();
    writeFileSync(join(folder, ".env"), "SECRET_KEY=x", { mode: 0o644 });
    expect(await look(folder)).toEqual(is("warn"));
    answerAsGit(folder, "exit 1");
    expect(await look(folder)).toEqual(is("warn"));
    answerAsGit(folder, '[ "$3 $4 $5" = "ls-files --error-unmatch .env" ]');
    expect(await look(folder)).toEqual(["fail", ".env is in the repository"]);
  });
});

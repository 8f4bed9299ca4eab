import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestContext, type TestContext } from "../../support/context.ts";
import { backUp, backupFolder, createEmptyDatabase, restore, somebodyPays, stateOf } from "../../backup/support.ts";

let context: TestContext;
let empty: { url: string; drop(): Promise<void> };
let folder: string;
/** Keys. Short, for the sockets of gpg's agent. */
let keys: string;
const environment = { PATH: process.env["PATH"], GNUPGHOME: process.env["GNUPGHOME"] };

beforeEach(async () => {
  [context, empty] = await Promise.all([createTestContext(), createEmptyDatabase()]);
  await somebodyPays(context);
  folder = backupFolder();
  keys = mkdtempSync(join(tmpdir(), "hpcb-k-"));
});

afterEach(async () => {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(keys, { recursive: true, force: true });
  await context.close();
  await empty.drop();
});

function ageKey(name: string): { identity: string; recipient: string } {
  const identity = join(keys, name);
  execFileSync("age-keygen", ["-o", identity], { stdio: "ignore" });
  return { identity, recipient: execFileSync("age-keygen", ["-y", identity], { encoding: "utf8" }).trim() };
}

function gpgHome(name: string): string {
  const home = mkdtempSync(join(keys, "g"));
  process.env["GNUPGHOME"] = home;
  execFileSync("gpg", ["--batch", "--passphrase", "", "--quick-generate-key", name, "default", "default", "never"], {
    stdio: "ignore",
  });
  return home;
}

describe("with age", () => {
  it("any of the recipients can read it, and nobody else", async () => {
    const [first, second, third] = [ageKey("first"), ageKey("second"), ageKey("third")];
    const { path } = await backUp(context, { folder, recipients: [first.recipient, second.recipient] });
    expect(path.endsWith(".tar.zst.age")).toBe(true);
    expect(readFileSync(path).includes("receipts")).toBe(false);
    const request = { databaseUrl: empty.url, file: path };

    await expect(restore(request)).rejects.toThrow("--identity");
    await expect(restore({ ...request, identity: third.identity })).rejects.toThrow(
      /age failed: .*no identity matched/u,
    );
    expect(await stateOf(empty.url)).toEqual(new Map());
    await restore({ ...request, identity: first.identity, isTrial: true });
    await restore({ ...request, identity: second.identity });
    expect((await stateOf(empty.url)).get("receipts")).toMatch(/^1 /u);
  });

  it("a file that was cut off is refused", async () => {
    const { identity, recipient } = ageKey("key");
    const { path, bytes } = await backUp(context, { folder, recipients: [recipient] });
    for (const size of [bytes - 1, Math.floor(bytes / 2), 10]) {
      truncateSync(path, size);
      await expect(restore({ databaseUrl: empty.url, file: path, identity })).rejects.toThrow(/age failed|not whole/u);
    }
    expect(await stateOf(empty.url)).toEqual(new Map());
  });

  it("a recipient that is none leaves no file", async () => {
    await expect(backUp(context, { folder, recipients: ["age1nobody"] })).rejects.toThrow("age failed");
    expect(readdirSync(folder)).toEqual([".lock"]);
  });
});

describe("with gpg", () => {
  it("whoever has the key can read it, and nobody else", async () => {
    const other = gpgHome("other@example.org");
    const ours = gpgHome("backup@example.org");
    const { path } = await backUp(context, { folder, recipients: ["backup@example.org"] });
    expect(path.endsWith(".tar.zst.gpg")).toBe(true);
    const request = { databaseUrl: empty.url, file: path };

    process.env["GNUPGHOME"] = other;
    await expect(restore(request)).rejects.toThrow("gpg failed");
    process.env["GNUPGHOME"] = ours;
    const cut = join(folder, "cut.tar.zst.gpg");
    writeFileSync(cut, readFileSync(path).subarray(0, -40));
    await expect(restore({ ...request, file: cut })).rejects.toThrow(/gpg failed|not whole/u);
    expect(await stateOf(empty.url)).toEqual(new Map());
    await restore(request);
    expect((await stateOf(empty.url)).get("receipts")).toMatch(/^1 /u);
  });

  it("a recipient nobody knows leaves no file", async () => {
    process.env["GNUPGHOME"] = gpgHome("me@example.org");
    await expect(backUp(context, { folder, recipients: ["nobody@example.org"] })).rejects.toThrow("gpg failed");
    expect(readdirSync(folder)).toEqual([".lock"]);
  });
});

describe("encryption", () => {
  it("says which program is missing", async () => {
    const { PATH } = process.env;
    // flock is still found.
    process.env["PATH"] = mkdtempSync(join(keys, "bin"));
    execFileSync("/bin/ln", ["-s", execFileSync("/bin/sh", ["-c", `PATH=${PATH} command -v flock`], { encoding: "utf8" }).trim(), join(process.env["PATH"], "flock")]); // prettier-ignore
    await expect(backUp(context, { folder, recipients: ["age1x"] })).rejects.toThrow("age is not installed here");
    await expect(backUp(context, { folder, recipients: ["me@example.org"] })).rejects.toThrow(
      "gpg is not installed here",
    );
  });

  it("is by one program at a time", async () => {
    await expect(backUp(context, { folder, recipients: ["age1x", "me@example.org"] })).rejects.toThrow("not of both");
  });
});

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { makeFolderIn, removeWithServers } from "../support/run-folder.ts";
import { runCli, ROOT, type CliResult } from "../cli/run-cli.ts";
import { createTestContext } from "../support/context.ts";
import { createEmptyDatabase, somebodyPays } from "./support.ts";

const SAMPLE = join(ROOT, "test/data/slurm-22.05/sacct.psv");
const SECRET = { SECRET_KEY: "a secret of the command line's tests" };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hpcb-b-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const answer = z.object({ file: z.string(), rows: z.number(), audit_records: z.number(), audit_head: z.string() });

function fileOf(result: CliResult): string {
  expect(result).toMatchObject({ code: 0, stderr: "" });
  return answer.parse(JSON.parse(result.stdout)).file;
}

describe("backup and restore of the built-in database", () => {
  it("go from one data folder to another, with the audit record of each", async () => {
    const from = makeFolderIn(inject("runFolder"));
    const to = makeFolderIn(inject("runFolder"));
    const env = { ...SECRET, DATA_DIR: from };
    expect((await runCli(["import", SAMPLE], { env })).code).toBe(0);
    const usage = await runCli(["usage", "--json"], { env });
    const file = fileOf(await runCli(["backup", "--keep", "3", "--json"], { env }));
    expect(file.startsWith(join(from, "backups"))).toBe(true);

    const restored = await runCli(["restore", file, "--verify"], { env: { ...SECRET, DATA_DIR: to } });

    expect(restored).toMatchObject({ code: 0, stderr: "" });
    expect(restored.stdout).toMatch(/^jobs +18 +cpu_minor /mu);
    expect(restored.stdout).toContain("restored; everybody has to sign in again");
    expect(await runCli(["usage", "--json"], { env: { ...SECRET, DATA_DIR: to } })).toEqual(usage);
    expect((await runCli(["audit", "verify"], { env: { ...SECRET, DATA_DIR: to } })).code).toBe(0);
    expect(readdirSync(join(from, "backups"))).toContain("restore-test.json");
    // In the one the record that it was taken, in the other that it was restored.
    expect((await runCli(["audit", "verify"], { env })).code).toBe(0);
    const again = await runCli(["restore", file], { env: { ...SECRET, DATA_DIR: to } });
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain("not empty");
    removeWithServers(from);
    removeWithServers(to);
  });

  it("make no database where there is none to back up", async () => {
    const result = await runCli(["backup"], { env: { ...SECRET, DATA_DIR: folder } });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("there is no database");
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("backup and restore of a database of one's own", () => {
  it("restore into the database that --into names, as a trial at first", async () => {
    const context = await createTestContext();
    const empty = await createEmptyDatabase();
    await somebodyPays(context);
    // The chain of the test is kept with the test's key.
    const env = {
      DATABASE_URL: context.url,
      AUDIT_HMAC_KEYRING: '{"test":"a test\'s secret"}',
      DATA_DIR: folder,
      ...SECRET,
    };
    const file = fileOf(await runCli(["backup", "--to", join(folder, "b"), "--json"], { env }));

    const trial = await runCli(["restore", file, "--trial"], { env });
    expect(trial).toMatchObject({ code: 0, stderr: "" });
    expect(trial.stdout).toContain("it was a trial: nothing was changed");
    const restored = await runCli(["restore", file, "--into", empty.url, "--json"], { env });
    expect(JSON.parse(restored.stdout)).toMatchObject({ file, restored: true, accepted: [] });
    const other = await runCli(["restore", file, "--into", "mysql://x/y"], { env });
    expect(other.code).toBe(2);
    await context.close();
    await empty.drop();
  });
});

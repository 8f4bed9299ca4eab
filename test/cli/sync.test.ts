import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sql } from "../../src/db/database.ts";
import { takeLease } from "../../src/usage/sync/lease.ts";
import { usageTotals } from "../../src/usage/queries/summary.ts";
import { createTestContext, type TestContext } from "../support/context.ts";
import { runCli, type CliResult } from "./run-cli.ts";

let context: TestContext;
let folder: string;

beforeEach(async () => {
  context = await createTestContext();
  folder = mkdtempSync(join(tmpdir(), "hpc-billing-sync-"));
});

afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await context.close();
});

function cli(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const env = { DATABASE_URL: context.url, DATA_DIR: folder, SECRET_KEY: "a secret of the sync's tests", ...more };
  return runCli(args, { env });
}

/** A program that stands where sacct is looked for. */
function program(text: string): string {
  const path = join(folder, "sacct");
  writeFileSync(path, `#!${process.execPath}\n${text}\n`, { mode: 0o755 });
  return path;
}

const DUMP = [
  "JobIDRaw|User|Account|State|Submit|Start|End|ElapsedRaw|AllocTRES",
  "1|alice|mu|COMPLETED|2026-10-31T01:00:00|2026-10-31T01:00:00|2026-10-31T02:00:00|3600|cpu=4,mem=8G,node=1",
].join("\n");

describe("hpc-billing sync", () => {
  it("says what to set when no cluster is configured", async () => {
    const { code, stderr } = await cli(["sync"]);
    expect(code).toBe(2);
    expect(stderr).toContain("SLURMRESTD_URL, SACCT_PATH, IMPORT_FOLDER or FALLBACK_CSV");
  });

  it("reads a folder and ends with one JSON object, and the second time nothing is left to read", async () => {
    mkdirSync(join(folder, "drops"));
    writeFileSync(join(folder, "drops", "a.psv"), `${DUMP}\n`);
    const env = { FALLBACK_CSV: join(folder, "drops", "a.psv"), SLURM_CLUSTER: "alpha" };
    const first = await cli(["sync", "--json"], env);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(first.stdout)).toEqual({
      cluster: "alpha",
      status: "done",
      source: "file",
      trouble: null,
      rows: 1,
      new: 1,
      changed: 0,
      unchanged: 0,
      running: 0,
      rejected: 0,
    });
    expect((await cli(["sync"], env)).stdout).toContain("0 new, 0 changed, 0 unchanged");
    expect((await usageTotals(context.db, {})).cpuSeconds).toBe(4n * 3_600n);
  });

  it("fails, with the program's own words, when sacct cannot answer", async () => {
    const path = program('process.stderr.write("sacct: error: slurmdbd is away\\n"); process.exit(1);');
    const { code, stdout, stderr } = await cli(["sync"], { SACCT_PATH: path, SLURM_CLUSTER: "alpha" });
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("slurmdbd is away");
    expect((await usageTotals(context.db, {})).jobs).toBe(0n);
  });

  it("does not work beside another sync of the cluster", async () => {
    const lease = await takeLease(context, { cluster: "alpha", requestedBy: "system", holder: "another host" });
    const env = { FALLBACK_CSV: join(folder, "a.psv"), SLURM_CLUSTER: "alpha" };
    const { code, stderr } = await cli(["sync"], env);
    expect(code).toBe(1);
    expect(stderr).toContain("under way already (another host)");
    expect((await cli(["sync", "--cancel"], env)).stdout).toBe("alpha: the sync will stop\n");
    await lease.release();
    expect((await cli(["sync", "--cancel"], env)).stdout).toBe("alpha: no sync is under way\n");
  });

  it("reads the files of a cluster that is away and has no configured name, under the name that it told before", async () => {
    writeFileSync(join(folder, "a.psv"), `${DUMP}\n`);
    const env = { FALLBACK_CSV: join(folder, "a.psv"), SACCT_PATH: program("process.exit(1)") };
    const unnamed = await cli(["sync"], env);
    expect(unnamed).toMatchObject({ code: 1, stdout: "" });
    expect((await cli(["sync", "--cancel"], env)).stdout).toBe("no sync is under way\n");
    await context.db.run(sql`INSERT INTO settings (key, value) VALUES ('sync_last_name', '"alpha"')`);
    const { code, stdout } = await cli(["sync"], env);
    expect(code).toBe(0);
    expect(stdout).toContain("alpha: done, read from file; jobs: 1 new");
    expect((await cli(["sync", "--cancel"], env)).stdout).toBe("alpha: no sync is under way\n");
  });

  it.each([
    [["--from", "2026-10-01"], "--from and --to go together"],
    [["--from", "2026-10-02", "--to", "2026-10-01"], "lies before"],
    [["--from", "1 October", "--to", "2026-10-01"], "YYYY-MM-DD"],
    [["--cluster", "beta"], "--cluster takes one of alpha"],
  ])("refuses %j and says what it takes", async (args, message) => {
    const { code, stderr } = await cli(["sync", ...args], { FALLBACK_CSV: "/x.psv", SLURM_CLUSTER: "alpha" });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

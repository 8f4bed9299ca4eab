import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { usageTotals } from "../../src/usage/queries/summary.ts";
import { sql } from "../../src/db/database.ts";
import { createTestContext, type TestContext } from "../support/context.ts";
import { rollupAndTruth } from "../support/rollup.ts";
import { until } from "../support/until.ts";
import { runCli, startCli, ROOT, type CliResult } from "./run-cli.ts";

const SAMPLE = join(ROOT, "test/data/slurm-22.05/sacct.psv");

let context: TestContext;
let folder: string;
let env: Record<string, string>;

beforeEach(async () => {
  context = await createTestContext();
  folder = mkdtempSync(join(tmpdir(), "hpc-billing-cli-"));
  env = { DATABASE_URL: context.url, DATA_DIR: folder, SECRET_KEY: "a secret of the command line's tests" };
});

afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await context.close();
});

function cli(args: readonly string[], stdin?: string | Uint8Array): Promise<CliResult> {
  return runCli(args, stdin === undefined ? { env } : { env, stdin });
}

describe("hpc-billing import", () => {
  it("ends with one JSON object, and the second time nothing has changed", async () => {
    const first = await cli(["import", SAMPLE, "--json"]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(first.stdout)).toEqual({ rows: 38, new: 18, changed: 0, unchanged: 0, running: 0, rejected: 0 });
    expect((await cli(["import", SAMPLE])).stdout).toContain("0 new, 0 changed, 18 unchanged");
    const usage = await cli(["usage", "--json", "--by", "user", "--from", "2026-11-23", "--to", "2026-11-23"]);
    const [alice] = z.array(z.record(z.string(), z.unknown())).parse(JSON.parse(usage.stdout));
    expect(alice).toEqual({
      key: "alice",
      jobs: 4,
      cpu_seconds: 80,
      gpu_seconds: 0,
      mem_mib_seconds: 40960,
      node_seconds: 18,
      cost_minor: 3,
    });
  });

  it("reads gzip from standard input", async () => {
    const result = await cli(["import", "-", "--json"], gzipSync(readFileSync(SAMPLE)));
    expect(JSON.parse(result.stdout)).toMatchObject({ new: 18, rejected: 0 });
  });

  it("keeps what it could not read, with line numbers and reasons, and imports the rest", async () => {
    const header = "JobIDRaw|User|State|Submit|Start|End|ElapsedRaw|AllocTRES\n";
    const good = "1|alice|COMPLETED|2026-10-01T00:00:00|2026-10-01T00:00:00|2026-10-01T01:00:00|3600|cpu=2,mem=1G\n";
    const bad = "2|alice|COMPLETED|2026-10-01T00:00:00|2026-10-01T02:00:00|2026-10-01T01:00:00|-5|cpu=2,mem=1G\n";
    const file = join(folder, "dump.psv");
    writeFileSync(file, header + good + bad);
    const result = await cli(["import", file, "--json"]);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ rows: 2, new: 1, rejected: 1 });
    expect(result.stderr).toContain("dump.psv:3: ");
    const [kept] = readdirSync(join(folder, "rejects"));
    expect(readFileSync(join(folder, "rejects", kept ?? ""), "utf8")).toContain("2|alice|COMPLETED");
  });

  it("says what is wrong with the whole file, by name, and ends with 1", async () => {
    const file = join(folder, "no-columns.psv");
    writeFileSync(file, "JobIDRaw|User|State\n1|alice|COMPLETED\n");
    const missing = await cli(["import", file]);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain("no-columns.psv");
    expect(missing.stderr).toContain("Start");
    const truncated = join(folder, "cut.psv.gz");
    writeFileSync(truncated, gzipSync(readFileSync(SAMPLE)).subarray(0, 1500));
    const cut = await cli(["import", truncated]);
    expect(cut.code).toBe(1);
    expect(cut.stderr).toContain("cut.psv.gz");
    expect((await cli(["import", join(folder, "nowhere.psv")])).stderr).toContain("nowhere.psv");
    const whole = await cli(["import", SAMPLE, "--json"]);
    expect(z.object({ new: z.number(), unchanged: z.number() }).parse(JSON.parse(whole.stdout))).toSatisfy(
      (totals: { new: number; unchanged: number }) => totals.new + totals.unchanged === 18,
    );
  });

  it("killed at any moment leaves whole batches, and run again completes them", async () => {
    const dump = join(folder, "big.psv.gz");
    const header = "JobIDRaw|User|Account|State|Submit|Start|End|ElapsedRaw|AllocTRES\n";
    const jobs = 40_000;
    const plain = join(folder, "big.psv");
    const lines = [header];
    for (let id = 1; id <= jobs; id++) {
      lines.push(
        `${id}|user${id % 50}|mu-a|COMPLETED|2026-10-01T00:00:00|2026-10-01T00:00:00|2026-10-01T01:00:00|3600|cpu=2,mem=1G\n`,
      );
    }
    writeFileSync(plain, lines.join(""));
    await pipeline(createReadStream(plain), createGzip({ level: 1 }), createWriteStream(dump));
    const child = startCli(["import", dump], env);
    const ended = new Promise((resolve) => child.once("close", resolve));
    await until("a batch is there", async () => (await usageTotals(context.db, {})).jobs > 0n);
    child.kill("SIGKILL");
    await ended;
    await until("the server has noticed", async () => {
      const { busy } = await context.db.one(
        z.object({ busy: z.bigint() }),
        sql`SELECT count(*) AS busy FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()`,
      );
      return busy === 0n;
    });
    const { rollup, truth } = await rollupAndTruth(context.db);
    expect(rollup).toEqual(truth);
    expect((await cli(["import", dump])).code).toBe(0);
    expect((await usageTotals(context.db, {})).jobs).toBe(BigInt(jobs));
    const after = await rollupAndTruth(context.db);
    expect(after.rollup).toEqual(after.truth);
  });
});

describe("the other commands", () => {
  it("take an account from nothing to a billed month with an intact audit trail", async () => {
    await cli(["import", SAMPLE]);
    expect((await cli(["rates", "set", "--tier", "mu", "--cpu", "3600", "--gpu", "0", "--mem", "0"])).code).toBe(0);
    const created = await cli(["receipts", "create", "--month", "2026-11", "--user", "alice", "--json"]);
    expect(JSON.parse(created.stdout)).toEqual([
      { number: "R-2026-000001", user: "alice", jobs: 4, total_minor: 8000 },
    ]);
    expect((await cli(["receipts", "create", "--month", "2026-11", "--user", "alice"])).stdout).toContain(
      "nothing to bill",
    );
    const listed = z
      .array(z.record(z.string(), z.unknown()))
      .parse(JSON.parse((await cli(["receipts", "list", "--json"])).stdout));
    expect(listed).toHaveLength(1);
    const usage = await cli(["export", "usage", "--from", "2026-11-23", "--to", "2026-11-23"]);
    expect(usage.stdout.split("\r\n")).toHaveLength(18 + 2);
    expect((await cli(["audit", "verify"])).stdout).toContain("is whole");
  });

  it("let somebody sign in, with the password on standard input", async () => {
    expect(await cli(["user", "add", "dana", "--role", "admin", "--password-stdin"], "correct horse\n")).toMatchObject({
      code: 0,
    });
    expect((await cli(["user", "add", "dana", "--password-stdin"], "another one\n")).code).toBe(1);
    expect((await cli(["user", "list"])).stdout).toContain("dana");
    expect((await cli(["user", "passwd", "nobody", "--password-stdin"], "correct horse\n")).stderr).toContain("nobody");
  });

  it("end with 2 when they are called wrongly, and with 0 for help", async () => {
    for (const args of [
      ["usage", "--by", "shoe-size"],
      ["usage", "--from", "yesterday"],
      ["nonsense"],
      ["import"],
      ["rates", "set", "--tier", "mu", "--cpu", "-1", "--gpu", "0", "--mem", "0"],
    ]) {
      const result = await cli(args);
      expect([args, result.code]).toEqual([args, 2]);
      expect(result.stderr).not.toBe("");
    }
    for (const args of [["--help"], ["import", "--help"], ["rates", "set", "--help"]]) {
      expect((await cli(args)).code).toBe(0);
    }
  });

  it("say everything that is wrong with the environment at once, and no secret", async () => {
    const result = await runCli(["usage"], {
      env: {
        APP_ENV: "production",
        DATA_DIR: folder,
        PORT: "many",
        SITE_TZ: "Mars/Olympus",
        FLASK_SECRET_KEY: "change-me-in-prod",
      },
    });
    expect(result.code).toBe(1);
    for (const name of ["PORT", "SITE_TZ", "SECRET_KEY"]) expect(result.stderr).toContain(name);
    expect(result.stderr).not.toContain("change-me-in-prod");
  });

  it("say where the database is that they cannot reach, without its password", async () => {
    const env = { DATABASE_URL: "postgres://hpc:a-secret@127.0.0.1:1/hpc", DATA_DIR: folder, SECRET_KEY: "a test's" };
    const { code, stderr } = await runCli(["usage"], { env });
    expect(code).toBe(1);
    expect(stderr).toBe("hpc-billing: the database at 127.0.0.1:1 cannot be used: connect ECONNREFUSED 127.0.0.1:1\n");
  });
});

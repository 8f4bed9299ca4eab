import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lastReconcile } from "../../src/usage/reconcile/queries.ts";
import { aJob, createTestContext, type TestContext } from "../support/context.ts";
import { runCli } from "./run-cli.ts";

let context: TestContext;

beforeAll(async () => {
  context = await createTestContext();
  await context.importJobs([aJob()]);
});

afterAll(() => context.close());

const reconcile = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCli(["reconcile", ...args], {
    env: { DATABASE_URL: context.url, APP_ENV: "development", SEED_DEMO_USERS: "0", ...env },
  });

const october = ["--from", "2026-10-01", "--to", "2026-10-31"];

describe("reconcile on the command line", () => {
  it.each([
    [[], "required option"],
    [["--from", "2026-10-10"], "required option"],
    [["--from", "October", "--to", "2026-10-31"], "--from takes a day"],
    [["--from", "2026-10-31", "--to", "2026-10-01"], "is after"],
    [["--from", "2999-01-01", "--to", "2999-01-01"], "is still to come"],
    [[...october, "--cluster", "nowhere"], "no cluster is configured"],
  ])("ends with 2 when it is called wrongly: %j", async (args, message) => {
    const { code, stdout, stderr } = await reconcile(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("ends with 1 where there is no scheduler to compare with", async () => {
    const { code, stderr } = await reconcile(october);
    expect(code).toBe(1);
    expect(stderr).toContain("no cluster with sacct or slurmrestd is configured");
    expect(await lastReconcile(context.db)).toBeUndefined();
  });

  it("ends with 1 when the scheduler cannot be asked, keeps that, and checks our own books all the same", async () => {
    const { code, stdout, stderr } = await reconcile(october, {
      SACCT_PATH: "/nowhere/sacct",
      SLURM_CLUSTER: "test",
    });
    expect(code).toBe(1);
    expect(stderr).toContain("not reconciled: cluster test cannot be asked");
    expect(stdout).toContain("usage: 1 jobs = 1 priced");
    expect(await lastReconcile(context.db)).toMatchObject({ status: "failed", fromDay: "2026-10-01" });
  });
});

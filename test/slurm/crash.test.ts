import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { runCli, startCli } from "../cli/run-cli.ts";
import { until } from "../support/until.ts";
import { middleman, type Middleman } from "./middleman.ts";
import { SACCT, sacctSays, slurm, TOKEN } from "./real-cluster.ts";

const outcome = z.object({ status: z.string(), new: z.number(), changed: z.number(), unchanged: z.number() });
const usage = z.array(
  z.object({ key: z.string(), jobs: z.number(), cpu_seconds: z.number(), gpu_seconds: z.number() }),
);

let dataDir: string;
let between: Middleman;
let env: Record<string, string>;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "crash-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  between = await middleman();
  env = {
    DATA_DIR: dataDir,
    LOG_LEVEL: "silent",
    SITE_TZ: "UTC",
    SLURM_CLUSTER: "alpha",
    SLURMRESTD_URL: between.url,
    SLURMRESTD_USER: "hpcbilling",
    SLURMRESTD_TOKEN: TOKEN,
    SLURM_CONF: SACCT.slurmConf,
  };
});

/** Seconds by user, from the command and from sacct itself. */
async function expectTheTotalsOfSacct(): Promise<void> {
  const { stdout } = await runCli(["usage", "--by", "user", "--json"], { env });
  const users = usage.parse(JSON.parse(stdout));
  const sums = users.reduce(
    (all, user) => ({
      jobs: all.jobs + user.jobs,
      cpuSeconds: all.cpuSeconds + BigInt(user.cpu_seconds),
      gpuSeconds: all.gpuSeconds + BigInt(user.gpu_seconds),
    }),
    { jobs: 0, cpuSeconds: 0n, gpuSeconds: 0n },
  );
  const runs = await sacctSays();
  expect(sums).toEqual({
    jobs: runs.length,
    cpuSeconds: runs.reduce((sum, run) => sum + run.cpuSeconds, 0n),
    gpuSeconds: runs.reduce((sum, run) => sum + run.gpuSeconds, 0n),
  });
}

describe("the command that syncs", () => {
  it("goes on where it was when it was killed in the middle of a sync", async () => {
    const child = startCli(["sync", "--json"], env);
    const ended = new Promise((resolve) => child.once("close", resolve));
    between.before = () => void child.kill("SIGKILL");
    await ended;
    expect(child.signalCode).toBe("SIGKILL");
    between.before = null;
    // The lease of the dead process runs out within half a minute.
    await until(
      "another sync may begin",
      async () => {
        const { code, stdout, stderr } = await runCli(["sync", "--json"], { env });
        if (code !== 0 && stderr.includes("under way already")) return false;
        expect(outcome.parse(JSON.parse(stdout)).status).toBe("done");
        return true;
      },
      90_000,
    );
    await expectTheTotalsOfSacct();
  });

  it("says that the database went away when that is killed, and completes the sync afterwards", async () => {
    between.before = () => {
      const pidFile = join(dataDir, "postgres", "postmaster.pid");
      process.kill(Number(readFileSync(pidFile, "utf8").split("\n")[0]), "SIGKILL");
      between.before = null;
    };
    const hurt = await runCli(["sync", "--json"], { env });
    expect(hurt.code).toBe(1);
    expect(hurt.stderr).toMatch(/database/u);
    await until("another sync may begin", async () => (await runCli(["sync"], { env })).code === 0, 90_000);
    await expectTheTotalsOfSacct();
  });

  it("compares the books with the scheduler's, and says so by its exit code", async () => {
    expect((await runCli(["sync"], { env })).code).toBe(0);
    const day = (await slurm("date", "-u", "-d", "yesterday", "+%F")).trim();
    const today = (await slurm("date", "-u", "+%F")).trim();
    const balanced = await runCli(["reconcile", "--from", day, "--to", today], { env });
    expect(balanced.stderr).toBe("");
    expect(balanced.code).toBe(0);
    expect(balanced.stdout).toMatch(/^usage: (\d+) jobs = \1 priced$/mu);
  });
});

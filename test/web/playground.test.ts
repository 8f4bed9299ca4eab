import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setRate, setTierOverride } from "../../src/usage/prices/change.ts";
import { sbatchLines } from "../../src/web/pages/playground/sbatch.ts";
import { readCalculation, textsOf } from "../../src/web/routes/playground-form.ts";
import { aJob, at } from "../support/context.ts";
import { startMeSite, textOf, type MeSite } from "./me-site.ts";
import type { Browser } from "./server-harness.ts";

let site: MeSite;
let alice: Browser;
beforeAll(async () => {
  site = await startMeSite();
  await site.importJobs([aJob()]);
  alice = await site.browserOf("alice");
});
afterAll(() => site.close());

describe("the calculator", () => {
  it("prices a job for the own tier and the others, as the very same job would be billed", async () => {
    const page = textOf((await alice.get("/playground?cores=16&gpus=2&memory=64&hours=3:20:15&jobs=3")).body);
    expect(page).toContain("Cost for your tier, MU ฿ 1,073.76 3 jobs, ฿357.92 each");
    expect(page).toContain("VAT 7 % is added on the receipt: ฿1,148.92 in all");
    expect(page).toContain("Private companies ฿213.60 ฿934.50 ฿21.36 ฿1,169.46 ฿3,508.38");
    const startAt = at("2026-10-20T00:00:00Z");
    await site.importJobs([
      aJob({
        rawJobId: "77",
        startAt,
        submitAt: startAt,
        endAt: startAt + 12_015,
        elapsedSeconds: 12_015,
        allocCpus: 16,
        allocGpus: 2,
        allocMemMib: 65_536,
      }),
    ]);
    expect(textOf((await alice.get("/me?view=detail&q=77")).body)).toContain("฿357.92");
  });

  it("calculates something when asked nothing", async () => {
    const answer = await alice.get("/playground");
    expect(answer.statusCode).toBe(200);
    expect(textOf(answer.body)).toContain("4 cores × 3,600 s");
  });

  it("says beside each wrong field what it takes, and calculates nothing", async () => {
    const answer = await alice.get("/playground?cores=0&gpus=-1&memory=1e3&hours=abc&jobs=1.5&partition=%3Cscript%3E");
    expect(answer.statusCode).toBe(400);
    for (const field of ["cores", "gpus", "memory", "hours", "jobs", "partition"])
      expect(answer.body).toContain(`id="${field}-error"`);
    expect(answer.body).not.toContain("key-figure");
    expect(answer.body).not.toContain("<script>");
  });

  it("offers the GPU types and partitions that have prices of their own, and uses those", async () => {
    const rate = {
      tier: "mu",
      cpuMicro: 1_000_000n,
      gpuMicro: 1_000_000n,
      memMicro: 0n,
      effectiveFrom: null,
      note: "",
    } as const;
    await setRate(site, { ...rate, gpuTypeMicro: new Map([["h100", 100_000_000n]]) }, { actor: "root" });
    await setRate(site, { ...rate, cpuMicro: 500_000n, partition: "cheap" }, { actor: "root" });
    const page = textOf((await alice.get("/playground?cores=2&gpus=1&gpu_type=h100&memory=0&hours=1")).body);
    expect(page).toContain("GPU h100 1 × 3,600 s 1.0000 GPU-h × ฿100.000000 ฿100.00");
    expect(page).toContain("cheap");
    expect(textOf((await alice.get("/playground?cores=2&gpus=0&memory=0&hours=1&partition=cheap")).body)).toContain(
      "2.0000 core-h × ฿0.500000 ฿1.00",
    );
  });

  it("knows the tier an admin gave", async () => {
    await setTierOverride(site, "alice", "private", { actor: "root" });
    expect(textOf((await alice.get("/playground")).body)).toContain("Cost for your tier, Private");
  });

  it("is for those who are signed in", async () => {
    expect(
      (await site.app.inject({ method: "GET", url: "/playground", headers: { accept: "text/html" } })).headers.location,
    ).toBe("/login?next=%2Fplayground");
  });
});

describe("the question", () => {
  it("is read exactly: two decimals of an hour are whole seconds, GiB are whole MiB", () => {
    const asked = (query: Record<string, string>) => readCalculation(textsOf(query)).asked;
    expect(asked({ hours: "0.01" })?.seconds).toBe(36);
    expect(asked({ hours: "3:20" })?.seconds).toBe(12_000);
    expect(asked({ hours: "100:00:01" })?.seconds).toBe(360_001);
    expect(asked({ memory: "0.5" })?.memMib).toBe(512);
    expect(asked({ memory: "1.3" })?.memMib).toBe(1331);
  });

  it("is either answered or every wrong field is named, whatever is typed", () => {
    fc.assert(
      fc.property(
        fc.record({
          cores: fc.string(),
          gpus: fc.string(),
          memory: fc.string(),
          hours: fc.string(),
          jobs: fc.string(),
        }),
        (query) => {
          const { asked, problems } = readCalculation(textsOf(query));
          expect(asked === null).toBe(Object.keys(problems).length > 0);
        },
      ),
    );
  });

  it("becomes the lines of sbatch", () => {
    const asked = {
      cores: 16,
      gpus: 2,
      gpuType: "a100",
      memMib: 65_536,
      seconds: 100_000,
      jobs: 10,
      cluster: "",
      partition: "gpu",
    };
    expect(sbatchLines(asked).split("\n")).toEqual(
      [
        "--partition=gpu",
        "--nodes=1",
        "--cpus-per-task=16",
        "--gres=gpu:a100:2",
        "--mem=64G",
        "--time=1-03:46:40",
        "--array=1-10",
      ].map((line) => `#SBATCH ${line}`),
    );
    expect(sbatchLines({ ...asked, gpus: 0, jobs: 1, memMib: 1331, seconds: 60, partition: "" })).toBe(
      "#SBATCH --nodes=1\n#SBATCH --cpus-per-task=16\n#SBATCH --mem=1331M\n#SBATCH --time=00:01:00",
    );
  });
});

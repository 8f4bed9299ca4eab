import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDump } from "../../src/slurm/input.ts";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import { readDump } from "../../src/slurm/sacct-reader.ts";
import { DATA, gather, never, openApi, reading, routes, serve, source } from "./server.ts";

function realAnswer(name: string): unknown {
  return JSON.parse(readFileSync(join(DATA, "slurm-22.05", name), "utf8"));
}

async function sacctRecords(): Promise<readonly JobRecord[]> {
  const { bytes } = await openDump(join(DATA, "slurm-22.05/sacct.psv"));
  return (await gather(readDump(bytes, { defaultCluster: "testbed", format: "auto", jobsPerBatch: 100 }))).records;
}

const byKey = (left: JobRecord, right: JobRecord): number =>
  Number(left.rawJobId) - Number(right.rawJobId) || left.submitAt - right.submitAt;

describe("the answer of a real slurmrestd 22.05", () => {
  it("gives the same records as sacct, but for exit codes and the run that v0.0.38 hides", async () => {
    const answers = { "/openapi/v3": openApi(38), "/slurmdb/v0.0.38/jobs": realAnswer("slurmdb-jobs.json") };
    const { url } = await serve(routes(answers));
    const { records, rejects } = await gather(source({ url }).jobs({ from: 0, to: null }, reading()));
    expect(rejects).toEqual([]);
    const expected = (await sacctRecords())
      .filter((job) => job.state !== "REQUEUED")
      .map((job) => ({ ...job, exitCode: "" }));
    expect(expected).toHaveLength(17);
    expect([...records].sort(byKey)).toEqual(expected.sort(byKey));
  });

  it("gives the account tree and its members", async () => {
    const answers = {
      "/slurmdb/v0.0.38/associations": realAnswer("slurmdb-associations.json"),
      "/slurmdb/v0.0.38/accounts": {
        errors: [],
        accounts: [{ name: "mu-climate", description: "climate", organization: "mu", coordinators: [] }],
      },
    };
    const { url } = await serve(routes(answers));
    const { accounts, members } = await source({ url, version: "v0.0.38", cluster: "testbed" }).accounts(never());
    expect(accounts.map(({ name, parent }) => [name, parent])).toEqual([
      ["root", null],
      ["co", "root"],
      ["co-acme", "co"],
      ["gov", "root"],
      ["gov-health", "gov"],
      ["mu", "root"],
      ["mu-climate", "mu"],
    ]);
    expect(accounts.at(-1)).toEqual({ name: "mu-climate", parent: "mu", description: "climate", organization: "mu" });
    expect(members).toContainEqual({ account: "mu-climate", user: "somchai" });
    expect(members.filter(({ user }) => user === "")).toEqual([]);
  });
});

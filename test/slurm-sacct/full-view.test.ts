import { describe, expect, it, onTestFinished } from "vitest";
import { sacctSource } from "../../src/slurm/sacct/sacct-source.ts";
import { FakeSlurm } from "./fake-slurm.ts";

const HEADER = "JobIDRaw|User|State|Submit|Start|End|ElapsedRaw|AllocTRES\n";

/** A Slurm whose slurmdbd hides these kinds of data, as whose sacctmgr answers `user` has this level. */
function slurm(privateData: string, adminLevel: string): FakeSlurm {
  const fake = new FakeSlurm();
  onTestFinished(() => fake.remove());
  fake.program(
    "sacct",
    `fs.writeSync(1, args.includes("--version") ? "slurm 25.11.1\\n" : ${JSON.stringify(HEADER.replaceAll("|", "\u001f"))});`,
  );
  return fake.program(
    "sacctmgr",
    `if (args.includes("cluster")) fs.writeSync(1, "testbed\\n");
     if (args.includes("user")) fs.writeSync(1, ${JSON.stringify(`${adminLevel}\n`)});
     if (args.includes("configuration")) fs.writeSync(1, ${JSON.stringify(
       `PrivateData            = none\n\nSlurmDBD configuration:\nPrivateData            = ${privateData}\nSlurmUser              = slurm(64030)\n`,
     )});`,
  );
}

const probe = (fake: FakeSlurm, user: string | null) =>
  sacctSource(fake.options({ user })).probe(new AbortController().signal);

describe("a user from whom slurmdbd hides the jobs of others", () => {
  it("is refused, and told what to change: the usage of others would be missing without a word", async () => {
    await expect(probe(slurm("accounts,jobs,usage", "None"), "billing")).rejects.toThrow(
      "sacctmgr modify user where name=billing set adminlevel=operator",
    );
  });

  it("is taken once it is an operator or administrator, or when it is Slurm's own user or root", async () => {
    await probe(slurm("jobs", "Operator"), "billing");
    await probe(slurm("jobs", "Administrator"), "billing");
    await probe(slurm("jobs", "None"), "slurm");
    await probe(slurm("jobs", "None"), null);
  });

  it("is taken where nothing is hidden", async () => {
    await probe(slurm("none", "None"), "billing");
    await probe(slurm("accounts,users", "None"), "billing");
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UpstreamError } from "../../src/errors.ts";
import { readAccounts } from "../../src/slurm/sacct/accounts.ts";
import { sacctSource } from "../../src/slurm/sacct/sacct-source.ts";
import { FakeSlurm } from "./fake-slurm.ts";

const ASSOCIATIONS = captured("sacctmgr-associations.psv");
const ACCOUNTS = captured("sacctmgr-accounts.psv");
const { signal } = new AbortController();

function captured(name: string): string {
  return readFileSync(join(import.meta.dirname, "../data/slurm-22.05", name), "utf8");
}

describe("the accounts of a cluster", () => {
  let slurm: FakeSlurm;
  beforeEach(() => {
    slurm = new FakeSlurm();
  });
  afterEach(() => {
    slurm.remove();
  });

  function sacctmgrAnswers(answers: { clusters: string; associations: string }): void {
    const all = { cluster: answers.clusters, association: answers.associations, account: ACCOUNTS };
    slurm.program("sacctmgr", `fs.writeSync(1, (${JSON.stringify(all)})[args[4]]);`);
  }

  test("are a tree with members and coordinators", async () => {
    sacctmgrAnswers({ clusters: "testbed\n", associations: ASSOCIATIONS });
    const snapshot = await sacctSource(slurm.options()).accounts(signal);
    expect(snapshot.accounts).toContainEqual({ name: "root", parent: null, description: "default root account", organization: "root" }); // prettier-ignore
    expect(snapshot.accounts).toContainEqual({ name: "mu-climate", parent: "mu", description: "climate", organization: "mu" }); // prettier-ignore
    expect(snapshot.accounts).toHaveLength(7);
    expect(snapshot.members).toContainEqual({ account: "gov-health", user: "carol" });
    expect(snapshot.members).toHaveLength(7);
    expect(snapshot.coordinators).toEqual([{ account: "mu-climate", user: "alice" }]);
  });

  test("are only asked for, never changed, and of one cluster", async () => {
    sacctmgrAnswers({ clusters: "testbed\n", associations: ASSOCIATIONS });
    await sacctSource(slurm.options({ cluster: null })).accounts(signal);
    const fixed = ["--readonly", "--noheader", "--parsable2", "show"];
    expect(slurm.calls("sacctmgr").map(({ args }) => args)).toEqual([
      [...fixed, "cluster", "format=Cluster"],
      [...fixed, "association", "cluster=testbed", "format=Account,ParentName,User"],
      [...fixed, "account", "withcoord", "format=Account,Coordinators,Organization,Description"],
    ]);
  });

  test("are not guessed when there are several clusters and none is named", async () => {
    sacctmgrAnswers({ clusters: "alpha\nbeta\n", associations: ASSOCIATIONS });
    await expect(sacctSource(slurm.options({ cluster: null })).accounts(signal)).rejects.toThrow(
      "Accounting knows alpha, beta: the cluster to read must be named.",
    );
  });

  test("are an error and not an empty tree when the cluster is unknown", async () => {
    sacctmgrAnswers({ clusters: "alpha\n", associations: "" });
    await expect(sacctSource(slurm.options()).accounts(signal)).rejects.toThrow(
      "Accounting knows no cluster testbed; it knows alpha.",
    );
  });
});

describe("what sacctmgr prints", () => {
  test("names those who coordinate an account above as well; they are left to that account", () => {
    const associations = ["root||", "mu|root|", "mu-climate|mu|", "mu-ice|mu-climate|"];
    const accounts = ["root|||", "mu|bob|mu|", "mu-climate|alice,bob|mu|", "mu-ice|alice,bob,somchai|mu|"];
    expect(readAccounts(associations, accounts).coordinators).toEqual([
      { account: "mu", user: "bob" },
      { account: "mu-climate", user: "alice" },
      { account: "mu-ice", user: "somchai" },
    ]);
  });

  test("has a line for each partition of a member; it is one member", () => {
    expect(readAccounts(["mu||", "mu||bob", "mu||bob"], []).members).toEqual([{ account: "mu", user: "bob" }]);
  });

  test("may hold separators and line breaks in a description", () => {
    const { accounts } = readAccounts(["mu||"], ["mu||org|models | of ice", "and|more|of it"]);
    expect(accounts).toEqual([{ name: "mu", parent: null, organization: "org", description: "models | of ice" }]);
  });

  test.each(["mu|root", "mu|root|alice|x", "|root|alice"])("is refused when an association reads %j", (line) => {
    expect(() => readAccounts([line], [])).toThrow(UpstreamError);
  });
});

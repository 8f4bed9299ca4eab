/** Tier rules can look at the account tree; a change of the tree is a change of prices. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { verifyAudit } from "../../src/audit/verify.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { sql } from "../../src/db/database.ts";
import { accountsAbove, type AccountTree } from "../../src/usage/accounts/tree.ts";
import { storeAccounts } from "../../src/usage/accounts/store.ts";
import { readPricing } from "../../src/usage/prices/book.ts";
import { setTierOverride, setTierRule } from "../../src/usage/prices/change.ts";
import { openRepriceTasks, repriceAll } from "../../src/usage/prices/reprice.ts";
import { findTierUser } from "../../src/usage/prices/tier-users.ts";
import { usageBy } from "../../src/usage/queries/summary.ts";
import { anAccount, aSnapshot } from "../support/accounts.ts";
import { aJob, createTestContext, TEST_KEYRING, type TestContext } from "../support/context.ts";
import { rollupAndTruth } from "../support/rollup.ts";

const by = { actor: "test" };
const PARTNERS = { subject: "account_tree", pattern: "partners", tier: "gov", position: 1 } as const;

let context: TestContext;
beforeEach(async () => {
  context = await createTestContext();
});
afterEach(() => context.close());

/** `lab` below `institute` below `above`. */
const store = (above: string, cluster = "test") =>
  storeAccounts(
    context,
    cluster,
    aSnapshot({
      accounts: [
        anAccount("root", null),
        anAccount("partners"),
        anAccount("faculty"),
        anAccount("institute", above),
        anAccount("lab", "institute"),
      ],
    }),
    by,
  );

const onLab = (job: Parameters<typeof aJob>[0] = {}) => aJob({ account: "lab", ...job });
const tiers = async () => (await usageBy(context.db, {}, "tier")).map(({ key, jobs }) => [key, Number(jobs)]);
const version = async () =>
  (await context.db.one(z.object({ version: z.bigint() }), sql`SELECT version FROM pricing_state`)).version;
const openTasks = async () => (await openRepriceTasks(context.db)).tasks;

async function expectWholeBooks(): Promise<void> {
  const { rollup, truth } = await rollupAndTruth(context.db);
  expect(rollup).toEqual(truth);
  expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
}

describe("a tier rule for an account and all below it", () => {
  it("prices jobs anywhere below it, on the cluster where it is above", async () => {
    await store("partners");
    await store("faculty", "other");
    await setTierRule(context, PARTNERS, by);
    await context.importJobs([
      onLab(),
      onLab({ cluster: "other" }),
      onLab({ cluster: "unknown" }),
      aJob({ account: "partners" }),
    ]);
    expect(await tiers()).toEqual([
      ["gov", 2],
      ["mu", 2],
    ]);
    await expectWholeBooks();
  });

  it("is followed by what was imported before the rule, and by the receipt", async () => {
    await store("partners");
    await context.importJobs([onLab()]);
    expect(await tiers()).toEqual([["mu", 1]]);
    await setTierRule(context, PARTNERS, by);
    await repriceAll(context);
    expect(await tiers()).toEqual([["gov", 1]]);
    await issueReceipt(context, { userName: "alice", cutoffDay: "2026-10-31" }, by);
    const receipt = await context.db.one(z.object({ tier: z.string() }), sql`SELECT tier FROM receipts`);
    expect(receipt.tier).toBe("gov");
    await expectWholeBooks();
  });

  it("gives way to rules before it and to an override", async () => {
    await store("partners");
    await setTierRule(context, { ...PARTNERS, position: 1_000 }, by);
    await context.importJobs([onLab()]);
    expect(await tiers()).toEqual([["mu", 1]]);
    await setTierRule(context, PARTNERS, by);
    expect(await setTierOverride(context, "alice", "private", by)).toEqual({ override: "private", natural: "gov" });
    expect(await setTierOverride(context, "alice", "gov", by)).toEqual({ override: null, natural: "gov" });
  });

  it("says which account above fitted", async () => {
    await store("partners");
    await setTierRule(context, PARTNERS, by);
    await context.importJobs([onLab()]);
    const pricing = await readPricing(context.db, context.currency, { hold: false });
    expect(await findTierUser(context.db, pricing, "alice")).toMatchObject({
      tier: "gov",
      natural: { matched: "partners", rule: { subject: "account_tree", pattern: "partners" } },
    });
  });
});

describe("a change of the account tree", () => {
  it("prices unbilled jobs again, also for an import that knew the old tree", async () => {
    await store("faculty");
    await setTierRule(context, PARTNERS, by);
    await repriceAll(context);
    await context.importJobs([onLab()]);
    expect(await tiers()).toEqual([["mu", 1]]);
    const before = await version();
    await store("partners");
    expect(await version()).toBe(before + 1n);
    expect(await openTasks()).toBe(1);
    await context.importJobs([onLab()]);
    await repriceAll(context);
    expect(await tiers()).toEqual([["gov", 2]]);
    await expectWholeBooks();
  });

  it("leaves prices alone where no rule looks at the tree", async () => {
    await context.importJobs([onLab()]);
    const before = await version();
    await store("faculty");
    await store("partners");
    expect(await version()).toBe(before);
    expect(await openTasks()).toBe(0);
  });

  it("is known to the next import, but re-prices nothing where no job waits below", async () => {
    await store("faculty");
    await setTierRule(context, PARTNERS, by);
    await repriceAll(context);
    await context.importJobs([aJob({ account: "faculty" })]);
    await store("partners");
    expect(await openTasks()).toBe(0);
    await context.importJobs([onLab()]);
    expect(await tiers()).toEqual([
      ["gov", 1],
      ["mu", 1],
    ]);
  });

  it("leaves no job at the old price when imports, rules and syncs run at once", async () => {
    await store("faculty");
    await Promise.all([
      ...Array.from({ length: 5 }, () => context.importJobs(Array.from({ length: 30 }, () => onLab()))),
      setTierRule(context, PARTNERS, by),
      store("partners"),
    ]);
    await repriceAll(context);
    expect(await tiers()).toEqual([["gov", 150]]);
    await expectWholeBooks();
  });
});

describe("the accounts above one", () => {
  const names = ["a", "b", "c", "d", "e"];

  it("are each named once and are linked, whatever is stored", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), fc.option(fc.constantFrom(...names, "gone"))),
        fc.constantFrom(...names),
        (stored, account) => {
          const parents = new Map(Object.entries(stored));
          const above = accountsAbove(new Map([["test", parents]]), "test", account);
          expect(new Set([account, ...above]).size).toBe(above.length + 1);
          above.forEach((name, index) => expect(parents.get(above[index - 1] ?? account)).toBe(name));
          const next = parents.get(above.at(-1) ?? account) ?? null;
          expect(next === null || next === account || above.includes(next)).toBe(true);
        },
      ),
    );
  });

  it("come from the first cluster that has the account, where no cluster is named", () => {
    const parentOf = (account: string, parent: string | null) => new Map([[account, parent]]);
    const tree: AccountTree = new Map([
      ["a", parentOf("other", null)],
      ["b", parentOf("lab", "partners")],
      ["c", parentOf("lab", "faculty")],
    ]);
    expect(accountsAbove(tree, null, "lab")).toEqual(["partners"]);
    expect(accountsAbove(tree, "c", "lab")).toEqual(["faculty"]);
    expect(accountsAbove(tree, "a", "lab")).toEqual([]);
  });
});

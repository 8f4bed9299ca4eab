/** An admin gives an account and all below it a tier. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storeAccounts } from "../../src/usage/accounts/store.ts";
import { readPricing } from "../../src/usage/prices/book.ts";
import { anAccount, aSnapshot } from "../support/accounts.ts";
import { aJob } from "../support/context.ts";
import { startAdminSite, textOf, type AdminSite } from "./admin-site.ts";

let site: AdminSite;
beforeAll(async () => {
  site = await startAdminSite();
  await storeAccounts(
    site,
    "test",
    aSnapshot({ accounts: [anAccount("root", null), anAccount("partners"), anAccount("health", "partners")] }),
    { actor: "test" },
  );
  await site.importJobs([aJob({ user: "alice", account: "health" }), aJob({ user: "bob", account: "partners" })]);
});
afterAll(() => site.close());

describe("a tier rule for an account and all below it", () => {
  it("is offered, set, and named as what it is", async () => {
    expect(textOf(await site.root.get("/admin?section=tiers"))).toContain("the account and those above it");
    const answer = await site.root.post("/admin/tiers/rules", {
      subject: "account_tree",
      pattern: "partners",
      tier: "gov",
      position: "1",
    });
    expect(answer.headers.location).toBe("/admin?section=tiers&notice=rule");
    const page = textOf(await site.root.get("/admin?section=tiers"));
    expect(page).toContain("account partners and all below it");
    expect(page).toContain("account health is below partners, which fits partners");
    expect(page).toContain("account partners fits partners");
    const { tierRules } = await readPricing(site.db, site.currency, { hold: false });
    const rule = tierRules.find(({ subject }) => subject === "account_tree");
    expect(textOf(await site.root.get(`/admin/tiers/rules/${rule?.id}/remove`))).toContain(
      "Remove the rule for account partners and all below it?",
    );
  });

  it("is what an override is measured by", async () => {
    await site.root.post("/admin/tiers", { username: "alice", tier: "mu" });
    expect(textOf(await site.root.get("/admin?section=tiers&q=alice"))).toContain("Override; otherwise Government");
    await site.root.post("/admin/tiers", { username: "alice", tier: "gov" });
    expect(textOf(await site.root.get("/admin?section=tiers&q=alice"))).not.toContain("Override;");
  });

  it("shows a sync of the accounts in the audit trail by its name", async () => {
    expect(textOf(await site.root.get("/admin?section=audit"))).toContain("Accounts synced");
  });
});

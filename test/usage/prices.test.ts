import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verifyAudit } from "../../src/audit/verify.ts";
import { removeTierRule, setRate, setRules, setTierOverride, setTierRule } from "../../src/usage/prices/change.ts";
import { readPricing } from "../../src/usage/prices/book.ts";
import { openRepriceTasks, repriceAll, repriceBatch } from "../../src/usage/prices/reprice.ts";
import { usageBy, usageTotals } from "../../src/usage/queries/summary.ts";
import { SiteDays } from "../../src/usage/site-day.ts";
import { ensureSiteZone } from "../../src/usage/site-zone.ts";
import { aJob, at, createTestContext, TEST_KEYRING, type TestContext } from "../support/context.ts";
import { rollupAndTruth } from "../support/rollup.ts";

let context: TestContext;
const by = { actor: "admin" };
const noted = { gpuMicro: 0n, memMicro: 0n, effectiveFrom: null, note: "" };

beforeEach(async () => {
  context = await createTestContext();
});

afterEach(() => context.close());

async function expectWholeBooks(): Promise<void> {
  const { rollup, truth } = await rollupAndTruth(context.db);
  expect(rollup).toEqual(truth);
  expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
}

describe("a new rate", () => {
  it("re-prices what is not billed yet, in batches that can be interrupted and shared", async () => {
    await context.importJobs(
      Array.from({ length: 4500 }, (_, index) => aJob({ user: `user${index % 5}`, allocMemMib: 0 })),
    );
    await setRate(context, { ...noted, tier: "mu", cpuMicro: 5_000_000n }, by);
    expect(await openRepriceTasks(context.db)).toMatchObject({ tasks: 1 });
    await repriceBatch(context);
    expect((await usageTotals(context.db, {})).costMinor).toBe(2000n * 2000n + 2500n * 500n);
    await expectWholeBooks();
    await Promise.all([repriceAll(context), repriceAll(context)]);
    await repriceAll(context);
    expect(await openRepriceTasks(context.db)).toMatchObject({ tasks: 0 });
    expect((await usageTotals(context.db, {})).costMinor).toBe(4500n * 2000n);
    await expectWholeBooks();
  });

  it("with a day holds for jobs that end from then on", async () => {
    const from = new Date(context.days.startOf("2026-10-15") * 1000);
    await setRate(context, { ...noted, tier: "mu", cpuMicro: 5_000_000n, effectiveFrom: from }, by);
    await context.importJobs([
      aJob({ allocMemMib: 0, endAt: at("2026-10-14T16:59:59Z") }),
      aJob({ allocMemMib: 0, endAt: at("2026-10-14T17:00:00Z") }),
    ]);
    const days = await usageBy(context.db, {}, "day");
    expect(days.map((day) => [day.key, day.costMinor])).toEqual([
      ["2026-10-14", 500n],
      ["2026-10-15", 2000n],
    ]);
  });

  it("keeps the prices by GPU type unless new ones are given", async () => {
    await setRate(context, { ...noted, tier: "mu", cpuMicro: 1n, gpuTypeMicro: new Map([["a100", 7_000_000n]]) }, by);
    await setRate(context, { ...noted, tier: "mu", cpuMicro: 2n }, by);
    const { book } = await readPricing(context.db, context.currency, { hold: false });
    expect(book.rates.at(-1)?.gpuTypeMicro.get("a100")).toBe(7_000_000n);
  });

  it("set while an import runs leaves no job at the old price", async () => {
    await Promise.all([
      ...Array.from({ length: 6 }, () =>
        context.importJobs(Array.from({ length: 40 }, () => aJob({ allocMemMib: 0 }))),
      ),
      setRate(context, { ...noted, tier: "mu", cpuMicro: 5_000_000n }, by),
    ]);
    await repriceAll(context);
    expect((await usageTotals(context.db, {})).costMinor).toBe(240n * 2000n);
    await expectWholeBooks();
  });
});

describe("charging rules", () => {
  it("free what they exempt, and take it back when they are switched off again", async () => {
    await context.importJobs([aJob({ state: "NODE_FAIL" }), aJob()]);
    const before = (await usageTotals(context.db, {})).costMinor;
    const rules = { basis: "allocated" as const, shares: [], effectiveFrom: null, note: "" };
    await setRules(
      context,
      { ...rules, exemptions: [{ kind: "state", state: "NODE_FAIL", reason: "the node failed" }] },
      by,
    );
    await repriceAll(context);
    expect((await usageTotals(context.db, {})).costMinor).toBe(before / 2n);
    await setRules(context, { ...rules, exemptions: [] }, by);
    await repriceAll(context);
    expect((await usageTotals(context.db, {})).costMinor).toBe(before);
    await expectWholeBooks();
  });
});

describe("tiers", () => {
  it("move a user's unbilled jobs to the tier that was set, and back", async () => {
    await context.importJobs([aJob({ allocMemMib: 0 }), aJob({ user: "bob", allocMemMib: 0 })]);
    expect(await setTierOverride(context, "alice", "private", by)).toEqual({ override: "private", natural: "mu" });
    await repriceAll(context);
    expect((await usageBy(context.db, {}, "tier")).map((tier) => [tier.key, tier.costMinor])).toEqual([
      ["mu", 500n],
      ["private", 1600n],
    ]);
    expect(await setTierOverride(context, "alice", "mu", by)).toEqual({ override: null, natural: "mu" });
    await repriceAll(context);
    expect((await usageTotals(context.db, {})).costMinor).toBe(1000n);
    await expect(setTierOverride(context, "nobody", "mu", by)).rejects.toThrow('no user "nobody"');
    await expectWholeBooks();
  });

  it("follow the rules for accounts, which an admin can change", async () => {
    await context.importJobs([
      aJob({ account: "physics", allocMemMib: 0 }),
      aJob({ account: "gov-health", allocMemMib: 0 }),
    ]);
    expect((await usageBy(context.db, {}, "tier")).map((tier) => tier.key)).toEqual(["gov", "mu"]);
    await setTierRule(context, { subject: "account", pattern: "phys*", tier: "private", position: 5 }, by);
    await repriceAll(context);
    expect((await usageBy(context.db, {}, "tier")).map((tier) => tier.key)).toEqual(["gov", "private"]);
    const { tierRules } = await readPricing(context.db, context.currency, { hold: false });
    const rule = tierRules.find((candidate) => candidate.pattern === "phys*");
    await removeTierRule(context, rule?.id ?? 0, by);
    await repriceAll(context);
    expect((await usageBy(context.db, {}, "tier")).map((tier) => tier.key)).toEqual(["gov", "mu"]);
    await expectWholeBooks();
  });
});

describe("the site's time zone", () => {
  it("moves the days of all jobs when it is changed", async () => {
    await ensureSiteZone(context.db, context.days, () => undefined);
    await context.importJobs([aJob({ endAt: at("2026-10-31T20:00:00Z") })]);
    expect((await usageBy(context.db, {}, "day")).map((day) => day.key)).toEqual(["2026-11-01"]);
    await ensureSiteZone(context.db, new SiteDays("America/New_York"), () => undefined);
    expect((await usageBy(context.db, {}, "day")).map((day) => day.key)).toEqual(["2026-10-31"]);
    await expectWholeBooks();
  });

  it("knows days of 23 and 25 hours", () => {
    const berlin = new SiteDays("Europe/Berlin");
    expect(berlin.startOf("2026-03-30") - berlin.startOf("2026-03-29")).toBe(23 * 3600);
    expect(berlin.startOf("2026-10-26") - berlin.startOf("2026-10-25")).toBe(25 * 3600);
    expect(berlin.startOf("2026-10-25")).toBe(at("2026-10-24T22:00:00Z"));
    expect(new SiteDays("Asia/Kathmandu").startOf("2026-01-01")).toBe(at("2025-12-31T18:15:00Z"));
    expect(new SiteDays("Pacific/Kiritimati").startOf("2026-01-01")).toBe(at("2025-12-31T10:00:00Z"));
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditRecordsBefore } from "../../src/audit/store.ts";
import { readPricing, readTierOverrides } from "../../src/usage/prices/book.ts";
import { repriceAll } from "../../src/usage/prices/reprice.ts";
import { usageTotals } from "../../src/usage/queries/summary.ts";
import { aJob, at } from "../support/context.ts";
import { startAdminSite, textOf, type AdminSite } from "./admin-site.ts";

let site: AdminSite;

beforeAll(async () => {
  site = await startAdminSite();
  const yesterday = {
    submitAt: at("2026-11-18T02:00:00Z"),
    startAt: at("2026-11-18T02:00:00Z"),
    endAt: at("2026-11-18T03:00:00Z"),
  };
  await site.importJobs([
    aJob({ ...yesterday, allocCpus: 10, allocMemMib: 0 }),
    aJob({ ...yesterday, allocCpus: 10, allocMemMib: 0, partition: "debug", user: "bob", account: "gov-health" }),
    aJob({ ...yesterday, allocCpus: 10, allocMemMib: 0, state: "NODE_FAIL" }),
  ]);
});

afterAll(() => site.close());

const pricing = () => readPricing(site.db, site.currency, { hold: false });
const costMinor = async (userName?: string): Promise<bigint> => (await usageTotals(site.db, { userName })).costMinor;
const newest = async (action: string) => (await auditRecordsBefore(site.db, { action }, null, 1))[0];

describe("a new rate", () => {
  it("is previewed against the last 30 days before it is set", async () => {
    const text = textOf(await site.root.get("/admin/rates/preview?type=mu&cpu=2.5&gpu=42.5&mem=0.035"));
    expect(text).toContain("Set these prices for MU?");
    // Two jobs of ten core-hours at 1.25 and at 2.5.
    expect(text).toContain("CPU 20.00 core-h ฿25.00 ฿50.00 +฿25.00");
    expect(text).toContain("Total ฿25.00 ฿50.00 +฿25.00");
    expect(text).toContain("2 jobs of this tier ended");
    expect(text).toContain("all usage not yet billed");
    expect(text).toContain("calculated job by job");
  });

  it("is previewed for its part of the cluster only", async () => {
    const text = textOf(
      await site.root.get("/admin/rates/preview?type=gov&cpu=3&gpu=65&mem=0.05&partition=debug&from=2026-12-01"),
    );
    expect(text).toContain("partition debug");
    expect(text).toContain("jobs that end from 1 Dec 2026 on");
    expect(text).toContain("CPU 10.00 core-h ฿20.00 ฿30.00 +฿10.00");
    const elsewhere = textOf(await site.root.get("/admin/rates/preview?type=gov&cpu=3&gpu=65&mem=0.05&partition=long"));
    expect(elsewhere).toContain("CPU 10.00 core-h ฿20.00 ฿20.00 ฿0.00");
  });

  it("is set by the form, prices unbilled jobs again and stands in the audit trail", async () => {
    expect(await costMinor()).toBe(1_250n * 2n + 2_000n);
    const answer = await site.root.post("/admin", {
      type: "mu",
      cpu: "2",
      gpu: "40",
      mem: "0.03",
      gpu_types: "a100=42.5\r\nh100 = 140",
      from: "",
      note: "new budget year",
    });
    expect([answer.statusCode, answer.headers.location]).toEqual([303, "/admin?section=rates&tier=mu&notice=rate"]);
    const rate = (await pricing()).book.rates.at(-1);
    expect(rate).toMatchObject({
      tier: "mu",
      cpuMicro: 2_000_000n,
      effectiveFrom: null,
      note: "new budget year",
      createdBy: "root",
      partition: null,
    });
    expect([...(rate?.gpuTypeMicro ?? [])]).toEqual([
      ["a100", 42_500_000n],
      ["h100", 140_000_000n],
    ]);
    expect(textOf(await site.root.get("/admin?section=usage&start=2026-11-01&before=2026-11-20"))).toContain(
      "Prices are being recalculated",
    );
    await repriceAll(site);
    expect(await costMinor()).toBe(2_000n * 2n + 2_000n);
    expect(await newest("rate.set")).toMatchObject({
      actor: "root",
      details: { tier: "mu", before: { cpu: "1.25" }, after: { cpu: "2" }, note: "new budget year" },
    });
    expect((await newest("rate.set"))?.requestId).toMatch(/\S/u);
  });

  it("is shown with the versions before it, newest first", async () => {
    const text = textOf(await site.root.get("/admin?section=rates&notice=rate"));
    expect(text).toContain("The new rate is in the book.");
    expect(text).toContain("In force now");
    expect(text).toContain("฿2.000000");
    expect(text).toContain("a100 ฿42.500000");
    expect(text.indexOf("new budget year")).toBeLessThan(text.lastIndexOf("Starting rate, please review"));
    expect(text).toContain("Replaced");
  });

  it("keeps the prices of GPU types where a script does not send them, and drops them where the form is empty", async () => {
    await site.root.post("/admin", { type: "mu", cpu: "2", gpu: "41", mem: "0.03" });
    expect((await pricing()).book.rates.at(-1)?.gpuTypeMicro.get("a100")).toBe(42_500_000n);
    await site.root.post("/admin", { type: "mu", cpu: "2", gpu: "41", mem: "0.03", gpu_types: "" });
    expect((await pricing()).book.rates.at(-1)?.gpuTypeMicro.size).toBe(0);
  });

  it("can begin on a day of the site", async () => {
    await site.root.post("/admin", { type: "private", cpu: "5", gpu: "150", mem: "0.2", from: "2026-12-01" });
    expect((await pricing()).book.rates.at(-1)?.effectiveFrom).toBe(at("2026-11-30T17:00:00Z"));
    expect(textOf(await site.root.get("/admin?section=rates"))).toContain("To come");
  });

  it("is refused beside the field that is wrong, and nothing changes", async () => {
    const { version } = await pricing();
    for (const [field, value, words] of [
      ["cpu", "-1", "A number that is not negative"],
      ["gpu", "1.1234567", "at most 6 decimals"],
      ["mem", "", "A number that is not negative"],
      ["gpu_types", "a100 42", "Each line takes a type once and its price"],
      ["gpu_types", "a100=1\na100=2", "Each line takes a type once and its price"],
      ["from", "31/10/2026", "A day is written year-month-day"],
    ] as const) {
      for (const answer of [
        await site.root.post("/admin", { type: "mu", cpu: "1", gpu: "1", mem: "1", [field]: value }),
        await site.root.get(
          `/admin/rates/preview?${new URLSearchParams({ type: "mu", cpu: "1", gpu: "1", mem: "1", [field]: value })}`,
        ),
      ]) {
        expect({ field, value, status: answer.statusCode }).toEqual({ field, value, status: 400 });
        expect(textOf(answer)).toContain(words);
        expect(answer.body).toContain('aria-invalid="true"');
      }
    }
    expect((await site.root.post("/admin", { type: "friends", cpu: "1", gpu: "1", mem: "1" })).statusCode).toBe(400);
    expect((await pricing()).version).toBe(version);
  });
});

describe("charging rules", () => {
  const form = {
    basis: "allocated",
    states: "node_fail = The node failed",
    partitions: "debug = For trying things out",
    shorter_seconds: "60",
    shorter_reason: "Too short to count",
    share_mu: "40",
    share_mu_reason: "The university pays the rest",
    share_gov: "100",
    share_private: "",
    note: "as decided",
  };

  it("are previewed in words, set, and free the jobs they name", async () => {
    const text = textOf(await site.root.get(`/admin/rules/preview?${new URLSearchParams(form)}`));
    expect(text).toContain("Jobs that ended as Node failure · The node failed");
    expect(text).toContain("Jobs in the partition debug · For trying things out");
    expect(text).toContain("MU pays 40 % · The university pays the rest");
    const answer = await site.root.post("/admin/rules", form);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, "/admin?section=rates&notice=rules"]);
    expect((await pricing()).book.ruleSets.at(-1)).toMatchObject({
      basis: "allocated",
      exemptions: [
        { kind: "state", state: "NODE_FAIL", reason: "The node failed" },
        { kind: "partition", partition: "debug", reason: "For trying things out" },
        { kind: "shorter_than", seconds: 60, reason: "Too short to count" },
      ],
      shares: [{ tier: "mu", millionths: 400_000n, reason: "The university pays the rest" }],
      createdBy: "root",
    });
    await repriceAll(site);
    expect(await costMinor()).toBe(800n);
    expect(await newest("rules.set")).toMatchObject({ actor: "root", details: { note: "as decided" } });
  });

  it("need a reason for everything they give away", async () => {
    for (const wrong of [
      { states: "NODE_FAIL" },
      { partitions: "debug =" },
      { shorter_reason: "" },
      { share_mu_reason: "" },
      { share_gov: "101", share_gov_reason: "x" },
      { from: "soon" },
    ]) {
      const answer = await site.root.post("/admin/rules", { ...form, ...wrong });
      expect({ wrong, status: answer.statusCode }).toEqual({ wrong, status: 400 });
      expect(answer.body).toContain('aria-invalid="true"');
    }
    expect((await pricing()).book.ruleSets.length).toBe(2);
  });

  it("begin in their form with what holds now", async () => {
    const page = await site.root.get("/admin?section=rates");
    expect(page.body).toContain("NODE_FAIL = The node failed");
    expect(page.body).toContain('value="The university pays the rest"');
  });
});

describe("a tier override", () => {
  it("is set, priced by, and shown with what would hold without it", async () => {
    const answer = await site.root.post("/admin/tiers", { username: "alice", tier: "private" });
    expect([answer.statusCode, answer.headers.location]).toEqual([303, "/admin?section=tiers&notice=user&user=alice"]);
    const text = textOf(await site.root.get(String(answer.headers.location)));
    expect(text).toContain("alice now pays as Private.");
    expect(text).toContain("Override; otherwise MU");
    expect(text).toContain("account mu-climate fits mu-*");
    await repriceAll(site);
    expect(await costMinor("alice")).toBe(4_000n);
    expect(await newest("tier.override_set")).toMatchObject({
      actor: "root",
      subject: "user:alice",
      details: { after: "private", natural: "mu" },
    });
  });

  it("equal to the natural tier is removed", async () => {
    const answer = await site.root.post("/admin/tiers", { username: "alice", tier: "mu" });
    expect(textOf(await site.root.get(String(answer.headers.location)))).toContain(
      "alice has no override: the rule decides, MU.",
    );
    expect(await readTierOverrides(site.db, ["alice"])).toEqual(new Map());
    expect(await newest("tier.override_removed")).toMatchObject({ subject: "user:alice" });
  });

  it("takes users and tiers that exist", async () => {
    expect((await site.root.post("/admin/tiers", { username: "nobody", tier: "mu" })).statusCode).toBe(404);
    expect((await site.root.post("/admin/tiers", { username: "alice", tier: "friends" })).statusCode).toBe(400);
  });

  it("is found by search, and by asking for overrides only", async () => {
    await site.root.post("/admin/tiers", { username: "bob", tier: "mu", q: "gov" });
    expect(textOf(await site.root.get("/admin?section=tiers&q=gov-"))).toMatch(/bob gov-health/u);
    const only = textOf(await site.root.get("/admin?section=tiers&only=override"));
    expect(only).toContain("bob");
    expect(only).not.toContain("alice");
    expect(textOf(await site.root.get("/admin?section=tiers&q=zz"))).toContain("Nobody fits this search");
    await site.root.post("/admin/tiers", { username: "bob", tier: "gov" });
  });
});

describe("a tier rule", () => {
  it("is added in front of the one that catches everything, and removed after asking", async () => {
    const page = await site.root.get("/admin?section=tiers");
    expect(page.body).toContain('name="position" type="text" value="32"');
    const added = await site.root.post("/admin/tiers/rules", {
      subject: "account",
      pattern: "nstda-*",
      tier: "gov",
      position: "32",
    });
    expect(added.headers.location).toBe("/admin?section=tiers&notice=rule");
    const rule = (await pricing()).tierRules.find(({ pattern }) => pattern === "nstda-*");
    expect(rule).toMatchObject({ subject: "account", tier: "gov", position: 32 });
    expect(textOf(await site.root.get(`/admin/tiers/rules/${rule?.id}/remove`))).toContain(
      "Remove the rule for account nstda-*?",
    );
    expect((await site.root.post(`/admin/tiers/rules/${rule?.id}/remove`)).statusCode).toBe(303);
    expect((await site.root.post(`/admin/tiers/rules/${rule?.id}/remove`)).statusCode).toBe(409);
    expect((await pricing()).tierRules.some(({ pattern }) => pattern === "nstda-*")).toBe(false);
  });

  it("needs a pattern and a place", async () => {
    for (const wrong of [{ pattern: " " }, { position: "-1" }, { subject: "cluster" }, { tier: "x" }]) {
      expect(
        (
          await site.root.post("/admin/tiers/rules", {
            subject: "account",
            pattern: "a",
            tier: "mu",
            position: "1",
            ...wrong,
          })
        ).statusCode,
      ).toBe(400);
    }
  });
});

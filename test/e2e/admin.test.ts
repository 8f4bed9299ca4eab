/**
 * The console in a real browser, under the real content security policy: sound on every page, in both languages, both
 * themes and on a phone; and the month is billed and settled by hand, also without script.
 * With `SHOTS=folder` it leaves pictures there.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildBrowser } from "../../scripts/build.ts";
import { checkAudit } from "../../src/audit/verify.ts";
import { reconcile } from "../../src/billing/balance/reconcile.ts";
import { openBrowser } from "../support/browser.ts";
import { aJob, at, TEST_KEYRING } from "../support/context.ts";
import { syncCluster } from "../../src/usage/sync/sync-cluster.ts";
import { clusterOf, FakeScheduler, FakeSource, setupOf } from "../support/fake-scheduler.ts";
import { startAdminSite, type AdminSite } from "../web/admin-site.ts";
import { PASSWORD } from "../web/server-harness.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const SHOTS = process.env["SHOTS"];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const LOOKS = [
  { lang: "en", theme: "light", width: 1240 },
  { lang: "th", theme: "dark", width: 1240 },
  { lang: "en", theme: "dark", width: 390 },
  { lang: "th", theme: "light", width: 390 },
] as const;

let site: AdminSite;
let browser: Browser;
let origin: string;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "admin-e2e-"));
  const manifest = await buildBrowser(ROOT, folder);
  site = await startAdminSite({
    built: { publicDir: join(folder, "public"), manifest },
    tax: { label: "VAT", rateMicro: 70_000n, inclusive: false },
    env: { SLURMRESTD_URL: "http://alpha-login:6820", SACCT_PATH: "/usr/bin/sacct", SLURM_CLUSTER: "alpha" },
  });
  await fill(site);
  origin = await site.app.listen({ port: 0, host: "127.0.0.1" });
  browser = await openBrowser();
}, 120_000);

afterAll(async () => {
  await browser.close();
  await site.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Ninety days of five people's jobs, a paid, a void and a waiting receipt, and a verified chain. */
async function fill(site: AdminSite): Promise<void> {
  const { db, clock, root } = site;
  const people = [
    ["somchai", "mu-climate"],
    ["alice", "mu-genome"],
    ["dan", "gov-health"],
    ["erin", "co-acme"],
    ["bob", ""],
  ] as const;
  const states = ["COMPLETED", "COMPLETED", "COMPLETED", "TIMEOUT", "NODE_FAIL", "COMPLETED"];
  const jobs = Array.from({ length: 300 }, (_, index) => {
    const [user, account] = people[(index + Math.floor(index / 7)) % people.length] ?? people[0];
    const elapsedSeconds = 600 + ((index * 7_919) % 40_000);
    const endAt = at("2026-11-20T03:00:00Z") - index * 26_000;
    const gpus = index % 3 === 0 ? { allocGpus: 2, gpuTypes: [{ type: "a100", count: 2 }], partition: "gpu" } : {};
    return aJob({
      user,
      account,
      submitAt: endAt - elapsedSeconds - 60,
      startAt: endAt - elapsedSeconds,
      endAt,
      elapsedSeconds,
      allocCpus: 4 + (index % 60),
      state: states[index % states.length] ?? "COMPLETED",
      ...gpus,
    });
  });
  await site.importJobs(jobs);
  await root.post("/admin/invoices/create_one", { user: "dan", before: "2026-09-30" });
  await root.post("/admin/receipts/1/paid", { reference: "KTB 4711" });
  await root.post("/admin/invoices/create_one", { user: "erin", before: "2026-09-30" });
  await root.post("/admin/receipts/2/void", { reason: "Wrong account" });
  await root.post("/admin/invoices/create_one", { user: "alice", before: "2026-10-05" });
  await root.post("/admin", {
    type: "mu",
    cpu: "1.5",
    gpu: "42.5",
    mem: "0.035",
    gpu_types: "a100=40\nh100=140",
    from: "2026-12-01",
    note: "From the new budget year",
  });
  await root.post("/admin/tiers", { username: "bob", tier: "gov" });
  await checkAudit(db, TEST_KEYRING, clock);
  await syncAlpha(site);
  const scheduler = new FakeScheduler("test", () => Math.floor(clock.now().getTime() / 1000));
  scheduler.put(...jobs.slice(5));
  await reconcile(site, {
    fromDay: "2026-11-01",
    toDay: "2026-11-19",
    clusters: [setupOf("test", [new FakeSource("sacct", scheduler)], () => Promise.resolve([]))],
    requestedBy: "root",
    signal: new AbortController().signal,
  });
}

/** A cluster whose second source is away, with a row that nobody can read and a job that Slurm forgot. */
async function syncAlpha(site: AdminSite): Promise<void> {
  const now = Math.floor(site.clock.now().getTime() / 1000);
  const scheduler = new FakeScheduler("alpha", () => now);
  const rest = new FakeSource("slurmrestd", scheduler);
  const sacct = new FakeSource("sacct", scheduler);
  rest.limits = ["hides_requeued_runs", "no_exit_codes"];
  sacct.broken = "/usr/bin/sacct cannot reach slurmdbd: Unable to connect to database (asked for the version)";
  scheduler.rejects = [
    { line: 7, reason: "Start is not a time", text: "918260|alice|mu-climate|cpu|…|2026-11-19T25:00" },
  ];
  scheduler.put(
    aJob({ cluster: "alpha", submitAt: now - 600, startAt: now - 600, endAt: null, phase: "active", state: "RUNNING" }),
  );
  const policy = () => ({ startAt: now - 86_400, overlapSeconds: 3_600, windowSeconds: 86_400 });
  const sync = () => syncCluster({ ...site, policy }, clusterOf("alpha", [rest, sacct]), { actor: "system" });
  await sync();
  scheduler.records = [];
  await sync();
}

async function signedIn(
  options: Parameters<Browser["newContext"]>[0] = {},
  username = "root",
): Promise<{ context: BrowserContext; tab: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1240, height: 900 }, ...options });
  const tab = await context.newPage();
  const complaints: string[] = [];
  tab.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  tab.on("pageerror", (error) => complaints.push(error.message));
  await tab.goto(`${origin}/login`);
  await tab.fill("#username", username);
  await tab.fill("#password", PASSWORD);
  await tab.press("#password", "Enter");
  await tab.waitForURL(/\/(?:admin|me)$/u);
  return { context, tab, complaints };
}

/** Rule and place of everything that is wrong. */
async function violationsOn(tab: Page): Promise<readonly string[]> {
  await tab.evaluate(AXE);
  return tab.evaluate(async () => {
    const run: unknown = Reflect.get(globalThis, "axe");
    const { violations } = await Reflect.get(Object(run), "run").call(run, document, {
      resultTypes: ["violations"],
      rules: { "target-size": { enabled: true } },
    });
    return violations.flatMap(({ id, nodes }: { id: string; nodes: { html: string; failureSummary: string }[] }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`),
    );
  });
}

const PAGES = {
  dashboard: "/admin",
  usage: "/admin?section=usage&start=2026-09-01&before=2026-10-31",
  "usage-jobs": "/admin?section=usage&group=jobs&user=alice",
  "usage-empty": "/admin?section=usage&start=2020-01-01&before=2020-01-31",
  rates: "/admin?section=rates",
  "rates-preview": "/admin/rates/preview?type=mu&cpu=1.5&gpu=40&mem=0.03&gpu_types=a100%3D42.5&note=Review",
  "rules-preview":
    "/admin/rules/preview?basis=used&states=NODE_FAIL+%3D+The+node+failed&shorter_seconds=60&shorter_reason=Short&share_mu=40&share_mu_reason=Subsidy",
  tiers: "/admin?section=tiers&notice=user&user=bob",
  "tiers-remove": "/admin/tiers/rules/1/remove",
  billing: "/admin?section=billing",
  "bill-month": "/admin/invoices/create_month?month=2026-10",
  "bill-one": "/admin/invoices/create_one?user=alice&before=2026-10-31",
  receipt: "/admin/receipts/1",
  "receipt-void": "/admin/receipts/2",
  "receipt-open": "/admin/receipts/3",
  "receipt-paid-confirm": "/admin/receipts/3/paid",
  "receipt-void-confirm": "/admin/receipts/3/void",
  audit: "/admin?section=audit&verified=1",
  "audit-record": "/admin/audit/12",
  reconcile: "/admin?section=reconcile",
  sources: "/admin?section=sources&notice=requested&cluster=alpha",
  "sources-rejects": "/admin/sources/rejects?cluster=alpha",
} as const;

describe.each(LOOKS)("the console in $lang, $theme, $width px wide", ({ lang, theme, width }) => {
  it("is sound on every page", async () => {
    const { context, tab, complaints } = await signedIn({ viewport: { width, height: 900 } });
    await context.addCookies([
      { name: "lang", value: lang, url: origin },
      { name: "theme", value: theme, url: origin },
    ]);
    for (const [name, path] of Object.entries(PAGES)) {
      const answer = await tab.goto(`${origin}${path}`);
      expect({ name, status: answer?.status() }).toEqual({ name, status: 200 });
      await tab.evaluate(() => document.fonts.ready);
      if (SHOTS !== undefined) {
        mkdirSync(SHOTS, { recursive: true });
        await tab.screenshot({ path: join(SHOTS, `${name}-${lang}-${theme}-${width}.png`), fullPage: true });
      }
      expect({
        name,
        over: await tab.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth)),
      }).toEqual({ name, over: 0 });
      expect({ name, primary: (await tab.locator(".button-primary").count()) <= 1 }).toEqual({ name, primary: true });
      for (const more of await tab.locator("details:not([data-menu])").all())
        await more.evaluate((one) => one.setAttribute("open", ""));
      expect({ name, violations: await violationsOn(tab) }).toEqual({ name, violations: [] });
    }
    expect(complaints).toEqual([]);
    await context.close();
  }, 240_000);
});

describe("an admin", () => {
  it("narrows the usage, follows a number to the jobs, and opens why one costs what it does", async () => {
    const { context, tab } = await signedIn();
    await tab.goto(`${origin}/admin?section=usage`);
    await tab.locator("#tier").selectOption("mu");
    await tab.waitForURL(/tier=mu/u);
    await tab.getByRole("link", { name: "somchai" }).click();
    await tab.waitForURL(/user=somchai/u);
    expect(tab.url()).toContain("tier=mu");
    await tab.locator("tbody .num a").first().click();
    await tab.waitForURL(/group=jobs/u);
    const why = tab.locator(".why-details").first();
    await why.locator("summary").click();
    expect(await why.innerText()).toContain("core-h");
    await tab.getByRole("link", { name: /^Without somchai/u }).click();
    await tab.waitForURL((url) => !url.search.includes("user="));
    await context.close();
  });

  it("sees what new prices would do before setting them", async () => {
    const { context, tab } = await signedIn();
    await tab.goto(`${origin}/admin?section=rates`);
    await tab.fill("#cpu", "-1");
    await tab.getByRole("button", { name: "See what it does" }).first().click();
    expect(await tab.locator("#cpu-error").innerText()).toContain("not negative");
    await tab.fill("#cpu", "1.75");
    await tab.getByRole("button", { name: "See what it does" }).first().click();
    expect(await tab.locator("h1").innerText()).toBe("Set these prices for MU?");
    expect(await tab.locator("#effect").count()).toBe(1);
    await tab.getByRole("button", { name: "Set the prices for MU" }).click();
    await tab.waitForURL(/notice=rate/u);
    expect(await tab.locator(".notice-good").innerText()).toContain("The new rate is in the book.");
    await context.close();
  });

  it("bills a month and settles a receipt by keyboard, without script", async () => {
    const { context, tab } = await signedIn({ javaScriptEnabled: false });
    await tab.goto(`${origin}/admin`);
    const bill = tab.getByRole("link", { name: "Bill October" });
    await bill.focus();
    await tab.keyboard.press("Enter");
    await tab.waitForURL(/create_month/u);
    const confirm = tab.getByRole("button", { name: /^Bill \d+ jobs of \d+ people, ฿/u });
    await confirm.focus();
    await tab.keyboard.press("Enter");
    await tab.waitForURL(/section=billing/u);
    expect(await tab.locator(".notice-good").innerText()).toMatch(/\d+ receipts were created for October 2026/u);
    await tab
      .getByRole("link", { name: /^R-2026-/u })
      .first()
      .click();
    await tab.getByRole("link", { name: "Mark as paid" }).click();
    await tab.fill("#reference", "KTB 0815");
    await tab.keyboard.press("Enter");
    await tab.waitForURL(/notice=paid/u);
    expect(await tab.locator("h1 .pill").innerText()).toBe("Paid");
    expect(await tab.locator(".timeline").innerText()).toContain("KTB 0815");
    await context.close();
  });

  it("verifies the chain", async () => {
    const { context, tab } = await signedIn();
    await tab.goto(`${origin}/admin?section=audit`);
    await tab.getByRole("button", { name: "Verify the chain" }).click();
    await tab.waitForURL(/verified=1/u);
    expect(await tab.locator(".notice-good").innerText()).toMatch(/All \d+ records were verified/u);
    await context.close();
  });
});

describe("somebody who is no admin", () => {
  it("finds the console closed", async () => {
    const { context, tab } = await signedIn({}, "alice");
    const answer = await tab.goto(`${origin}/admin?section=billing`);
    expect(answer?.status()).toBe(403);
    expect(await tab.locator("h1").innerText()).toBe("Not allowed");
    await context.close();
  });
});

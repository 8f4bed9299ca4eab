/** A researcher's way through the product, in a real browser: from signing in to a paid receipt. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import axe from "axe-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { buildBrowser } from "../../scripts/build.ts";
import { openBrowser } from "../support/browser.ts";
import { importResearcher } from "../web/me-data.ts";
import { startMeSite, type MeSite } from "../web/me-site.ts";
import { PASSWORD } from "../web/server-harness.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** Where pictures go, when somebody wants to look. */
const SHOTS = process.env["SHOTS"];

/** What is left of an A4 page, in CSS pixels. */
const A4_INSIDE_MARGINS = { width: 673, height: 987 };

let folder: string;
let site: MeSite;
let origin: string;
let browser: Browser;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "me-e2e-"));
  const manifest = await buildBrowser(ROOT, folder);
  site = await startMeSite({ built: { publicDir: join(folder, "public"), manifest } });
  await importResearcher(site);
  origin = await site.app.listen({ host: "127.0.0.1", port: 0 });
  browser = await openBrowser();
}, 120_000);

afterAll(async () => {
  await browser.close();
  await site.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained about: scripts, the content security policy, missing files. */
  readonly complaints: readonly string[];
}

async function visit(options: BrowserContextOptions = {}, lang: "en" | "th" = "en"): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1240, height: 900 }, ...options });
  await context.addCookies([{ name: "lang", value: lang, url: origin }]);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${origin}/login`);
  await page.fill("#username", "alice");
  await page.fill("#password", PASSWORD);
  await page.locator("form[action='/login'] button").click();
  await page.waitForURL(`${origin}/me`);
  return { context, page, complaints };
}

async function picture(page: Page, name: string): Promise<void> {
  if (SHOTS === undefined) return;
  mkdirSync(SHOTS, { recursive: true });
  const { width, height } = await page.evaluate(() => ({
    width: innerWidth,
    height: document.documentElement.scrollHeight,
  }));
  await page.screenshot({
    path: join(SHOTS, `${name}.png`),
    fullPage: true,
    clip: { x: 0, y: 0, width, height: Math.min(height, 1_800) },
  });
}

const axeAnswer = z.object({
  violations: z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
});

async function expectNoBarriers(page: Page, where: string): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = axeAnswer.parse(await page.evaluate("axe.run()"));
  expect(violations.map(({ id, nodes }) => `${where}: ${id} ${nodes[0]?.html ?? ""}`)).toEqual([]);
}

async function expectNoSidewaysScroll(page: Page, where: string): Promise<void> {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect({ where, overflow }).toEqual({ where, overflow: 0 });
}

const PAGES = {
  overview: "/me",
  last: "/me?start=2026-09-01&before=2026-09-30",
  jobs: "/me?view=detail",
  "jobs-none": "/me?view=detail&q=zzz",
  billed: "/me?view=billed",
  trend: "/me?view=trend",
  empty: "/me?start=2025-01-01&before=2025-01-31",
  wrong: "/me?start=31-10-2026",
  years: "/me?start=2024-01-01&before=2026-10-31",
  receipts: "/me/receipts",
  calculator: "/playground?cores=16&gpus=2&gpu_type=a100&memory=64&hours=3:20&jobs=10",
  "calculator-wrong": "/playground?cores=x&memory=-1",
} as const;

describe("every page", () => {
  it.each(["en", "th"] as const)(
    "has no barriers, no complaints and no sideways scroll (%s)",
    async (lang) => {
      for (const [size, viewport] of Object.entries({
        wide: { width: 1240, height: 900 },
        phone: { width: 390, height: 844 },
      })) {
        for (const colorScheme of ["light", "dark"] as const) {
          const { context, page, complaints } = await visit({ viewport, colorScheme }, lang);
          for (const [name, path] of Object.entries(PAGES)) {
            const where = `${name}-${size}-${lang}-${colorScheme}`;
            await page.goto(`${origin}${path}`);
            if (name === "jobs") await page.locator(".why-details summary").nth(1).click();
            await picture(page, where);
            await expectNoSidewaysScroll(page, where);
            await expectNoBarriers(page, where);
          }
          // A page that says 400 is one of ours here.
          expect(complaints.filter((text) => !text.includes("status of 400"))).toEqual([]);
          await context.close();
        }
      }
    },
    240_000,
  );
});

describe("a researcher", () => {
  it("sees what is owed and why, makes a receipt, pays it and sees it paid", async () => {
    const { context, page, complaints } = await visit();
    const owed = await page.locator(".key-figure-value").innerText();
    expect(owed).toMatch(/^฿\s?[\d,]+\.\d\d$/);

    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    const why = page.locator("details.why-details").nth(1);
    await why.locator("summary").focus();
    await page.keyboard.press("Enter");
    expect(await why.locator(".why").innerText()).toContain("16 cores × 12,015 s");

    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("button", { name: "Create receipt" }).click();
    await page.waitForURL(/\/me\/receipts\/\d+$/);
    await picture(page, "receipt-open");
    await page.setViewportSize({ width: 390, height: 844 });
    await expectNoSidewaysScroll(page, "receipt-phone");
    await picture(page, "receipt-phone");
    await page.setViewportSize({ width: 1240, height: 900 });
    await expectNoBarriers(page, "receipt");
    await page.emulateMedia({ media: "print" });
    await page.setViewportSize(A4_INSIDE_MARGINS);
    await picture(page, "receipt-print");
    expect(
      await page
        .locator(".receipt thead")
        .first()
        .evaluate((head) => getComputedStyle(head).display),
    ).toBe("table-header-group");
    await page.setViewportSize({ width: 1240, height: 900 });
    await page.emulateMedia({ media: "screen" });
    await page.locator("summary", { hasText: "jobs" }).click();
    await picture(page, "receipt-jobs");

    await page.getByRole("link", { name: /^Pay ฿/ }).click();
    await picture(page, "pay-confirm");
    await expectNoBarriers(page, "confirm");
    await page.getByRole("button", { name: /^Pay ฿/ }).click();
    await page.waitForURL(/\/payments\/simulate/);
    await picture(page, "pay-simulate");
    await expectNoBarriers(page, "simulate");
    await page.getByRole("button", { name: /^Pay ฿/ }).click();
    await page.waitForURL(/\/payments\/thanks/);
    expect(await page.locator("h1").innerText()).toBe("Thank you, it is paid");
    await picture(page, "pay-thanks");
    await expectNoBarriers(page, "thanks");

    await page.getByRole("link", { name: "Back to the receipt" }).click();
    expect(await page.locator("h1 .pill").innerText()).toBe("Paid");
    await picture(page, "receipt-paid");
    await page.goto(`${origin}/me`);
    expect(await page.locator(".key-figure").innerText()).toContain("Everything is billed");
    await picture(page, "overview-billed");
    expect(complaints).toEqual([]);
    await context.close();
  });
});

/** What the browser's script adds, and that pages do without it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser } from "../support/browser.ts";
import { ROOT, serveGallery, type GalleryServer } from "../web/ui-gallery-server.ts";

const SHOTS = process.env["SHOTS"] === undefined ? null : join(ROOT, "test-results/ui");

let server: GalleryServer;
let browser: Browser;

beforeAll(async () => {
  server = await serveGallery();
  browser = await openBrowser();
}, 60_000);

afterAll(async () => {
  await browser.close();
  server.close();
});

async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1240, height: 900 }, ...options });
  const tab = await context.newPage();
  await tab.goto(`${server.origin}${path}`);
  return tab;
}

async function picture(tab: Page, name: string): Promise<void> {
  if (SHOTS === null) return;
  mkdirSync(SHOTS, { recursive: true });
  await tab.screenshot({ path: join(SHOTS, `${name}.png`) });
}

describe("a chart", () => {
  it("shows a day's exact values on hover, and by arrow keys", async () => {
    const tab = await open("/me");
    await tab.locator(".column").nth(3).hover();
    await expect.poll(() => tab.locator(".chart-tip").innerText()).toContain("4 Oct 2026");
    expect(await tab.locator(".chart-tip").innerText()).toContain("฿1,268.00");
    await picture(tab, "behaviour-tooltip");
    await tab.locator(".column").first().focus();
    await tab.keyboard.press("End");
    await tab.keyboard.press("ArrowLeft");
    await expect.poll(() => tab.locator(".chart-tip").innerText()).toContain("30 Oct 2026");
    expect(await tab.locator(".column[tabindex='0']").count()).toBe(1);
    await tab.keyboard.press("Escape");
    expect(await tab.locator(".chart-tip").isVisible()).toBe(false);
    await tab.context().close();
  });

  it("has its table one click away, also without script", async () => {
    const tab = await open("/me", { javaScriptEnabled: false });
    await tab.getByText("Show as table").click();
    expect(await tab.locator(".chart-foot table").innerText()).toContain("฿1,738.00");
    await picture(tab, "behaviour-no-script");
    await tab.context().close();
  });
});

describe("the theme", () => {
  it("changes at once and is remembered in a cookie, or forgotten", async () => {
    const tab = await open("/me", { colorScheme: "light" });
    await tab.locator(".corner summary").click();
    await picture(tab, "behaviour-menu");
    await tab.getByRole("button", { name: "Dark" }).click();
    expect(
      await tab.evaluate(() => getComputedStyle(document.body.parentElement ?? document.body).backgroundColor),
    ).toBe("rgb(15, 20, 24)");
    expect(await tab.context().cookies()).toEqual([
      expect.objectContaining({ name: "theme", value: "dark", path: "/", sameSite: "Lax" }),
    ]);
    await tab.getByRole("button", { name: "System" }).click();
    expect(await tab.context().cookies()).toEqual([]);
    await tab.keyboard.press("Escape");
    expect(await tab.locator(".corner .menu-panel").isVisible()).toBe(false);
    await tab.context().close();
  });

  it("follows the system where nothing was chosen", async () => {
    const tab = await open("/me", { colorScheme: "dark" });
    expect(await tab.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe(
      "rgb(15, 20, 24)",
    );
    await tab.context().close();
  });
});

describe("a form", () => {
  it("is sent once, however often its button is pressed", async () => {
    const tab = await open("/me");
    const before = server.posts.length;
    const button = tab.getByRole("button", { name: "Create receipt" });
    await button.evaluate((one) => {
      if (!(one instanceof HTMLButtonElement)) return;
      one.click();
      one.click();
      setTimeout(() => one.click(), 50);
    });
    await tab.waitForURL("**/me/receipt");
    expect(server.posts.slice(before)).toEqual(["/me/receipt"]);
    await tab.goBack();
    await expect.poll(() => tab.getByRole("button", { name: "Create receipt" }).isEnabled()).toBe(true);
    await tab.context().close();
  });

  it("takes a day in one order everywhere, and refuses another", async () => {
    const tab = await open("/me");
    await tab.locator("#before").fill("31/10/2026");
    expect(
      await tab
        .locator("#before")
        .evaluate((field) => field instanceof HTMLInputElement && field.validity.patternMismatch),
    ).toBe(true);
    await tab.locator("#before").fill("2026-10-31");
    expect(
      await tab.locator("#before").evaluate((field) => field instanceof HTMLInputElement && field.validity.valid),
    ).toBe(true);
    await tab.context().close();
  });

  it("filters as soon as a choice is made", async () => {
    const tab = await open("/jobs");
    await tab.locator("#state").selectOption("COMPLETED");
    await tab.waitForURL("**/me?view=detail&q=&state=COMPLETED");
    await tab.context().close();
  });

  it("offers a button to filter with where scripts are off", async () => {
    const tab = await open("/jobs", { javaScriptEnabled: false });
    expect(await tab.getByRole("button", { name: "Show" }).first().isVisible()).toBe(true);
    expect(await tab.locator(".themes").isVisible()).toBe(false);
    await tab.context().close();
  });
});

describe("a payment's page", () => {
  it("loads again by itself when the status changed", async () => {
    server.status = "pending";
    const tab = await open("/receipt");
    let loads = 0;
    tab.on("load", () => loads++);
    await expect.poll(() => tab.locator("[data-poll-url]").count()).toBe(1);
    server.status = "paid";
    await expect.poll(() => loads, { timeout: 10_000 }).toBeGreaterThan(0);
    await tab.context().close();
  });
});

describe("a page on paper", () => {
  it("keeps its table, and has no navigation and no buttons", async () => {
    const tab = await open("/receipt?theme=dark", { viewport: { width: 673, height: 1000 } });
    await tab.emulateMedia({ media: "print" });
    await picture(tab, "behaviour-print");
    expect(await tab.locator(".nav").isVisible()).toBe(false);
    expect(await tab.locator(".table thead").evaluate((head) => getComputedStyle(head).display)).toBe(
      "table-header-group",
    );
    expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(673);
    expect(await tab.locator(".button").first().isVisible()).toBe(false);
    expect(await tab.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe(
      "rgb(255, 255, 255)",
    );
    await tab.context().close();
  });
});

describe("a window of one's own", () => {
  it("is asked for by two days that keep the rest of the address", async () => {
    const tab = await open("/me", { viewport: { width: 390, height: 700 } });
    await tab.getByText("Custom").click();
    await picture(tab, "behaviour-range");
    const panel = await tab.locator(".range-form").boundingBox();
    expect(panel?.x).toBeGreaterThanOrEqual(0);
    await tab.locator("#range-from").fill("2026-09-01");
    await tab.locator("#range-to").fill("2026-09-15");
    await tab.locator(".range-form").getByRole("button", { name: "Show" }).click();
    await tab.waitForURL("**/me?view=aggregate&start=2026-09-01&before=2026-09-15");
    await tab.context().close();
  });
});

describe("the first paint", () => {
  it("does not move when fonts and script arrive", async () => {
    const tab = await open("/me");
    await tab.waitForLoadState("networkidle");
    const shift = await tab.evaluate(
      () =>
        new Promise<number>((done) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) sum += Number(Reflect.get(entry, "value"));
          }).observe({ type: "layout-shift", buffered: true });
          setTimeout(() => done(sum), 300);
        }),
    );
    expect(shift).toBeLessThan(0.02);
    await tab.context().close();
  });
});

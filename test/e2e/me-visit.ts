/** A site with a researcher's jobs, and real browsers that visit it. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import axe from "axe-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { z } from "zod";
import { buildBrowser } from "../../scripts/build.ts";
import { openBrowser } from "../support/browser.ts";
import { importGroupOf } from "../web/group-data.ts";
import { importResearcher } from "../web/me-data.ts";
import { startMeSite, type MeSite, type MeSiteOptions } from "../web/me-site.ts";
import { PASSWORD } from "../web/server-harness.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** Where pictures go, when somebody wants to look. */
export const SHOTS = process.env["SHOTS"];

export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained about: scripts, the content security policy, missing files. */
  readonly complaints: readonly string[];
}

export interface VisitedSite {
  readonly origin: string;
  /** Alice, signed in and on her first page. */
  visit(options?: BrowserContextOptions, lang?: "en" | "th"): Promise<Visit>;
  close(): Promise<void>;
}

/** @param prepare what else is to happen there before anybody comes. */
export async function openSite(
  prepare: (site: MeSite) => Promise<void> = async () => {},
  options: Pick<MeSiteOptions, "payments" | "env"> = {},
): Promise<VisitedSite> {
  const folder = mkdtempSync(join(tmpdir(), "me-e2e-"));
  const manifest = await buildBrowser(ROOT, folder);
  const site = await startMeSite({ ...options, built: { publicDir: join(folder, "public"), manifest } });
  await importResearcher(site);
  await importGroupOf(site, "alice");
  await prepare(site);
  const origin = await site.app.listen({ host: "127.0.0.1", port: 0 });
  const browser = await openBrowser();
  return {
    origin,
    visit: (options, lang = "en") => signIn(browser, origin, options, lang),
    async close() {
      await browser.close();
      await site.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function signIn(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions | undefined,
  lang: string,
): Promise<Visit> {
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

export async function picture(page: Page, name: string): Promise<void> {
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

export async function expectNoBarriers(page: Page, where: string): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = axeAnswer.parse(await page.evaluate("axe.run()"));
  expect(violations.map(({ id, nodes }) => `${where}: ${id} ${nodes[0]?.html ?? ""}`)).toEqual([]);
}

export async function expectNoSidewaysScroll(page: Page, where: string): Promise<void> {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect({ where, overflow }).toEqual({ where, overflow: 0 });
}

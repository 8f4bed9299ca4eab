/** The console on a database of its own, and admins that open it in a real browser. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { buildBrowser } from "../../scripts/build.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { findReceipt, type Receipt } from "../../src/billing/queries.ts";
import { openBrowser } from "../support/browser.ts";
import { aJob, at } from "../support/context.ts";
import { startAdminSite, type AdminSite } from "../web/admin-site.ts";
import { VAT } from "../web/me-site.ts";
import { PASSWORD } from "../web/server-harness.ts";
import type { Visit } from "./me-visit.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export interface Look {
  readonly lang: "en" | "th";
  readonly theme: "light" | "dark";
  readonly width: number;
}

const DESKTOP: Look = { lang: "en", theme: "light", width: 1_240 };

export interface VisitedConsole {
  readonly origin: string;
  readonly site: AdminSite;
  /** An admin who is signed in, on the console's first page. */
  visit(look?: Look, options?: BrowserContextOptions): Promise<Visit>;
  close(): Promise<void>;
}

export async function openConsole(): Promise<VisitedConsole> {
  const folder = mkdtempSync(join(tmpdir(), "console-e2e-"));
  const manifest = await buildBrowser(ROOT, folder);
  const site = await startAdminSite({ built: { publicDir: join(folder, "public"), manifest }, tax: VAT });
  const origin = await site.app.listen({ port: 0, host: "127.0.0.1" });
  const browser = await openBrowser();
  return {
    origin,
    site,
    async visit({ lang, theme, width } = DESKTOP, options = {}) {
      const context = await browser.newContext({ viewport: { width, height: 900 }, ...options });
      await context.addCookies([
        { name: "lang", value: lang, url: origin },
        { name: "theme", value: theme, url: origin },
      ]);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.goto(`${origin}/login`);
      await page.fill("#username", "root");
      await page.fill("#password", PASSWORD);
      await page.press("#password", "Enter");
      await page.waitForURL(`${origin}/admin`);
      return { context, page, complaints };
    },
    async close() {
      await browser.close();
      await site.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A receipt of somebody's for one more job with processors, memory and two GPUs. */
export async function billSomebody(site: AdminSite, user: string): Promise<Receipt> {
  const endAt = at("2026-10-30T03:00:00Z");
  await site.importJobs([
    aJob({ user, allocCpus: 64, allocGpus: 2, elapsedSeconds: 36_000, startAt: endAt - 36_000, endAt }),
  ]);
  const issued = await issueReceipt(site, { userName: user, cutoffDay: "2026-10-31" }, { actor: "root" });
  if (issued === undefined) throw new Error(`there was nothing to bill for ${user}`);
  return receiptNow(site, issued.id);
}

export async function receiptNow({ db }: Pick<AdminSite, "db">, id: bigint): Promise<Receipt> {
  const receipt = await findReceipt(db, id);
  if (receipt === undefined) throw new Error(`there is no receipt ${id}`);
  return receipt;
}

/** One thing to do stands out, whatever else the page offers. */
export async function expectOnePrimaryAtMost(page: Page, where: string): Promise<void> {
  const primary = await page.locator("main .button-primary").count();
  expect({ where, isCalm: primary <= 1 }).toEqual({ where, isCalm: true });
}

/**
 * The components in a real browser, under the real content security policy: nothing that assistive
 * technology stumbles over, no violation of the policy, nothing wider than the screen.
 * With `SHOTS=1` it also leaves pictures in `test-results/ui/`.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GALLERY } from "../web/ui-gallery.tsx";
import { openBrowser } from "../support/browser.ts";
import { ROOT, serveGallery, type GalleryServer } from "../web/ui-gallery-server.ts";

const SHOTS = process.env["SHOTS"] === undefined ? null : join(ROOT, "test-results/ui");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const LOOKS = [
  { lang: "en", theme: "light", width: 1240 },
  { lang: "th", theme: "dark", width: 1240 },
  { lang: "en", theme: "dark", width: 390 },
  { lang: "th", theme: "light", width: 390 },
] as const;

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

describe.each(LOOKS)("the gallery in $lang, $theme, $width px wide", ({ lang, theme, width }) => {
  it.each(GALLERY)(
    "is sound on the page %s",
    async (page) => {
      const context = await browser.newContext({ viewport: { width, height: 900 } });
      const tab = await context.newPage();
      const complaints: string[] = [];
      tab.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
      });
      tab.on("pageerror", (error) => complaints.push(error.message));
      await tab.goto(`${server.origin}/${page}?lang=${lang}&theme=${theme}`);
      await tab.evaluate(() => document.fonts.ready);
      if (SHOTS !== null) {
        mkdirSync(SHOTS, { recursive: true });
        await tab.screenshot({ path: join(SHOTS, `${page}-${lang}-${theme}-${width}.png`), fullPage: true });
      }
      expect(await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      for (const menu of await tab.locator("details:not([data-menu])").all())
        await menu.evaluate((one) => one.setAttribute("open", ""));
      expect(await violationsOn(tab)).toEqual([]);
      expect(complaints).toEqual([]);
      await context.close();
    },
    60_000,
  );
});

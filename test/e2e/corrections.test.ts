/** What a researcher sees of jobs that were corrected after they were billed, in a real browser. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { correctionsOfJob } from "../../src/billing/corrections.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { aJob, at } from "../support/context.ts";
import type { MeSite } from "../web/me-site.ts";
import { expectNoBarriers, expectNoSidewaysScroll, openSite, picture, type VisitedSite } from "./me-visit.ts";

const KEY = { cluster: "test", rawJobId: "700001", submitAt: at("2026-10-10T02:00:00Z") };

let site: VisitedSite;
const paths: Record<string, string> = {};

/** A first receipt, one job on it that cost less and one that cost more, a second receipt, and a change after that. */
async function correctSome(on: MeSite): Promise<void> {
  const job = (rawJobId: string, hours: number) =>
    aJob({
      rawJobId,
      jobId: rawJobId,
      jobName: "align-whole-genome",
      account: "mu-genome",
      elapsedSeconds: hours * 3600,
      endAt: KEY.submitAt + hours * 3600,
      comment: "run for the review of chapter four",
    });
  const issue = () => issueReceipt(on, { userName: "alice", cutoffDay: "2026-10-31" }, { actor: "alice" });
  await on.importJobs([job("700001", 30), job("700002", 2)]);
  await issue();
  await on.importJobs([job("700001", 21), job("700002", 3), job("700003", 50)]);
  const second = await issue();
  await on.importJobs([{ ...job("700001", 20), state: "TIMEOUT", exitCode: "0:15", nodeList: "node[07-08]" }]);
  const [, newest] = await correctionsOfJob(on.db, KEY);
  paths["corrections-receipt"] = `/me/receipts/${second?.id}`;
  paths["corrections-versions"] = `/me/corrections/${newest?.id}`;
  paths["corrections-job"] = `/me/jobs/test/${KEY.rawJobId}/${KEY.submitAt}`;
  paths["corrections-overview"] = "/me";
}

beforeAll(async () => {
  site = await openSite(correctSome);
}, 120_000);
afterAll(() => site.close());

it.each([
  [{ width: 1240, height: 900 }, "en", "light"],
  [{ width: 390, height: 844 }, "th", "dark"],
] as const)(
  "has no barriers, no complaints and no sideways scroll (%o, %s, %s)",
  async (viewport, lang, colorScheme) => {
    const { context, page, complaints } = await site.visit({ viewport, colorScheme }, lang);
    for (const [name, path] of Object.entries(paths)) {
      const where = `${name}-${viewport.width}-${lang}-${colorScheme}`;
      await page.goto(`${site.origin}${path}`);
      await picture(page, where);
      await expectNoSidewaysScroll(page, where);
      await expectNoBarriers(page, where);
    }
    expect(complaints).toEqual([]);
    await context.close();
  },
);

it("prints a receipt with its corrections on one page", async () => {
  const { context, page } = await site.visit({ viewport: { width: 673, height: 987 } });
  await page.goto(`${site.origin}${paths["corrections-receipt"]}`);
  await page.emulateMedia({ media: "print" });
  await picture(page, "corrections-print");
  expect(await page.locator("#corrections").isVisible()).toBe(true);
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThanOrEqual(987);
  await context.close();
});

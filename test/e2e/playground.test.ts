/** The price calculator answers while it is filled in, and works without script. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSite, type VisitedSite } from "./me-visit.ts";

let site: VisitedSite;
let origin: string;
beforeAll(async () => {
  site = await openSite();
  ({ origin } = site);
}, 120_000);
afterAll(() => site.close());

describe("the calculator", () => {
  it("answers while it is filled in, and its address follows", async () => {
    const { context, page, complaints } = await site.visit();
    await page.goto(`${origin}/playground`);
    const figure = page.locator(".key-figure-value");
    expect(await figure.innerText()).toContain("5.56");
    await page.fill("#cores", "8");
    await expect.poll(() => figure.innerText()).toContain("10.56");
    expect(new URL(page.url()).searchParams.get("cores")).toBe("8");
    // What is being typed keeps its place: only the answer is swapped.
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("cores");
    await page.fill("#jobs", "100");
    await expect.poll(() => page.locator("pre").innerText()).toContain("--array=1-100");
    await page.reload();
    expect(await figure.innerText()).toContain("1,056.00");
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("says beside a field what it takes, and takes it back when it is right", async () => {
    const { context, page } = await site.visit();
    await page.goto(`${origin}/playground`);
    await page.fill("#memory", "much");
    await expect.poll(() => page.locator("#memory-error").count()).toBe(1);
    expect(await page.locator("#memory").getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator(".key-figure").count()).toBe(0);
    await page.fill("#memory", "32");
    await expect.poll(() => page.locator(".key-figure").count()).toBe(1);
    expect(await page.locator(".field-error").count()).toBe(0);
    expect(await page.locator("#memory").getAttribute("aria-invalid")).toBeNull();
    await context.close();
  });

  it("works without script by its button", async () => {
    const { context, page } = await site.visit({ javaScriptEnabled: false });
    await page.goto(`${origin}/playground`);
    await page.fill("#cores", "8");
    await page.getByRole("button", { name: "Calculate" }).click();
    expect(await page.locator(".key-figure-value").innerText()).toContain("10.56");
    await context.close();
  });
});

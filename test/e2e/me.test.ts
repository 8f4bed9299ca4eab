/** A researcher's way through the product, in a real browser: from signing in to a paid receipt. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectNoBarriers, expectNoSidewaysScroll, openSite, picture, SHOTS, type VisitedSite } from "./me-visit.ts";

/** What is left of an A4 page, in CSS pixels. */
const A4_INSIDE_MARGINS = { width: 673, height: 987 };
const WIDE = { width: 1240, height: 900 };
const PHONE = { width: 390, height: 844 };

let site: VisitedSite;
let origin: string;
beforeAll(async () => {
  site = await openSite();
  ({ origin } = site);
}, 120_000);
afterAll(() => site.close());

const PAGES: Readonly<Record<string, string>> = {
  overview: "/me",
  last: "/me?start=2026-09-01&before=2026-09-30",
  jobs: "/me?view=detail",
  "jobs-none": "/me?view=detail&q=zzz",
  billed: "/me?view=billed",
  trend: "/me?view=trend",
  empty: "/me?start=2025-01-01&before=2025-01-31",
  group: "/me?view=group",
  "group-member": "/me?view=group&member=arun&account=mu-climate",
  "group-empty": "/me?view=group&start=2025-01-01&before=2025-01-31",
  "group-years": "/me?view=group&start=2024-01-01&before=2026-10-31&account=mu-climate",
  job: `/me/jobs/test/918273/${Date.parse("2026-10-31T11:14:00+07:00") / 1000 - 12_015 - 95}`,
  wrong: "/me?start=31-10-2026",
  years: "/me?start=2024-01-01&before=2026-10-31",
  receipts: "/me/receipts",
  calculator: "/playground?cores=16&gpus=2&gpu_type=a100&memory=64&hours=3:20&jobs=10",
  "calculator-wrong": "/playground?cores=x&memory=-1",
};

/** Each side of each choice is looked at; all combinations only for those who look at the pictures. */
const LOOKS =
  SHOTS === undefined
    ? ([
        [WIDE, "en", "light"],
        [PHONE, "th", "dark"],
      ] as const)
    : [WIDE, PHONE].flatMap((viewport) =>
        (["en", "th"] as const).flatMap((lang) =>
          (["light", "dark"] as const).map((scheme) => [viewport, lang, scheme] as const),
        ),
      );

describe("every page", () => {
  it.each(LOOKS)(
    "has no barriers, no complaints and no sideways scroll (%o, %s, %s)",
    async (viewport, lang, colorScheme) => {
      const { context, page, complaints } = await site.visit({ viewport, colorScheme }, lang);
      for (const [name, path] of Object.entries(PAGES)) {
        const where = `${name}-${viewport.width}-${lang}-${colorScheme}`;
        await page.goto(`${origin}${path}`);
        if (name === "jobs") await page.locator(".why-details summary").nth(1).click();
        await picture(page, where);
        await expectNoSidewaysScroll(page, where);
        await expectNoBarriers(page, where);
      }
      // A page that says 400 is one of ours here.
      expect(complaints.filter((text) => !text.includes("status of 400"))).toEqual([]);
      await context.close();
    },
    120_000,
  );
});

describe("a researcher", () => {
  it("sees what is owed and why, makes a receipt, pays it and sees it paid", async () => {
    const { context, page, complaints } = await site.visit();
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
    await page.setViewportSize(PHONE);
    await expectNoSidewaysScroll(page, "receipt-phone");
    await picture(page, "receipt-phone");
    await page.setViewportSize(WIDE);
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
    await page.setViewportSize(WIDE);
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

  it("finds a job by search and keeps the search in the address, with the period", async () => {
    const { context, page } = await site.visit();
    await page.goto(`${origin}/me?view=detail&start=2026-09-01&before=2026-10-31`);
    await page.fill("#q", "9182");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=9182/);
    expect(page.url()).toContain("start=2026-09-01");
    expect(await page.locator(".jobs tbody tr.has-detail").count()).toBe(4);
    await page.locator("#state").selectOption("TIMEOUT");
    await page.waitForURL(/state=TIMEOUT/);
    expect(page.url()).toContain("q=9182");
    expect(await page.locator(".jobs tbody tr.has-detail").count()).toBe(1);
    await context.close();
  });

  it("opens the reason for a price without script", async () => {
    const { context, page } = await site.visit({ javaScriptEnabled: false });
    await page.goto(`${origin}/me?view=detail&q=918273`);
    expect(await page.locator(".why").isVisible()).toBe(false);
    await page.locator(".why-details summary").click();
    expect(await page.locator(".why").isVisible()).toBe(true);
    await context.close();
  });
});

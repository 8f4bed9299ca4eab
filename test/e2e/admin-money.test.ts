/** What an admin does about a receipt's money, in a real browser: every page asks, says what is wrong, and tells what it did. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { issueCreditNote } from "../../src/billing/credit-notes.ts";
import type { Receipt } from "../../src/billing/queries.ts";
import { markPaid } from "../../src/billing/settle.ts";
import { unbilledTotals } from "../../src/usage/queries/unbilled.ts";
import { formatter } from "../../src/web/format.ts";
import {
  billSomebody,
  expectOnePrimaryAtMost,
  openConsole,
  receiptNow,
  type Look,
  type VisitedConsole,
} from "./admin-visit.ts";
import { expectNoBarriers, expectNoSidewaysScroll, picture } from "./me-visit.ts";

const fmt = formatter({ lang: "en", timeZone: "Asia/Bangkok", currency: "THB" });
const BY = { actor: "root" };

let visited: VisitedConsole;
let page: Page;

beforeAll(async () => {
  visited = await openConsole();
}, 120_000);
afterAll(() => visited.close());

beforeEach(async ({ onTestFinished }) => {
  const visit = await visited.visit();
  ({ page } = visit);
  onTestFinished(() => visit.context.close());
});

let users = 0;
const bill = (user = `person${++users}`): Promise<Receipt> => billSomebody(visited.site, user);
/** One of which everything was paid, then everything credited. */
async function owedBack(user?: string): Promise<Receipt> {
  const receipt = await bill(user);
  await markPaid(visited.site, receipt.id, "KTB 0001", BY);
  await issueCreditNote(visited.site, receipt.id, { scope: "full", releaseJobs: false }, "billed in error", BY);
  return receiptNow(visited.site, receipt.id);
}

const open = ({ id }: Receipt, rest = "") => page.goto(`${visited.origin}/admin/receipts/${id}${rest}`);
const act = async (receipt: Receipt, link: string): Promise<void> => {
  await open(receipt);
  await page.getByRole("link", { name: link, exact: true }).click();
};
/** Presses what the page is there for. */
const submit = () => page.locator("main form .actions button").first().click();
const notice = () => page.locator(".notice-good").innerText();
const main = () => page.locator("main").innerText();
const state = () => page.locator("h1 .pill").innerText();
const errorOf = (field: string) => page.locator(`#${field}-error`).innerText();
const sums = () => page.getByRole("table", { name: "Money" }).innerText();

describe("money that came in outside of the platform", () => {
  it("is recorded as it comes, part by part, until nothing is due", async () => {
    const receipt = await bill();
    await act(receipt, "Mark as paid");
    await page.fill("#reference", "KTB 4711");
    await page.fill("#amount", "100.00");
    await submit();
    expect(await notice()).toContain("The receipt still waits for the rest");
    expect(await state()).toBe("Waiting for payment");
    const rest = receipt.totalMinor - 10_000n;
    expect(await sums()).toContain(`Still to pay\t${fmt.money(rest)}`);

    await page.getByRole("link", { name: "Mark as paid", exact: true }).click();
    expect((await page.inputValue("#amount")).replaceAll(",", "")).toBe(fmt.money(rest).replaceAll(/[฿,]/gu, ""));
    await page.fill("#reference", "KTB 4712");
    await submit();
    expect(await notice()).toContain("The receipt is paid.");
    expect(await state()).toBe("Paid");
    expect(await sums()).toContain("Nothing is due");
    const movements = await page.getByRole("table", { name: "What came in and went out" }).innerText();
    expect(movements).toContain("KTB 4711");
    expect(movements).toContain("KTB 4712");
  });

  it("that was too much is owed back", async () => {
    const receipt = await bill();
    await act(receipt, "Mark as paid");
    await page.fill("#reference", "KTB 4713");
    await page.fill("#amount", fmt.money(receipt.totalMinor + 5_000n).slice(1));
    await submit();
    expect(await state()).toBe("Paid");
    expect(await sums()).toContain("Owed back to the payer\t฿50.00");
    expect(await page.locator("main .button-primary").innerText()).toBe("Pay back");
  });

  it("and was recorded by mistake is taken back, and both stay in the books", async () => {
    const receipt = await bill();
    await markPaid(visited.site, receipt.id, "KTB 4714", BY);
    await act(receipt, "Take payment back");
    expect(await main()).toContain("KTB 4714");
    await page.fill("#reason", "It was another receipt");
    await submit();
    expect(await notice()).toContain("The payment was taken back.");
    expect(await state()).toBe("Waiting for payment");
    const movements = await page.getByRole("table", { name: "What came in and went out" }).innerText();
    expect(movements).toContain("taken back later");
    expect(movements).toContain("It was another receipt");
    expect(await sums()).toContain(`Still to pay\t${fmt.money(receipt.totalMinor)}`);
  });
});

describe("a credit note", () => {
  it("takes back amounts of single lines, with their tax", async () => {
    const receipt = await bill();
    await act(receipt, "Credit note");
    await page.selectOption("#scope", "lines");
    await page.fill("#line_1", "10.00");
    await page.fill("#reason", "Node was slow");
    await submit();
    expect(await notice()).toContain("The credit note is issued.");
    expect(await sums()).toContain(`Still to pay\t${fmt.money(receipt.totalMinor - 1_070n)}`);
    await page.getByRole("link", { name: /^CN-2026-/u }).click();
    expect(await page.locator("h1").innerText()).toContain("Credit note CN-2026-");
    expect(await main()).toContain("Node was slow");
    expect(await main()).toContain(`Total credited\t${fmt.money(-1_070n)}`);
  });

  it("takes back everything and offers the jobs for billing again", async () => {
    const receipt = await bill();
    await act(receipt, "Credit note");
    await page.selectOption("#scope", "release");
    await page.fill("#reason", "Billed to the wrong person");
    await submit();
    expect(await notice()).toContain("The credit note is issued.");
    expect(await sums()).toContain("Nothing is due");
    expect(await page.getByRole("link", { name: "Credit note", exact: true }).count()).toBe(0);
    expect((await unbilledTotals(visited.site.db, { userName: receipt.userName })).jobs).toBe(1n);
  });
});

describe("what is owed back", () => {
  it("is paid back by hand, with the reference under which finance finds it", async () => {
    const receipt = await owedBack();
    await act(receipt, "Pay back");
    expect(await main()).toContain(`${fmt.money(receipt.totalMinor)} is owed back`);
    await page.fill("#text", "KTB OUT 17");
    await submit();
    expect(await notice()).toContain("The refund is recorded.");
    expect(await sums()).toContain("Nothing is due");
    expect(await page.getByRole("table", { name: "Refunds" }).innerText()).toContain("KTB OUT 17");
    expect(await page.getByRole("link", { name: "Pay back", exact: true }).count()).toBe(0);
  });

  it("pays another receipt of the same person, as much as that asks for", async () => {
    const from = await owedBack();
    const to = await bill(from.userName);
    await act(from, "Use for another receipt");
    await page.fill("#number", to.number);
    await submit();
    expect(await notice()).toContain("The money was used for the other receipt.");
    await page.getByRole("link", { name: `Used for ${to.number}` }).click();
    expect(await state()).toBe("Paid");
    expect(await main()).toContain(`with what was owed back on ${from.number}`);
  });
});

describe("what was typed wrong", () => {
  const wrongs = [
    ["paid", "reference", "A reference takes 1 to 200 characters.", { reference: "  ", amount: "12.50" }],
    ["paid", "amount", "Takes an amount above zero", { reference: "KTB 1", amount: "12.505" }],
    ["paid", "amount", "Takes an amount above zero", { reference: "KTB 1", amount: "a hundred" }],
    ["void", "reason", "A reason takes 1 to 500 characters.", { reason: "   " }],
    ["credit", "reason", "A reason takes 1 to 500 characters.", { reason: "  ", line_1: "3.00" }],
    ["credit", "line_2", "Takes an amount above zero", { reason: "slow", line_1: "3.00", line_2: "-1" }],
  ] as const;

  it.each(wrongs)(
    "about %s stands next to %s, and nothing has to be typed twice",
    async (action, field, said, typed) => {
      const receipt = await bill();
      await open(receipt, `/${action}`);
      if (action === "credit") await page.selectOption("#scope", "lines");
      for (const [name, value] of Object.entries(typed)) await page.fill(`#${name}`, value);
      await submit();
      expect(await errorOf(field)).toContain(said);
      for (const [name, value] of Object.entries(typed)) expect(await page.inputValue(`#${name}`)).toBe(value);
      if (action === "credit") expect(await page.inputValue("#scope")).toBe("lines");
      await expectNoBarriers(page, `${action} ${field}`);
      expect(await receiptNow(visited.site, receipt.id)).toMatchObject({ status: "pending", receivedMinor: 0n });
    },
  );

  it("about paying back and moving stands next to its field", async () => {
    const receipt = await owedBack();
    await open(receipt, "/refund");
    await page.fill("#text", "  ");
    await page.fill("#amount", "1.00");
    await submit();
    expect(await errorOf("text")).toContain("A reference takes 1 to 200 characters.");
    expect(await page.inputValue("#amount")).toBe("1.00");
    await page.fill("#text", "KTB OUT 18");
    await page.fill("#amount", "0");
    await submit();
    expect(await errorOf("amount")).toContain("Takes an amount above zero");
    expect(await page.inputValue("#text")).toBe("KTB OUT 18");
    for (const number of ["R-2026-999999", receipt.number, "nonsense"]) {
      await open(receipt, "/move");
      await page.fill("#number", number);
      await submit();
      expect(await errorOf("number")).toContain("There is no other receipt with this number.");
      expect(await page.inputValue("#number")).toBe(number);
    }
    await expectNoBarriers(page, "move");
  });

  it("more than a line has is refused with what is left, and kept", async () => {
    const receipt = await bill();
    await open(receipt, "/credit");
    await page.selectOption("#scope", "lines");
    await page.fill("#line_1", "99,999.00");
    await page.fill("#reason", "slow");
    await submit();
    expect(await page.locator(".notice-error").innerText()).not.toBe("");
    expect(await page.inputValue("#line_1")).toBe("99,999.00");
    expect(await page.inputValue("#reason")).toBe("slow");
    expect(await receiptNow(visited.site, receipt.id)).toMatchObject({ creditedMinor: 0n });
  });
});

it("works by keyboard and without script", async () => {
  const receipt = await bill();
  const { context, page: plain } = await visited.visit(undefined, { javaScriptEnabled: false });
  await plain.goto(`${visited.origin}/admin/receipts/${receipt.id}`);
  await plain.getByRole("link", { name: "Mark as paid", exact: true }).focus();
  await plain.keyboard.press("Enter");
  await plain.waitForURL(/\/paid$/u);
  await plain.fill("#reference", "KTB 4715");
  await plain.keyboard.press("Enter");
  await plain.waitForURL(/notice=paid/u);
  expect(await plain.locator("h1 .pill").innerText()).toBe("Paid");
  await context.close();
});

describe.each<Look>([
  { lang: "en", theme: "light", width: 1_240 },
  { lang: "th", theme: "light", width: 1_240 },
  { lang: "en", theme: "light", width: 390 },
  { lang: "th", theme: "dark", width: 390 },
])("in $lang, $theme, $width px wide", (look) => {
  it("has no barriers, no sideways scroll, no complaints and one thing to do", async () => {
    const { context, page: tab, complaints } = await visited.visit(look);
    const part = await bill();
    await markPaid(visited.site, part.id, "KTB 4711", BY, 10_000n);
    await issueCreditNote(
      visited.site,
      part.id,
      { scope: "lines", amounts: new Map([[1, 500n]]) },
      "Node was slow",
      BY,
    );
    const paid = await bill();
    await markPaid(visited.site, paid.id, "KTB 4716", BY);
    const owed = await owedBack();
    const fresh = await bill();
    const pages = {
      part: `/admin/receipts/${part.id}`,
      owed: `/admin/receipts/${owed.id}?notice=credit`,
      paid: `/admin/receipts/${part.id}/paid`,
      void: `/admin/receipts/${fresh.id}/void`,
      credit: `/admin/receipts/${paid.id}/credit`,
      refund: `/admin/receipts/${owed.id}/refund`,
      move: `/admin/receipts/${owed.id}/move`,
      revert: `/admin/receipts/${paid.id}/revert`,
    };
    for (const [name, path] of Object.entries(pages)) {
      const where = `money-${name}-${look.lang}-${look.theme}-${look.width}`;
      const answer = await tab.goto(`${visited.origin}${path}`);
      expect({ where, url: tab.url(), status: answer?.status() }).toEqual({
        where,
        url: `${visited.origin}${path}`,
        status: 200,
      });
      await picture(tab, where);
      await expectNoSidewaysScroll(tab, where);
      await expectOnePrimaryAtMost(tab, where);
      await expectNoBarriers(tab, where);
    }
    expect(complaints).toEqual([]);
    await context.close();
  }, 90_000);
});

/** Bank statements and what providers sent, as an admin works through them in a real browser. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { issueCreditNote } from "../../src/billing/credit-notes.ts";
import type { Receipt } from "../../src/billing/queries.ts";
import { markPaid } from "../../src/billing/settle.ts";
import { importStatement } from "../../src/payments/bank-import.ts";
import { openBankLines } from "../../src/payments/bank-queries.ts";
import { startCheckout } from "../../src/payments/checkout.ts";
import { deadLetters } from "../../src/payments/dead-letters.ts";
import { workOnDeliveries } from "../../src/payments/deliveries.ts";
import { signDummyBody } from "../../src/payments/dummy.ts";
import { receiveWebhook } from "../../src/payments/webhook.ts";
import { formatter } from "../../src/web/format.ts";
import { WEBHOOK_SECRET } from "../support/context.ts";
import { callOf, PaperProvider } from "../support/paper-provider.ts";
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
const bill = (): Promise<Receipt> => billSomebody(visited.site, `payer${++users}`);

const baht = (minor: bigint): string => `${minor / 100n}.${String(minor % 100n).padStart(2, "0")}`;

let statements = 0;
/** A bank's CSV of its own day; each row is what the bank says, who paid and how much. */
function statement(rows: readonly (readonly [text: string, payer: string, minor: bigint])[]): Buffer {
  const day = `2026-11-${String(++statements).padStart(2, "0")}`;
  const lines = rows.map(([text, payer, minor]) =>
    minor < 0n ? `${day},"${text}",${payer},${baht(-minor)},` : `${day},"${text}",${payer},,${baht(minor)}`,
  );
  return Buffer.from(["Date,Description,Payer,Withdrawal,Deposit", ...lines].join("\n"));
}

const section = (): Promise<unknown> => page.goto(`${visited.origin}/admin?section=payments`);
async function upload(buffer: Buffer, name: string): Promise<void> {
  await section();
  await page.setInputFiles("#file", { name, mimeType: "text/csv", buffer });
  await page.getByRole("button", { name: "Take it in" }).click();
}
const lines = () => page.getByRole("table", { name: "Transfers that wait to be matched" });
const lineOf = (text: string) => lines().locator("tbody tr").filter({ hasText: text });
const notice = () => page.locator(".notice-good").innerText();
const main = () => page.locator("main").innerText();

/** Something signed that cannot be read: a dead letter. */
async function sendNonsense(body = '{"event_type":"payment.succeeded"}'): Promise<bigint> {
  const signature = signDummyBody(WEBHOOK_SECRET, body);
  await receiveWebhook(visited.site.payments, visited.site.payments.provider, {
    rawBody: Buffer.from(body),
    header: (name) => (name.toLowerCase() === "x-dummy-signature" ? signature : undefined),
    requestId: "a request",
  });
  const [newest] = await deadLetters(visited.site.db, 1);
  if (newest === undefined) throw new Error("there is no dead letter");
  return newest.id;
}

describe("a bank statement", () => {
  it("settles what is exact, and each other line is matched or set aside by hand", async () => {
    const [exact, under] = [await bill(), await bill()];
    await upload(
      statement([
        [`TRF ${exact.number.replaceAll("-", "")}`, "SOMCHAI J", exact.totalMinor],
        [`PAY ${under.number}`, "MALEE K", under.totalMinor - 10_000n],
        ["RENT NOVEMBER", "CAFE IN THE LOBBY", 500_000n],
        ["CLOUD PROVIDER", "", -12_000n],
      ]),
      "november.csv",
    );
    expect(await notice()).toContain(
      "The statement is taken in: one transfer settled a receipt, 2 wait to be matched.",
    );
    expect(await receiptNow(visited.site, exact.id)).toMatchObject({ status: "paid", paidMethod: "transfer" });
    expect(await lineOf("MALEE K").innerText()).toContain(`${under.number} asks for another amount`);

    await lineOf("MALEE K").getByRole("link", { name: "Decide" }).click();
    expect(await page.locator("h1").innerText()).toBe("What is this transfer for?");
    await page.fill("#number", under.number);
    await page.getByRole("button", { name: `Count ${fmt.money(under.totalMinor - 10_000n)} as paid` }).click();
    expect(await notice()).toContain("The transfer is in the books of the receipt.");
    expect(await receiptNow(visited.site, under.id)).toMatchObject({ status: "pending", dueMinor: 10_000n });

    await lineOf("CAFE").getByRole("link", { name: "Decide" }).click();
    await page.fill("#reason", "Rent of the café");
    await page.getByRole("button", { name: "Set aside" }).click();
    expect(await notice()).toContain("It was set aside.");
    expect(await lines().count()).toBe(0);

    await page.getByRole("link", { name: "november.csv" }).click();
    const table = await page.getByRole("table", { name: "Lines" }).innerText();
    for (const word of ["Matched", "Set aside", "Paid out"]) expect(table).toContain(word);
    expect(table).toContain("−฿120.00");
  });

  it("that was taken in before is refused, and says when", async () => {
    const file = statement([["SALARY", "NOBODY", 100n]]);
    await upload(file, "twice.csv");
    await upload(file, "twice.csv");
    expect(await page.locator(".notice-error").innerText()).toContain("taken in already");
  });

  it("proposes the receipt that waits for exactly this amount", async () => {
    const receipt = await bill();
    await markPaid(visited.site, receipt.id, "KTB 1", BY, 12_345n);
    const { dueMinor } = await receiptNow(visited.site, receipt.id);
    await upload(statement([["THANK YOU", "NO NUMBER GIVEN", dueMinor]]), "nameless.csv");
    await lineOf("NO NUMBER GIVEN").getByRole("link", { name: "Decide" }).click();
    expect(await main()).toContain(`For exactly this amount wait: ${receipt.number}`);
    expect(await page.inputValue("#number")).toBe(receipt.number);
    await page.getByRole("button", { name: /^Count/u }).click();
    expect(await receiptNow(visited.site, receipt.id)).toMatchObject({ status: "paid", dueMinor: 0n });
  });

  it("is matched again when somebody asks, once its receipt asks for that amount", async () => {
    const receipt = await bill();
    await upload(statement([[`PAY ${receipt.number}`, "EARLY BIRD", receipt.totalMinor - 1_070n]]), "early.csv");
    await issueCreditNote(
      visited.site,
      receipt.id,
      { scope: "lines", amounts: new Map([[1, 1_000n]]) },
      "Node was slow",
      BY,
    );
    await page.getByRole("button", { name: "Try to match again" }).click();
    expect(await notice()).toContain("One transfer could be matched now.");
    expect(await receiptNow(visited.site, receipt.id)).toMatchObject({ status: "paid", dueMinor: 0n });
  });

  it("says next to the field what is wrong, and keeps what was typed", async () => {
    await upload(statement([["HELLO", "A STRANGER", 4_711n]]), "stranger.csv");
    await lineOf("A STRANGER").getByRole("link", { name: "Decide" }).click();
    await page.fill("#number", "R-2026-999999");
    await page.getByRole("button", { name: /^Count/u }).click();
    expect(await page.locator("#number-error").innerText()).toContain("There is no receipt with this number.");
    expect(await page.inputValue("#number")).toBe("R-2026-999999");
    await expectNoBarriers(page, "no such receipt");
    await page.fill("#reason", "   ");
    await page.getByRole("button", { name: "Set aside" }).click();
    expect(await page.locator("#reason-error").innerText()).toContain("A reason takes 1 to 500 characters.");
    await expectNoBarriers(page, "no reason");
  });

  it.each([
    ["a PDF", "statement.pdf", Buffer.from("%PDF-1.7\n%âãÏÓ\n"), "The file is a PDF."],
    ["an empty file", "empty.csv", Buffer.alloc(0), "Choose a file."],
    ["blank lines", "blank.csv", Buffer.from("\n\n \n"), "The file is empty."],
    ["a picture", "photo.png", Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), "The file "],
    ["another table", "people.csv", Buffer.from("Name,Age\nAnn,40\n"), ""],
  ])("refuses %s in words, and takes nothing in", async (_what, name, bytes, said) => {
    await upload(bytes, name);
    const problem = await page.locator(".notice-error").innerText();
    expect(problem).toContain(said);
    expect(problem.length).toBeLessThan(400);
    expect(await page.getByRole("link", { name }).count()).toBe(0);
    await picture(page, `payments-refused-${name}`);
  });
});

describe("what a provider sent and could not be settled", () => {
  it("is looked at, tried again, and set aside", async () => {
    const id = await sendNonsense();
    await section();
    const row = page.getByRole("table", { name: "Events that could not be settled" }).locator("tbody tr").first();
    await row.getByRole("link", { name: "Look" }).click();
    expect(await page.locator("h1").innerText()).toContain(`Event ${id} of dummy`);
    expect(await main()).toContain('{"event_type":"payment.succeeded"}');
    await page.getByRole("button", { name: "Try again" }).click();
    expect(await notice()).toContain("It is tried again in a moment.");
    await workOnDeliveries(visited.site.payments);

    // The same came of it: that is not written down a second time.
    await page.goto(`${visited.origin}/admin/payment-events/${id}`);
    expect(await page.locator("h1 .pill").innerText()).toBe("Needs somebody");
    expect(await page.getByRole("table", { name: "What was made of it" }).locator("tbody tr").count()).toBe(1);
    await page.fill("#reason", "   ");
    await page.getByRole("button", { name: "Set aside" }).click();
    expect(await page.locator("#reason-error").innerText()).toContain("A reason takes 1 to 500 characters.");
    await expectNoBarriers(page, "event without a reason");
    await page.fill("#reason", "A test of theirs");
    await page.getByRole("button", { name: "Set aside" }).click();
    expect(await notice()).toContain("It was set aside.");
    await page.goto(`${visited.origin}/admin/payment-events/${id}`);
    expect(await page.locator("h1 .pill").innerText()).toBe("Set aside");
  });

  it("settles its receipt when it is tried again after its provider was enabled", async () => {
    const { site } = visited;
    const receipt = await bill();
    const paper = new PaperProvider("paper");
    const enabled = { ...site.payments, providers: new Map([...site.payments.providers, [paper.name, paper]]) };
    paper.confirmsByFetching = true;
    await startCheckout(enabled, receipt.id, { actor: receipt.userName }, { provider: paper.name, lang: "en" });
    for (const id of paper.payments.keys()) paper.end(id, "succeeded");
    for (const body of paper.outbox) await receiveWebhook(enabled, paper, callOf(body));
    await workOnDeliveries(site.payments);
    await section();
    const row = page.getByRole("row", { name: "paper is not enabled any more" });
    await row.getByRole("link", { name: "Look" }).click();
    await page.getByRole("button", { name: "Try again" }).click();
    await workOnDeliveries(enabled);
    expect(await receiptNow(site, receipt.id)).toMatchObject({ status: "paid", paidMethod: "paper" });
    await section();
    expect(await main()).not.toContain("paper is not enabled");
  });
});

describe.each<Look>([
  { lang: "en", theme: "light", width: 1_240 },
  { lang: "th", theme: "light", width: 1_240 },
  { lang: "en", theme: "dark", width: 390 },
  { lang: "th", theme: "light", width: 390 },
])("in $lang, $theme, $width px wide", (look) => {
  it("has no barriers, no sideways scroll, no complaints and one thing to do", async () => {
    const { site, origin } = visited;
    const { context, page: tab, complaints } = await visited.visit(look);
    const [under, owed] = [await bill(), await bill()];
    await markPaid(site, owed.id, "KTB 0001", BY, owed.totalMinor + 5_000n);
    const taken = await importStatement(
      site.payments,
      {
        name: "SCB-statement-of-november-2026.csv",
        bytes: Buffer.concat([
          statement([
            [`กสิกรไทย (KBANK) /X685027 ${under.number}`, "นาย สมชาย ใจดี", under.totalMinor - 10_000n],
            ["PromptPay x1234 MISS A", "", 50_000n],
          ]),
          Buffer.from("\nsomeday,broken,,,1.00"),
        ]),
      },
      BY,
    );
    const dead = await sendNonsense();
    const [line] = await openBankLines(site.db, 1);
    const pages = {
      section: "/admin?section=payments&notice=import&matched=1&open=2",
      statement: `/admin/statements/${taken.id}`,
      line: `/admin/bank-lines/${line?.id}`,
      event: `/admin/payment-events/${dead}`,
    };
    for (const [name, path] of Object.entries(pages)) {
      const where = `payments-${name}-${look.lang}-${look.theme}-${look.width}`;
      const answer = await tab.goto(`${origin}${path}`);
      expect({ where, status: answer?.status() }).toEqual({ where, status: 200 });
      await picture(tab, where);
      await expectNoSidewaysScroll(tab, where);
      await expectOnePrimaryAtMost(tab, where);
      await expectNoBarriers(tab, where);
    }
    expect(complaints).toEqual([]);
    await context.close();
  }, 90_000);
});

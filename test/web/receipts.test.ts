import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findReceipt, receiptItems, receiptLines, type Receipt } from "../../src/billing/queries.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { markPaid, voidReceipt } from "../../src/billing/settle.ts";
import { formatter } from "../../src/web/format.ts";
import { aJob } from "../support/context.ts";
import { importResearcher } from "./me-data.ts";
import { startMeSite, textOf, type MeSite } from "./me-site.ts";
import type { Browser } from "./server-harness.ts";

const fmt = formatter({ lang: "en", timeZone: "Asia/Bangkok", currency: "THB" });

let site: MeSite;
let alice: Browser;
let bob: Browser;
let september: Receipt;
let october: Receipt;
beforeAll(async () => {
  site = await startMeSite();
  await importResearcher(site);
  september = await issue("2026-09-30");
  october = await issue("2026-10-31");
  alice = await site.browserOf("alice");
  bob = await site.browserOf("bob");
});
afterAll(() => site.close());

async function issue(cutoffDay: string, userName = "alice"): Promise<Receipt> {
  const issued = await issueReceipt(site, { userName, cutoffDay }, { actor: userName });
  const receipt = issued === undefined ? undefined : await findReceipt(site.db, issued.id);
  if (receipt === undefined) throw new Error("no receipt was issued");
  return receipt;
}

describe("a receipt", () => {
  it("shows lines that add up to its subtotal, the tax and the total", async () => {
    const page = textOf((await alice.get(`/me/receipts/${october.id}`)).body);
    const lines = await receiptLines(site.db, october.id);
    expect(lines.reduce((sum, line) => sum + line.amountMinor, 0n)).toBe(october.subtotalMinor);
    for (const line of lines) expect(page).toContain(`${fmt.rate(line.rateMicro)} ${fmt.money(line.amountMinor)}`);
    expect(page).toContain(`Subtotal ${fmt.money(october.subtotalMinor)}`);
    expect(page).toContain(`VAT 7 % ${fmt.money(october.taxMinor)}`);
    expect(page).toContain(`Total ${fmt.money(october.totalMinor)}`);
    expect(page).toContain("Each job's line is rounded once and then added up");
  });

  it("lists its jobs page by page, each with its amount, and says why one is free", async () => {
    const items = await receiptItems(site.db, september.id, { limit: 1_000 });
    expect(items.length).toBeGreaterThan(100);
    const first = (await alice.get(`/me/receipts/${september.id}`)).body;
    const next = (/href="(\/me\/receipts\/\d+\?after=[^"#]+)#jobs"/u.exec(first)?.[1] ?? "").replaceAll("&amp;", "&");
    const second = (await alice.get(next)).body;
    const last = items.at(-1);
    expect(first).not.toContain(`>${last?.jobId}<`);
    expect(second).toContain(`>${last?.jobId}<`);
    expect(second).toContain('<details class="disclosure" open');
    expect(textOf((await alice.get(`/me/receipts/${october.id}`)).body)).toContain("Free: the node failed");
  });

  it("offers its owner to pay, with the amount", async () => {
    const page = (await alice.get(`/me/receipts/${october.id}`)).body;
    expect(page).toContain(`href="/payments/receipt/${october.id}/start"`);
    expect(textOf(page)).toContain(`Pay ${fmt.money(october.totalMinor)}`);
  });

  it("is not there for anybody else, and an admin sees it without a way to pay it", async () => {
    for (const id of [String(october.id), "999999", "x", "1.pdf", "99999999999999999999"]) {
      expect({ id, status: (await bob.get(`/me/receipts/${id}`)).statusCode }).toEqual({ id, status: 404 });
    }
    const page = (await (await site.browserOf("root")).get(`/me/receipts/${october.id}`)).body;
    expect(page).toContain(october.number);
    expect(page).not.toContain(`/payments/receipt/${october.id}/start`);
  });
});

describe("the list of receipts", () => {
  it("says what is open and what was paid, one's own only", async () => {
    const open = textOf((await alice.get("/me/receipts")).body);
    expect(open).toContain(
      `Waiting for payment ฿ ${fmt.money(september.totalMinor + october.totalMinor).slice(1)} 2 receipts`,
    );
    await markPaid(site, september.id, "transfer 4711", { actor: "root" });
    const page = (await alice.get("/me/receipts")).body;
    expect(textOf(page)).toContain(`Pay ${fmt.money(october.totalMinor)}`);
    expect(textOf((await alice.get(`/me/receipts/${september.id}`)).body)).toContain(
      "recorded by the centre: transfer 4711",
    );
    expect(textOf((await alice.get("/me/receipts?status=paid")).body)).not.toContain(october.number);
    expect(textOf((await bob.get("/me/receipts")).body)).toContain("No receipts yet");
  });

  it("is the same by the view of what was billed", async () => {
    const page = textOf((await alice.get("/me?view=billed")).body);
    expect(page).toContain(`Billed in these days ฿ ${fmt.money(september.totalMinor + october.totalMinor).slice(1)}`);
    expect(textOf((await alice.get("/me?view=billed&start=2026-09-01&before=2026-09-30")).body)).toContain(
      "No receipt was issued in these days",
    );
  });

  it("pages by key", async () => {
    for (let index = 0; index < 52; index++) {
      await site.importJobs([aJob({ user: "bob", rawJobId: `b${index}` })]);
      await issue("2026-10-31", "bob");
    }
    const first = (await bob.get("/me/receipts")).body;
    const older = (/href="(\/me\/receipts\?before=\d+)"/u.exec(first)?.[1] ?? "").replaceAll("&amp;", "&");
    const second = (await bob.get(older)).body;
    const numbers = (html: string): number => new Set(html.match(/R-2026-\d{6}/gu)).size;
    expect([numbers(first), numbers(second)]).toEqual([50, 2]);
  });
});

describe("a receipt that was taken back", () => {
  it("says so, why, and has nothing to pay", async () => {
    await voidReceipt(site, october.id, "wrong project", { actor: "root" });
    const page = (await alice.get(`/me/receipts/${october.id}`)).body;
    expect(textOf(page)).toContain("This receipt is void.");
    expect(textOf(page)).toContain("wrong project");
    expect(page).not.toContain("/start");
    expect((await alice.get(`/payments/receipt/${october.id}/start`)).headers.location).toBe(
      `/payments/thanks?rid=${october.id}`,
    );
    expect(textOf((await alice.get(`/payments/thanks?rid=${october.id}`)).body)).toContain("This receipt is void");
  });
});

/** The PromptPay code on a receipt, read from the screen as a bank's app reads it, and the receipt as a file. */
import { decodeQR } from "qr/decode.js";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { parse } from "promptparse";
import { issueReceipt } from "../../src/billing/issue.ts";
import { findReceipt, type Receipt } from "../../src/billing/queries.ts";
import { markPaid } from "../../src/billing/settle.ts";
import { formatter } from "../../src/web/format.ts";
import { pageTexts, squeezed } from "../documents/pdf/read-pdf.ts";
import { aJob, at } from "../support/context.ts";
import type { MeSite } from "../web/me-site.ts";
import { expectNoBarriers, expectNoSidewaysScroll, openSite, picture, type VisitedSite } from "./me-visit.ts";

const MOBILE = "0812345678";
const fmt = formatter({ lang: "en", timeZone: "Asia/Bangkok", currency: "THB" });
const BY = { actor: "root" };

let site: VisitedSite;
let server: MeSite;
let page: Page;
let receipt: Receipt;

beforeAll(async () => {
  site = await openSite(
    async (opened) => {
      server = opened;
    },
    { env: { PAYMENT_PROVIDER: "dummy,promptpay", PROMPTPAY_ID: MOBILE, PROMPTPAY_NAME: "HPC Centre of MU" } },
  );
}, 120_000);
afterAll(() => site.close());

beforeEach(async ({ onTestFinished }) => {
  const endAt = at("2026-10-30T03:00:00Z");
  await server.importJobs([aJob({ allocGpus: 2, startAt: endAt - 3_600, endAt })]);
  const issued = await issueReceipt(server, { userName: "alice", cutoffDay: "2026-10-31" }, { actor: "alice" });
  if (issued === undefined) throw new Error("nothing was billed");
  receipt = await current(issued.id);
  const visit = await site.visit();
  ({ page } = visit);
  onTestFinished(() => visit.context.close());
});

async function current(id: bigint): Promise<Receipt> {
  const found = await findReceipt(server.db, id);
  if (found === undefined) throw new Error(`there is no receipt ${id}`);
  return found;
}

const open = (tab = page) => tab.goto(`${site.origin}/me/receipts/${receipt.id}`);
const code = (tab = page) => tab.getByRole("img", { name: /^PromptPay QR/u });

/** What a camera sees, from what is painted: each place of the picture is asked for its colour, four to a module. */
async function scanned(drawn: Locator): Promise<string> {
  const { size, dark } = await drawn.evaluate((svg) => {
    if (!(svg instanceof SVGSVGElement)) throw new Error("no drawing");
    const path = svg.querySelector("path");
    if (path === null) throw new Error("nothing is drawn");
    const side = svg.viewBox.baseVal.width * 4;
    const isDark: boolean[] = [];
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) isDark.push(path.isPointInFill(new DOMPoint((x + 0.5) / 4, (y + 0.5) / 4)));
    return { size: side, dark: isDark };
  });
  const data = Uint8Array.from(dark.flatMap((isDark) => (isDark ? [0, 0, 0] : [255, 255, 255])));
  return decodeQR({ width: size, height: size, data });
}

it("carries who is paid, exactly what is due, and the reference under which it is found on the statement", async () => {
  await open();
  const reference = receipt.number.replaceAll("-", "");
  const paid = parse(await scanned(code()), true);
  expect(paid?.getTagValue("29", "01")).toBe(`0066${MOBILE.slice(1)}`);
  expect(paid?.getTagValue("54")).toBe(fmt.money(receipt.totalMinor).replaceAll(/[฿,]/gu, ""));
  expect(paid?.getTagValue("53")).toBe("764");
  expect(paid?.getTagValue("62", "05")).toBe(reference);
  const panel = await page.locator(".promptpay").innerText();
  for (const said of ["HPC Centre of MU", fmt.money(receipt.totalMinor), reference]) expect(panel).toContain(said);
});

it("asks for the rest once a part is paid, and is gone when nothing is due", async () => {
  await markPaid(server, receipt.id, "KTB 1", BY, 1_000n);
  await open();
  const rest = (await current(receipt.id)).dueMinor;
  expect(rest).toBe(receipt.totalMinor - 1_000n);
  const paid = parse(await scanned(code()), true);
  expect(paid?.getTagValue("54")).toBe(fmt.money(rest).replaceAll(/[฿,]/gu, ""));
  await markPaid(server, receipt.id, "KTB 2", BY);
  await open();
  expect(await code().count()).toBe(0);
});

it("is for the owner: an admin who looks at the receipt gets no code", async () => {
  const root = await server.browserOf("root");
  expect((await root.get(`/me/receipts/${receipt.id}`)).body).not.toContain("promptpay-code");
});

it.each([
  ["PDF", ".pdf", "Pay by PromptPay"],
  ["PDF in Thai", ".th.pdf", "ชำระด้วยพร้อมเพย์"],
])("the link “%s” opens the receipt as a file, with the same code", async (link, ending, title) => {
  await open();
  const href = await page.getByRole("link", { name: link, exact: true }).getAttribute("href");
  expect(href).toBe(`/me/receipts/${receipt.id}${ending}`);
  const answer = await page.request.get(`${site.origin}${href}`);
  expect(answer.status()).toBe(200);
  const [text = ""] = await pageTexts(await answer.body());
  for (const said of [title, fmt.money(receipt.totalMinor), receipt.number, receipt.number.replaceAll("-", "")])
    expect(squeezed(text)).toContain(squeezed(said));
});

it.each([
  [{ width: 1_240, height: 900 }, "en", "light"],
  [{ width: 1_240, height: 900 }, "th", "dark"],
  [{ width: 390, height: 844 }, "en", "dark"],
  [{ width: 390, height: 844 }, "th", "light"],
] as const)("has no barriers and no sideways scroll (%o, %s, %s)", async (viewport, lang, colorScheme) => {
  const { context, page: tab, complaints } = await site.visit({ viewport, colorScheme }, lang);
  const where = `promptpay-${viewport.width}-${lang}-${colorScheme}`;
  await open(tab);
  await picture(tab, where);
  await expectNoSidewaysScroll(tab, where);
  await expectNoBarriers(tab, where);
  const drawn = await tab.locator(".promptpay-code").boundingBox();
  expect(drawn?.width).toBeGreaterThanOrEqual(200);
  expect(complaints).toEqual([]);
  await context.close();
});

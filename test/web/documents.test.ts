/** Credit notes, and receipts and credit notes as files: who may, what they say, and that all say the same. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCreditNote, type IssuedCreditNote } from "../../src/billing/credit-notes.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { findReceipt, receiptLines, type Receipt } from "../../src/billing/queries.ts";
import { markPaid, voidReceipt } from "../../src/billing/settle.ts";
import { formatter } from "../../src/web/format.ts";
import { pageTexts, squeezed } from "../documents/pdf/read-pdf.ts";
import { aJob } from "../support/context.ts";
import { startMeSite, textOf, type MeSite } from "./me-site.ts";
import type { Browser } from "./server-harness.ts";

const fmt = formatter({ lang: "en", timeZone: "Asia/Bangkok", currency: "THB" });
const BY = { actor: "root" };

let site: MeSite;
let alice: Browser;
let bob: Browser;
let root: Browser;
let receipt: Receipt;
let note: IssuedCreditNote;

beforeAll(async () => {
  site = await startMeSite({
    env: { PAYMENT_PROVIDER: "dummy,promptpay", PROMPTPAY_ID: "0812345678", PROMPTPAY_NAME: "HPC Centre" },
  });
  alice = await site.browserOf("alice");
  bob = await site.browserOf("bob");
  root = await site.browserOf("root");
  receipt = await bill();
  note = await issueCreditNote(
    site,
    receipt.id,
    { scope: "lines", amounts: new Map([[1, 1_000n]]) },
    "the node was slow",
    BY,
  );
  receipt = await now(receipt.id);
});
afterAll(() => site.close());

async function bill(): Promise<Receipt> {
  await site.importJobs([aJob({ user: "alice", allocCpus: 333, allocGpus: 3, elapsedSeconds: 3_601 })]);
  const issued = await issueReceipt(site, { userName: "alice", cutoffDay: "2026-10-31" }, { actor: "alice" });
  if (issued === undefined) throw new Error("nothing was billed");
  return now(issued.id);
}
async function now(id: bigint): Promise<Receipt> {
  const found = await findReceipt(site.db, id);
  if (found === undefined) throw new Error(`there is no receipt ${id}`);
  return found;
}

/** All words of a PDF, without white space. */
async function wordsOf(path: string, browser = alice): Promise<string> {
  const answer = await browser.get(path);
  expect({ path, status: answer.statusCode }).toEqual({ path, status: 200 });
  return squeezed((await pageTexts(answer.rawPayload)).join(" "));
}

const files = () => [
  `/me/receipts/${receipt.id}.pdf`,
  `/me/receipts/${receipt.id}.th.pdf`,
  `/me/credit-notes/${note.id}`,
  `/me/credit-notes/${note.id}.pdf`,
  `/me/credit-notes/${note.id}.th.pdf`,
];

describe("credit notes and files", () => {
  it("are for the owner and for admins, and to anybody else as unknown as what never was", async () => {
    for (const path of files()) {
      const statuses = [await alice.get(path), await root.get(path), await bob.get(path)].map((one) => one.statusCode);
      expect({ path, statuses }).toEqual({ path, statuses: [200, 200, 404] });
    }
    for (const path of [
      "/me/receipts/999999.pdf",
      "/me/receipts/0.th.pdf",
      "/me/receipts/x.pdf",
      "/me/receipts/99999999999999999999.pdf",
      "/me/receipts/1.de.pdf",
      "/me/credit-notes/999999",
      "/me/credit-notes/x",
      "/me/credit-notes/999999.pdf",
      "/me/credit-notes/99999999999999999999.th.pdf",
    ])
      expect({ path, status: (await alice.get(path)).statusCode }).toEqual({ path, status: 404 });
    const mine = await bob.get(files()[3] ?? "", { headers: { accept: "application/json" } });
    const none = await bob.get("/me/credit-notes/999999.pdf", { headers: { accept: "application/json" } });
    expect(mine.json()).toEqual(none.json());
  });

  it("ask a stranger who they are", async () => {
    for (const url of files()) {
      const program = await site.app.inject({ method: "GET", url, headers: { accept: "application/json" } });
      expect({ url, status: program.statusCode }).toEqual({ url, status: 401 });
      const person = await site.app.inject({ method: "GET", url, headers: { accept: "text/html" } });
      expect([person.statusCode, person.headers.location]).toEqual([302, `/login?next=${encodeURIComponent(url)}`]);
    }
  });

  it("are PDFs that open in the browser under their number, and are kept by nobody on the way", async () => {
    for (const [path, name] of [
      [`/me/receipts/${receipt.id}.pdf`, `${receipt.number}.pdf`],
      [`/me/receipts/${receipt.id}.th.pdf`, `${receipt.number}.th.pdf`],
      [`/me/credit-notes/${note.id}.pdf`, `${note.number}.pdf`],
      [`/me/credit-notes/${note.id}.th.pdf`, `${note.number}.th.pdf`],
    ] as const) {
      const { headers, rawPayload } = await alice.get(path);
      expect(headers).toMatchObject({
        "content-type": "application/pdf",
        "content-disposition": `inline; filename="${name}"`,
        "cache-control": "private, no-store",
      });
      expect(rawPayload.subarray(0, 5).toString()).toBe("%PDF-");
    }
  });
});

describe("a receipt", () => {
  it("says the same amounts on its page and in its file, in both languages", async () => {
    const lines = await receiptLines(site.db, receipt.id);
    const amounts = [
      ...lines.map(({ amountMinor }) => amountMinor),
      receipt.subtotalMinor,
      receipt.taxMinor,
      receipt.totalMinor,
      -receipt.creditedMinor,
      receipt.dueMinor,
    ].map((minor) => fmt.money(minor));
    const page = textOf((await alice.get(`/me/receipts/${receipt.id}`)).body);
    const english = await wordsOf(`/me/receipts/${receipt.id}.pdf`);
    const thai = await wordsOf(`/me/receipts/${receipt.id}.th.pdf`);
    for (const amount of amounts) {
      expect(page).toContain(amount);
      expect(english).toContain(amount);
      expect(thai).toContain(amount);
    }
    for (const said of ["Receipt", "Billed to", "Subtotal", "Still to pay", "31 October 2026"])
      expect(english).toContain(squeezed(said));
    for (const said of ["ใบเสร็จ", "รวมก่อนภาษี", "ยังต้องชำระ", "31 ตุลาคม 2569"]) expect(thai).toContain(squeezed(said));
    for (const words of [english, thai]) expect(words).toContain(receipt.number);
  });

  it("is in another language by its address only, whatever the reader's own is", async () => {
    alice.cookies.set("lang", "th");
    expect(await wordsOf(`/me/receipts/${receipt.id}.pdf`)).toContain("Billedto");
    alice.cookies.delete("lang");
    expect(await wordsOf(`/me/receipts/${receipt.id}.th.pdf`)).not.toContain("Billedto");
  });

  it("says how to pay what is still due, until nothing is", async () => {
    const reference = receipt.number.replaceAll("-", "");
    const open = await wordsOf(`/me/receipts/${receipt.id}.pdf`);
    for (const said of ["Pay by PromptPay", "HPC Centre", reference, fmt.money(receipt.dueMinor)])
      expect(open).toContain(squeezed(said));
    const other = await bill();
    await markPaid(site, other.id, "KTB 1", BY);
    const paid = await wordsOf(`/me/receipts/${other.id}.pdf`);
    expect(paid).not.toContain(squeezed("Pay by PromptPay"));
    expect(paid).toContain("Paid");
  });

  it("that is void says so, and why", async () => {
    const other = await bill();
    await voidReceipt(site, other.id, "wrong project", BY);
    const words = await wordsOf(`/me/receipts/${other.id}.pdf`);
    expect(words).toContain("Void");
    expect(words).toContain(squeezed("wrong project"));
    expect(words).not.toContain(squeezed("Pay by PromptPay"));
  });
});

describe("a credit note", () => {
  it("says what it gives back, of which receipt and why, the same on its page and in its files", async () => {
    const path = `/me/credit-notes/${note.id}`;
    const page = textOf((await alice.get(path)).body);
    const english = await wordsOf(`${path}.pdf`);
    const thai = await wordsOf(`${path}.th.pdf`);
    for (const said of [note.number, receipt.number, "the node was slow", "−฿10.00", "−฿0.70", "−฿10.70"]) {
      expect(page).toContain(said);
      expect(english).toContain(squeezed(said));
      expect(thai).toContain(squeezed(said));
    }
    expect(english).toContain(squeezed("Total credited"));
    expect(thai).toContain(squeezed("รวมยอดที่ลด"));
    expect(note.totalMinor).toBe(1_070n);
  });

  it("is found from its receipt, and leads back to it", async () => {
    const path = `/me/credit-notes/${note.id}`;
    expect((await alice.get(`/me/receipts/${receipt.id}`)).body).toContain(`href="${path}"`);
    expect((await alice.get(path)).body).toContain(`href="/me/receipts/${receipt.id}"`);
  });

  it("that releases jobs says so on its page and in its file", async () => {
    const other = await bill();
    const full = await issueCreditNote(site, other.id, { scope: "full", releaseJobs: true }, "wrong account", BY);
    expect(textOf((await alice.get(`/me/credit-notes/${full.id}`)).body)).toContain("offered for billing again");
    expect(await wordsOf(`/me/credit-notes/${full.id}.pdf`)).toContain(squeezed("offered for billing again"));
  });
});

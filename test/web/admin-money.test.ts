/** A receipt's money and the console's payments, over HTTP: who may, what forms and programs are told, where they are sent. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LightMyRequestResponse } from "fastify";
import { auditRecordsBefore } from "../../src/audit/store.ts";
import { issueCreditNote } from "../../src/billing/credit-notes.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { findReceipt, type Receipt } from "../../src/billing/queries.ts";
import { markPaid } from "../../src/billing/settle.ts";
import { openBankLines } from "../../src/payments/bank-queries.ts";
import { deadLetters, findDelivery } from "../../src/payments/dead-letters.ts";
import { signDummyBody } from "../../src/payments/dummy.ts";
import { receiveWebhook } from "../../src/payments/webhook.ts";
import { formatter } from "../../src/web/format.ts";
import { pageTexts, squeezed } from "../documents/pdf/read-pdf.ts";
import { aJob, WEBHOOK_SECRET } from "../support/context.ts";
import { csvRows, startAdminSite, textOf, type AdminSite } from "./admin-site.ts";
import { VAT } from "./me-site.ts";

const fmt = formatter({ lang: "en", timeZone: "Asia/Bangkok", currency: "THB" });
const BY = { actor: "root" };
const JSON_ASKED = { headers: { accept: "application/json" } };

let site: AdminSite;
let token: string;

beforeAll(async () => {
  site = await startAdminSite({ tax: VAT });
  token = await site.root.browser.token("/admin");
});
afterAll(() => site.close());

let users = 0;
async function bill(user = `person${++users}`): Promise<Receipt> {
  await site.importJobs([aJob({ user, allocCpus: 100 })]);
  const issued = await issueReceipt(site, { userName: user, cutoffDay: "2026-10-31" }, BY);
  if (issued === undefined) throw new Error("nothing was billed");
  return now(issued.id);
}
async function now(id: bigint): Promise<Receipt> {
  const receipt = await findReceipt(site.db, id);
  if (receipt === undefined) throw new Error(`there is no receipt ${id}`);
  return receipt;
}
async function owedBack(user?: string): Promise<Receipt> {
  const { id } = await bill(user);
  await markPaid(site, id, "KTB 1", BY);
  await issueCreditNote(site, id, { scope: "full", releaseJobs: false }, "billed in error", BY);
  return now(id);
}
const act = ({ id }: Receipt, action: string, form: Readonly<Record<string, string>>) =>
  site.root.post(`/admin/receipts/${id}/${action}`, form);
/** As a program sends the form. */
const asProgram = (url: string, form: Readonly<Record<string, string>>) =>
  site.root.browser.post(url, { ...form, csrf_token: token }, JSON_ASKED);
const seeOther = ({ statusCode, headers }: LightMyRequestResponse) => [statusCode, headers.location];
const follow = async (answer: LightMyRequestResponse): Promise<string> => {
  expect(answer.statusCode).toBe(303);
  return textOf(await site.root.get(String(answer.headers.location)));
};

/** A file as a browser's form sends it. */
function uploaded(bytes: Buffer, { accept = "text/html", csrf = token, name = "statement.csv" } = {}) {
  const boundary = "----a-browser-chose-this";
  const payload = Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n${csrf}\r\n`),
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n`),
    Buffer.from("Content-Type: application/octet-stream\r\n\r\n"),
    bytes,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const cookie = [...site.root.browser.cookies].map(([key, value]) => `${key}=${value}`).join("; ");
  return site.app.inject({
    method: "POST",
    url: "/admin/statements",
    headers: { "content-type": `multipart/form-data; boundary=${boundary}`, accept, cookie },
    payload,
  });
}
const csv = (...rows: readonly string[]): Buffer =>
  Buffer.from(["Date,Description,Withdrawal,Deposit", ...rows].join("\n"));
const baht = (minor: bigint): string => fmt.money(minor).replaceAll(/[฿,]/gu, "");

async function deadLetter(): Promise<bigint> {
  const body = '{"event_type":"<script>alert(1)</script>"}';
  const signature = signDummyBody(WEBHOOK_SECRET, body);
  await receiveWebhook(site.payments, site.payments.provider, {
    rawBody: Buffer.from(body),
    header: (name) => (name.toLowerCase() === "x-dummy-signature" ? signature : undefined),
    requestId: "a request",
  });
  const [newest] = await deadLetters(site.db, 1);
  if (newest === undefined) throw new Error("there is no dead letter");
  return newest.id;
}

describe("what an admin does about a receipt's money", () => {
  it("leads back to the receipt, which says what was done", async () => {
    const receipt = await bill();
    const part = await act(receipt, "paid", { reference: "KTB 1", amount: "1.00" });
    expect(seeOther(part)).toEqual([303, `/admin/receipts/${receipt.id}?notice=paid`]);
    expect(await follow(part)).toContain("The receipt still waits for the rest.");
    expect(await follow(await act(receipt, "paid", { reference: "KTB 2" }))).toContain("The receipt is paid.");
    expect(await follow(await act(receipt, "revert", { reason: "wrong receipt" }))).toContain("was taken back.");
    expect(await follow(await act(receipt, "credit", { scope: "lines", line_1: "1.00", reason: "slow" }))).toContain(
      "The credit note is issued.",
    );
    const owed = await owedBack();
    expect(await follow(await act(owed, "refund", { amount: "1.00", text: "OUT 1" }))).toContain(
      "The refund is recorded.",
    );
    const other = await bill(owed.userName);
    expect(await follow(await act(owed, "move", { number: other.number }))).toContain(
      "The money was used for the other receipt.",
    );
  });

  it("takes amounts as people write them, and keeps the satang", async () => {
    for (const [written, minor] of [
      ["1,000.5", 100_050n],
      ["12", 1_200n],
      ["0.01", 1n],
    ] as const) {
      const receipt = await bill();
      await act(receipt, "paid", { reference: "KTB", amount: written });
      expect({ written, receivedMinor: (await now(receipt.id)).receivedMinor }).toEqual({
        written,
        receivedMinor: minor,
      });
    }
  });

  it("stands in the audit trail with who did it", async () => {
    const receipt = await bill();
    await act(receipt, "credit", { scope: "full", reason: "billed in error" });
    const [newest] = await auditRecordsBefore(site.db, { action: "credit_note.issued" }, null, 1);
    expect(newest).toMatchObject({ actor: "root", details: { receipt: receipt.number, reason: "billed in error" } });
  });

  it.each([
    ["paid", { reference: "x".repeat(201) }, "reference: takes 1 to 200 characters"],
    ["paid", { reference: "KTB", amount: "1.234" }, "amount: takes an amount above zero with at most 2 decimals"],
    ["paid", { reference: "KTB", amount: "-5" }, "amount: takes an amount above zero"],
    ["paid", { reference: "KTB", amount: "0" }, "amount: takes an amount above zero"],
    ["void", { reason: "" }, "reason: takes 1 to 500 characters"],
    ["credit", { reason: "slow", scope: "nonsense" }, "scope: takes full, release, lines or corrections"],
    ["credit", { reason: "slow", scope: "lines" }, "nothing to credit"],
    ["credit", { reason: "slow", scope: "lines", line_99: "1" }, "the receipt has no line 99"],
  ])("tells a program in JSON what is wrong about %s %o, and changes nothing", async (action, form, said) => {
    const receipt = await bill();
    const answer = await asProgram(`/admin/receipts/${receipt.id}/${action}`, form);
    expect([answer.statusCode, answer.json()]).toEqual([400, { error: expect.stringContaining(said), code: 400 }]);
    expect(await now(receipt.id)).toEqual(receipt);
  });

  it("answers what comes too late as a conflict, to people and to programs", async () => {
    const receipt = await bill();
    for (const action of ["revert", "refund", "move"]) {
      const form = { reason: "x", amount: "1", text: "x", number: (await bill(receipt.userName)).number };
      const path = `/admin/receipts/${receipt.id}/${action}`;
      expect({ action, status: (await asProgram(path, form)).statusCode }).toEqual({ action, status: 409 });
      expect({ action, status: (await site.root.post(path, form)).statusCode }).toEqual({ action, status: 409 });
      // What is not offered is not asked about either.
      expect((await site.root.get(path)).headers.location).toBe(`/admin/receipts/${receipt.id}`);
    }
    expect(await now(receipt.id)).toEqual(receipt);
  });

  it("counts a form that is sent twice at once only once", async () => {
    const receipt = await bill();
    const all = { reference: "KTB 9" };
    const answers = await Promise.all([act(receipt, "paid", all), act(receipt, "paid", all)]);
    expect(answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([303, 409]);
    expect((await now(receipt.id)).receivedMinor).toBe(receipt.totalMinor);
  });

  it("is not there for a receipt that is not", async () => {
    for (const action of ["paid", "void", "revert", "credit", "refund", "move"]) {
      const path = `/admin/receipts/999999/${action}`;
      expect((await site.root.get(path)).statusCode).toBe(404);
      expect((await asProgram(path, { reason: "x", reference: "x" })).statusCode).toBe(404);
    }
  });

  it("is the same on the page, in the PDF and in the CSV file of paid receipts", async () => {
    const { id } = await bill();
    await issueCreditNote(site, id, { scope: "lines", amounts: new Map([[1, 1_000n]]) }, "slow", BY);
    await markPaid(site, id, "KTB 77", BY, (await now(id)).dueMinor + 250n);
    const receipt = await now(id);
    const page = textOf(await site.root.get(`/admin/receipts/${id}`));
    const pdf = await site.root.get(`/me/receipts/${id}.pdf`);
    const text = squeezed((await pageTexts(pdf.rawPayload)).join(" "));
    const row = csvRows((await site.root.get("/admin/paid.csv")).body).find((one) => one["receipt"] === receipt.number);
    for (const [column, minor, shown] of [
      ["subtotal", receipt.subtotalMinor, receipt.subtotalMinor],
      ["tax", receipt.taxMinor, receipt.taxMinor],
      ["total", receipt.totalMinor, receipt.totalMinor],
      ["credited", receipt.creditedMinor, -receipt.creditedMinor],
      ["received", receipt.receivedMinor, -receipt.receivedMinor],
    ] as const) {
      expect({ column, csv: row?.[column] }).toEqual({ column, csv: baht(minor) });
      expect(page).toContain(fmt.money(shown));
      expect(text).toContain(fmt.money(shown));
    }
    expect(page).toContain("Owed back to the payer ฿2.50");
    expect(text).toContain(squeezed("Owed back to you ฿2.50"));
  });

  it("does not claim by an old address what is not so", async () => {
    const receipt = await bill();
    for (const notice of ["paid", "void"])
      expect((await site.root.get(`/admin/receipts/${receipt.id}?notice=${notice}`)).body).not.toContain("notice-good");
  });
});

describe("a bank statement", () => {
  it("is taken in, settles what is exact, and leads back to what waits", async () => {
    const receipt = await bill();
    const answer = await uploaded(
      csv(`2026-11-02,PAY ${receipt.number},,${baht(receipt.totalMinor)}`, "2026-11-02,RENT,,500.00"),
    );
    expect(seeOther(answer)).toEqual([303, "/admin?section=payments&notice=import&matched=1&open=1"]);
    const text = await follow(answer);
    expect(text).toContain("one transfer settled a receipt, one waits to be matched.");
    expect(text).toContain("RENT");
    expect((await now(receipt.id)).status).toBe("paid");
  });

  it("comes from our own form only", async () => {
    const file = csv("2026-11-03,X,,1.00");
    for (const csrf of ["", "forged"]) expect((await uploaded(file, { csrf })).statusCode).toBe(403);
  });

  it.each([
    ["a PDF", Buffer.from("%PDF-1.7"), "The file is a PDF."],
    ["an Excel workbook", Buffer.from("504b0304", "hex"), "The file is an Excel workbook"],
    ["nothing", Buffer.alloc(0), "Choose a file."],
    ["bytes that are no text", Buffer.from("89504e470d0a1a0a0000", "hex"), "The file"],
  ])("that is %s is refused on the page and in JSON, with what is accepted", async (_what, bytes, said) => {
    const page = await uploaded(bytes);
    expect(page.statusCode).toBe(400);
    expect(textOf(page)).toContain(said);
    const answer = await uploaded(bytes, { accept: "application/json" });
    expect([answer.statusCode, answer.json()]).toEqual([400, { error: expect.stringContaining(said), code: 400 }]);
  });

  it("that was taken in before is a conflict, and says since when", async () => {
    const file = csv("2026-11-04,AGAIN,,2.00");
    expect((await uploaded(file)).statusCode).toBe(303);
    const again = await uploaded(file, { accept: "application/json", name: "renamed.csv" });
    expect([again.statusCode, again.json()]).toEqual([
      409,
      { error: "this file was taken in already, on 2026-11-20 by root", code: 409 },
    ]);
  });

  it("that is too large is refused before it is read", async () => {
    expect((await uploaded(Buffer.alloc(9 * 1024 * 1024, "a"))).statusCode).toBe(413);
  });

  it("shows its lines, and the text of a line as text only", async () => {
    await uploaded(csv('2026-11-05,"<b>bold</b> move",,3.00'), { name: "<i>name</i>.csv" });
    const [line] = (await openBankLines(site.db, 50)).filter(({ text }) => text.includes("bold"));
    const page = await site.root.get(`/admin/statements/${line?.statementId}`);
    expect(page.statusCode).toBe(200);
    expect(page.body).not.toContain("<b>bold");
    expect(page.body).not.toContain("<i>name");
    expect((await site.root.get("/admin/statements/999999")).statusCode).toBe(404);
  });
});

describe("a line of a statement", () => {
  async function openLine(text: string, minor: bigint): Promise<bigint> {
    await uploaded(csv(`2026-11-06,${text},,${baht(minor)}`));
    const line = (await openBankLines(site.db, 100)).find((one) => one.text === text);
    if (line === undefined) throw new Error("no such line");
    return line.id;
  }

  it("is matched by hand, once", async () => {
    const receipt = await bill();
    const id = await openLine("NO NUMBER A", 5_000n);
    const wrong = await asProgram(`/admin/bank-lines/${id}/match`, { number: "R-2026-999999" });
    expect([wrong.statusCode, wrong.json()]).toEqual([
      400,
      { error: 'there is no receipt "R-2026-999999"', code: 400 },
    ]);
    const done = await site.root.post(`/admin/bank-lines/${id}/match`, { number: ` ${receipt.number} ` });
    expect(seeOther(done)).toEqual([303, "/admin?section=payments&notice=match"]);
    expect((await now(receipt.id)).receivedMinor).toBe(5_000n);
    const again = await site.root.post(`/admin/bank-lines/${id}/match`, { number: receipt.number });
    expect(again.statusCode).toBe(409);
    expect((await site.root.get(`/admin/bank-lines/${id}`)).statusCode).toBe(409);
    expect((await now(receipt.id)).receivedMinor).toBe(5_000n);
  });

  it("is set aside with a reason, once", async () => {
    const id = await openLine("NO NUMBER B", 5_000n);
    expect((await asProgram(`/admin/bank-lines/${id}/dismiss`, { reason: " " })).json()).toEqual({
      error: expect.stringContaining("a reason is needed"),
      code: 400,
    });
    const done = await site.root.post(`/admin/bank-lines/${id}/dismiss`, { reason: "rent" });
    expect(seeOther(done)).toEqual([303, "/admin?section=payments&notice=dismiss"]);
    expect((await site.root.post(`/admin/bank-lines/${id}/dismiss`, { reason: "rent" })).statusCode).toBe(409);
    const [newest] = await auditRecordsBefore(site.db, { action: "bank_line.dismissed" }, null, 1);
    expect(newest).toMatchObject({ actor: "root", details: { reason: "rent" } });
  });

  it("says in the reader's language why it waits", async () => {
    await openLine("NO NUMBER C", 5_000n);
    site.root.browser.cookies.set("lang", "th");
    const text = textOf(await site.root.get("/admin?section=payments"));
    site.root.browser.cookies.delete("lang");
    expect(text).toContain("ไม่ได้ระบุใบเสร็จ");
    expect(text).not.toContain("names no receipt");
  });

  it("that is matched again and fits nothing says so", async () => {
    const answer = await site.root.post("/admin/bank-lines/rematch");
    expect(seeOther(answer)).toEqual([303, "/admin?section=payments&notice=rematch&matched=0"]);
    expect(await follow(answer)).toContain("No transfer could be matched now.");
  });
});

describe("an event that could not be settled", () => {
  it("is shown as it was sent, and never as markup", async () => {
    const id = await deadLetter();
    const page = await site.root.get(`/admin/payment-events/${id}`);
    expect(page.body).not.toContain("<script>alert");
    expect(textOf(page)).toContain("<script>alert(1)</script>");
    expect((await site.root.get("/admin/payment-events/999999")).statusCode).toBe(404);
    expect((await site.root.get("/admin/payment-events/x")).statusCode).toBe(404);
  });

  it("is tried again, and set aside with a reason", async () => {
    const id = await deadLetter();
    const path = `/admin/payment-events/${id}`;
    expect(seeOther(await site.root.post(`${path}/replay`))).toEqual([303, "/admin?section=payments&notice=replay"]);
    expect((await findDelivery(site.db, id))?.status).toBe("waiting");
    expect((await site.root.post(`${path}/replay`)).statusCode).toBe(409);
    const other = await deadLetter();
    expect((await asProgram(`/admin/payment-events/${other}/dismiss`, { reason: "" })).statusCode).toBe(400);
    const page = await site.root.post(`/admin/payment-events/${other}/dismiss`, { reason: "x".repeat(501) });
    expect([page.statusCode, page.body.includes("A reason takes 1 to 500 characters.")]).toEqual([400, true]);
    expect(seeOther(await site.root.post(`/admin/payment-events/${other}/dismiss`, { reason: "a test" }))).toEqual([
      303,
      "/admin?section=payments&notice=dismiss",
    ]);
    expect((await findDelivery(site.db, other))?.status).toBe("dismissed");
  });
});

describe("the section of payments", () => {
  it("counts what needs somebody, and each number leads to its list", async () => {
    const page = await site.root.get("/admin?section=payments");
    for (const id of ["overpaid", "lines", "dead"]) {
      expect(page.body).toContain(`href="#${id}"`);
      expect(page.body).toContain(`id="${id}"`);
    }
  });

  it("is for admins: everybody else is refused, and a stranger is asked who they are", async () => {
    const alice = await site.browserOf("alice");
    const csrf_token = await alice.token("/me");
    const { id } = await bill("alice");
    for (const path of [
      "/admin?section=payments",
      "/admin/statements/1",
      "/admin/bank-lines/1",
      "/admin/payment-events/1",
    ])
      expect({ path, status: (await alice.get(path)).statusCode }).toEqual({ path, status: 403 });
    for (const action of ["paid", "void", "revert", "credit", "refund", "move"]) {
      const path = `/admin/receipts/${id}/${action}`;
      const form = { csrf_token, reference: "x", reason: "x", text: "x", amount: "1" };
      expect({ path, status: (await alice.post(path, form)).statusCode }).toEqual({ path, status: 403 });
      expect((await site.app.inject({ method: "POST", url: path, ...JSON_ASKED })).statusCode).toBe(401);
      // An admin's own session does not help a page of somebody else's.
      const forged = await site.root.browser.post(path, { ...form, csrf_token: "forged" }, JSON_ASKED);
      expect({ path, status: forged.statusCode }).toEqual({ path, status: 403 });
    }
    expect((await now(id)).status).toBe("pending");
  });
});

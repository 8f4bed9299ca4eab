import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditRecordsBefore } from "../../src/audit/store.ts";
import { billMonth } from "../../src/billing/month.ts";
import { listReceipts, receiptTotals, type Receipt } from "../../src/billing/queries.ts";
import { startCheckout } from "../../src/payments/checkout.ts";
import { receiveWebhook } from "../../src/payments/webhook.ts";
import { unbilledTotals } from "../../src/usage/queries/unbilled.ts";
import { aJob, at, WEBHOOK_SECRET } from "../support/context.ts";
import { csvRows, startAdminSite, textOf, type AdminSite } from "./admin-site.ts";

let site: AdminSite;

/** Ten core-hours of a job that ended on a day, at noon in Bangkok. */
function jobOn(day: string, overrides: Parameters<typeof aJob>[0] = {}) {
  const endAt = at(`${day}T05:00:00Z`);
  return aJob({ submitAt: endAt - 3_600, startAt: endAt - 3_600, endAt, allocCpus: 10, allocMemMib: 0, ...overrides });
}

beforeAll(async () => {
  site = await startAdminSite({ tax: { label: "VAT", rateMicro: 70_000n, inclusive: false } });
  await site.importJobs([
    jobOn("2026-09-20"),
    jobOn("2026-10-05"),
    jobOn("2026-10-31"),
    jobOn("2026-11-02"),
    jobOn("2026-10-10", { user: "bob", account: "gov-health" }),
    ...Array.from({ length: 20 }, (_, index) => jobOn("2026-10-12", { user: `user${index}`, account: "co-acme" })),
  ]);
});

afterAll(() => site.close());

const receipts = (filter: Parameters<typeof listReceipts>[1] = {}): Promise<Receipt[]> =>
  listReceipts(site.db, filter, { limit: 100 });
const newest = async (filter: Parameters<typeof auditRecordsBefore>[1]) =>
  (await auditRecordsBefore(site.db, filter, null, 1))[0];

async function receiptOf(userName: string): Promise<Receipt> {
  const [receipt] = await receipts({ userName });
  if (receipt === undefined) throw new Error(`${userName} has no receipt`);
  return receipt;
}

describe("billing a month", () => {
  it("is asked about with its people, jobs and amount", async () => {
    const text = textOf(await site.root.get("/admin/invoices/create_month?month=2026-10"));
    // Alice 3 × 12.50, bob 20.00, twenty people at 40.00.
    expect(text).toContain("22 people get a receipt each for the 24 jobs that ended up to 31 October 2026");
    expect(text).toContain("฿857.50 before VAT 7 %");
    expect(text).toContain("Bill 24 jobs of 22 people, ฿857.50");
    expect(text).toContain("Oldest of these jobs ended 20 September 2026");
    expect(textOf(await site.root.get("/admin/invoices/create_month?month=2026-11"))).toContain(
      "November 2026 is not over",
    );
    expect(textOf(await site.root.get("/admin/invoices/create_month?month=2026-10&user=alice"))).toContain(
      "Bill October 2026 for alice?",
    );
  });

  it("refuses months that are none, or still to come", async () => {
    for (const month of ["2026-13", "october", "2026-12", "9999-01", ""]) {
      expect({
        month,
        status: (await site.root.get(`/admin/invoices/create_month?month=${month}`)).statusCode,
      }).toEqual({ month, status: 400 });
      expect({ month, status: (await site.root.post("/admin/invoices/create_month", { month })).statusCode }).toEqual({
        month,
        status: 400,
      });
    }
    expect(await receipts()).toEqual([]);
  });

  it("bills nobody twice, however many runs there are at once", async () => {
    const runs = await Promise.all(
      Array.from({ length: 4 }, () => site.root.post("/admin/invoices/create_month", { month: "2026-10" })),
    );
    expect(runs.map(({ statusCode }) => statusCode)).toEqual([303, 303, 303, 303]);
    const counts = runs.map(({ headers }) =>
      Number(new URLSearchParams(String(headers.location).split("?")[1]).get("done")),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(22);
    const all = await receipts();
    expect(all.length).toBe(22);
    expect(new Set(all.map(({ userName }) => userName)).size).toBe(22);
    expect(all.reduce((sum, { jobs }) => sum + jobs, 0n)).toBe(24n);
    expect(await unbilledTotals(site.db)).toMatchObject({ jobs: 1n, users: 1 });
    expect(await newest({ action: "receipt.issued" })).toMatchObject({ actor: "root" });
  });

  it("does nothing when it is run again, and says so", async () => {
    const again = await site.root.post("/admin/invoices/create_month", { month: "2026-10" });
    expect(again.headers.location).toBe("/admin?section=billing&done=0&month=2026-10");
    expect(textOf(await site.root.get(String(again.headers.location)))).toContain("No receipt was created");
    expect((await receipts()).length).toBe(22);
    expect(textOf(await site.root.get("/admin/invoices/create_month?month=2026-10"))).toContain(
      "There is nothing to bill up to 31 October 2026",
    );
  });

  it("stops between two receipts when its time is up, and is completed by pressing again", async () => {
    const stopped = await billMonth(site, { month: "2026-11", signal: AbortSignal.abort() }, { actor: "test" });
    expect(stopped).toEqual([]);
    const text = textOf(await site.root.get("/admin/invoices/create_month?month=2026-11&done=5"));
    expect(text).toContain("5 receipts were created so far; one person is left.");
    expect(text).toContain("Bill one job of one person, ฿12.50");
  });

  it("bills one person up to a day, after asking", async () => {
    const text = textOf(await site.root.get("/admin/invoices/create_one?user=alice&before=2026-11-05"));
    expect(text).toContain("Bill alice up to 5 November 2026?");
    expect(text).toContain("Bill alice ฿12.50");
    const answer = await site.root.post("/admin/invoices/create_one", { user: "alice", before: "2026-11-05" });
    const receipt = await receiptOf("alice");
    expect([answer.statusCode, answer.headers.location]).toEqual([303, `/admin/receipts/${receipt.id}?notice=created`]);
    expect(receipt).toMatchObject({ jobs: 1n, cutoffDay: "2026-11-05", totalMinor: 1_338n, issuedBy: "root" });
    const again = await site.root.post("/admin/invoices/create_one", { user: "alice", before: "2026-11-05" });
    expect(textOf(await site.root.get(String(again.headers.location)))).toContain(
      "There is nothing to bill for alice up to 5 November 2026",
    );
    expect(
      (await site.root.post("/admin/invoices/create_one", { user: "alice", before: "2027-01-01" })).statusCode,
    ).toBe(400);
    expect(
      (await site.root.post("/admin/invoices/create_one", { user: "nobody", before: "2026-11-05" })).statusCode,
    ).toBe(404);
  });
});

describe("the list of receipts", () => {
  it("has totals that match its rows, by every filter", async () => {
    for (const [query, filter] of [
      ["", {}],
      ["&status=pending", { status: "pending" }],
      ["&user=alice", { userName: "alice" }],
      ["&status=void", { status: "void" }],
    ] as const) {
      const text = textOf(await site.root.get(`/admin?section=billing${query}`));
      const { count, totalMinor } = await receiptTotals(site.db, filter);
      const rows = [...text.matchAll(/R-2026-\d{6}/gu)];
      expect(rows.length).toBe(count);
      if (count > 0)
        expect(text).toContain(
          `Total of ${count} receipts ฿${(Number(totalMinor) / 100).toLocaleString("en-US", { minimumFractionDigits: 2 })}`,
        );
      else expect(text).toContain("No receipt fits this filter");
    }
  });

  it("tells what waits too long", async () => {
    site.clock.set("2026-12-25T05:00:00Z");
    // The session of November has ended by then.
    const late = await site.browserOf("root");
    const text = textOf(await late.get("/admin?section=billing&status=pending&age=30"));
    expect(text).toContain("23 receipts, 23 are older than 30 days");
    expect(text).toContain("35 days ago");
    site.clock.set("2026-11-20T05:00:00Z");
    expect(textOf(await site.root.get("/admin?section=billing&status=pending&age=30"))).toContain(
      "No receipt fits this filter",
    );
  });
});

describe("a receipt that is paid outside of the platform", () => {
  it("is marked as paid with a reference, after asking", async () => {
    const { id, number } = await receiptOf("bob");
    const asked = textOf(await site.root.get(`/admin/receipts/${id}/paid`));
    expect(asked).toContain(`Mark ${number} as paid?`);
    expect(asked).toContain("bob owes ฿21.40.");
    const without = await site.root.post(`/admin/receipts/${id}/paid`, { reference: "  " });
    expect(without.statusCode).toBe(400);
    expect(textOf(without)).toContain("A reference takes 1 to 200 characters.");
    expect((await receiptOf("bob")).status).toBe("pending");

    const paid = await site.root.post(`/admin/receipts/${id}/paid`, { reference: "KTB 4711" });
    expect([paid.statusCode, paid.headers.location]).toEqual([303, `/admin/receipts/${id}?notice=paid`]);
    expect(await receiptOf("bob")).toMatchObject({ status: "paid", paidMethod: "manual", paidReference: "KTB 4711" });
    expect(await newest({ subject: `receipt:${number}` })).toMatchObject({
      actor: "root",
      action: "receipt.paid",
      details: { reference: "KTB 4711", before: "pending", after: "paid" },
    });
    const page = textOf(await site.root.get(String(paid.headers.location)));
    expect(page).toContain("The receipt is paid.");
    expect(page).toContain("recorded by hand, reference KTB 4711");
  });

  it("is refused a second time, and cannot be voided any more", async () => {
    const { id } = await receiptOf("bob");
    expect((await site.root.post(`/admin/receipts/${id}/paid`, { reference: "again" })).statusCode).toBe(409);
    expect((await site.root.post(`/admin/receipts/${id}/void`, { reason: "oops" })).statusCode).toBe(409);
    expect((await site.root.get(`/admin/receipts/${id}/paid`)).headers.location).toBe(`/admin/receipts/${id}`);
    expect(await receiptOf("bob")).toMatchObject({ status: "paid", paidReference: "KTB 4711" });
  });

  it("stands in the file of paid receipts, by the day of payment", async () => {
    const all = csvRows((await site.root.get("/admin/paid.csv")).body);
    expect(all).toEqual([
      expect.objectContaining({
        user: "bob",
        total: "21.40",
        subtotal: "20.00",
        tax: "1.40",
        reference: "KTB 4711",
        currency: "THB",
        paid: "2026-11-20T12:00:00+07:00",
      }),
    ]);
    expect(csvRows((await site.root.get("/admin/paid.csv?start=2026-11-20&end=2026-11-20")).body).length).toBe(1);
    expect(csvRows((await site.root.get("/admin/paid.csv?start=2026-11-21")).body)).toEqual([]);
    expect((await site.root.get("/admin/paid.csv?start=tomorrow")).statusCode).toBe(400);
    const list = textOf(await site.root.get("/admin?section=billing&status=paid&paid=2026-11"));
    expect(list).toContain("Total of one receipt ฿21.40");
    expect(textOf(await site.root.get("/admin?section=billing&status=paid&paid=2026-10"))).toContain(
      "No receipt fits this filter",
    );
  });
});

describe("a receipt that is void", () => {
  it("frees its jobs, keeps its number and says why", async () => {
    const before = await receiptOf("user0");
    expect((await site.root.post(`/admin/receipts/${before.id}/void`, { reason: "" })).statusCode).toBe(400);
    const asked = textOf(await site.root.get(`/admin/receipts/${before.id}/void`));
    expect(asked).toContain("user0 no longer owes ฿42.80.");
    const voided = await site.root.post(`/admin/receipts/${before.id}/void`, { reason: "wrong account" });
    expect(textOf(await site.root.get(String(voided.headers.location)))).toContain("The receipt is void");
    expect(await receiptOf("user0")).toMatchObject({
      number: before.number,
      status: "void",
      voidReason: "wrong account",
      voidedBy: "root",
    });
    expect(await unbilledTotals(site.db, { userName: "user0" })).toMatchObject({ jobs: 1n, minor: 4_000n });

    await site.root.post("/admin/invoices/create_month", { month: "2026-10", user: "user0" });
    const [again, old] = await receipts({ userName: "user0" });
    expect([again?.status, old?.status]).toEqual(["pending", "void"]);
    expect(again?.number).not.toBe(before.number);
  });
});

describe("a receipt's payments", () => {
  it("are listed with every report of the provider, its verdict and reason", async () => {
    const { id } = await receiptOf("user1");
    await startCheckout(site.payments, id, { actor: "user1" });
    const send = async (event: object) => {
      const body = Buffer.from(JSON.stringify({ external_payment_id: "dev_1", currency: "THB", ...event }));
      const signature = createHmac("sha256", WEBHOOK_SECRET).update(body).digest("hex");
      return receiveWebhook(site.payments, site.payments.provider, {
        rawBody: body,
        header: (name) => (name.toLowerCase() === "x-dummy-signature" ? signature : undefined),
        requestId: "r",
      });
    };
    const opened = textOf(await site.root.get(`/admin/receipts/${id}`));
    const external = /dev_[\w-]+/u.exec(opened)?.[0];
    await send({ event_id: "e1", event_type: "payment.succeeded", amount_cents: 1, external_payment_id: external });
    await send({ event_id: "e2", event_type: "payment.succeeded", amount_cents: 4280, external_payment_id: external });
    const text = textOf(await site.root.get(`/admin/receipts/${id}`));
    expect(text).toContain("Ignored amount 1 where 4280 was asked for");
    expect(text).toMatch(/Applied receipt R-2026-\d+ paid/u);
    expect(text).toContain("Succeeded");
  });
});

describe("an admin's own usage", () => {
  it("is a file of their own jobs only", async () => {
    await site.importJobs([jobOn("2026-11-03", { user: "root", account: "mu-it" })]);
    const rows = csvRows((await site.root.get("/admin/my.csv")).body);
    expect(rows.map(({ user, amount }) => [user, amount])).toEqual([["root", "12.50"]]);
    expect(csvRows((await site.root.get("/admin/my.csv?end=2026-11-02")).body)).toEqual([]);
  });
});

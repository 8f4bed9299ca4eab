import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { correctionsOfJob, type Correction } from "../../src/billing/corrections.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { findReceipt, type Receipt } from "../../src/billing/queries.ts";
import { markPaid } from "../../src/billing/settle.ts";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import { aJob, at } from "../support/context.ts";
import { csvRows, startAdminSite, textOf, type AdminSite } from "./admin-site.ts";
import type { Browser } from "./server-harness.ts";

const SUBMITTED = at("2026-10-10T02:00:00Z");

let site: AdminSite;
let alice: Browser;
let first: Receipt;

/** A job of so many hours at five baht each. */
function hours(count: number, job: Partial<JobRecord> = {}): JobRecord {
  const elapsedSeconds = count * 3600;
  return aJob({
    rawJobId: "77",
    jobId: "77",
    allocMemMib: 0,
    elapsedSeconds,
    endAt: SUBMITTED + elapsedSeconds,
    ...job,
  });
}

async function issue(): Promise<Receipt> {
  const issued = await issueReceipt(site, { userName: "alice", cutoffDay: "2026-10-31" }, { actor: "alice" });
  const receipt = issued === undefined ? undefined : await findReceipt(site.db, issued.id);
  if (receipt === undefined) throw new Error("no receipt was issued");
  return receipt;
}

async function newestCorrection(): Promise<Correction> {
  const key = { cluster: "test", rawJobId: "77", submitAt: SUBMITTED };
  const correction = (await correctionsOfJob(site.db, key)).at(-1);
  if (correction === undefined) throw new Error("nothing was recorded");
  return correction;
}

const page = async (url: string, browser = alice): Promise<string> => textOf(await browser.get(url));

beforeAll(async () => {
  site = await startAdminSite({ tax: { label: "VAT", rateMicro: 70_000n, inclusive: false } });
  alice = await site.browserOf("alice");
  await site.importJobs([hours(3, { jobName: "train" })]);
  first = await issue();
});
afterAll(() => site.close());

describe("a credit that waits", () => {
  beforeAll(() => site.importJobs([hours(2, { jobName: "train", exitCode: "0:9" })]));

  it("is said in one line where receipts are made and listed", async () => {
    const line = "฿5.00 credit from corrected jobs comes off your next receipt";
    expect(await page("/me")).toContain(line);
    expect(await page("/me?view=billed")).toContain(line);
    expect(await page("/me", await site.browserOf("bob"))).not.toContain("corrected jobs");
    await alice.get("/me").then(() => alice.cookies.set("lang", "th"));
    expect(await page("/me")).toContain("ใบเสร็จถัดไปจะหักคืน ฿5.00 จากงานที่มีการแก้ไขข้อมูล");
    alice.cookies.set("lang", "en");
  });

  it("shows both versions of the record, with what differs marked, and the money", async () => {
    const correction = await newestCorrection();
    const { body } = await alice.get(`/me/corrections/${correction.id}`);
    const text = textOf({ body });
    expect(text).toContain(`Correction of job 77`);
    expect(text).toContain(`Billed with receipt ${first.number} · recorded 20 November 2026, 12:00`);
    expect(text).toContain("Elapsed 3:00:00 2:00:00 changed");
    expect(text).toContain("Exit code 0:0 0:9 changed");
    expect(text).toContain("Name train train State");
    expect(text).toContain("Cost ฿15.00 ฿10.00");
    expect(text).toContain("Still to be settled for this job −฿5.00");
    expect(body.match(/<mark>/gu)?.length).toBe(4);
  });

  it("is linked from the job's own page, and explained there", async () => {
    const text = await page(`/me/jobs/test/77/${SUBMITTED}`);
    expect(text).toContain("A difference of −฿5.00 is still to be settled on your next receipt");
    expect(text).toContain("Changes since it was billed");
    expect((await alice.get(`/me/jobs/test/77/${SUBMITTED}`)).body).toContain(
      `href="/me/corrections/${(await newestCorrection()).id}"`,
    );
  });

  it("is nobody else's to see but an admin's", async () => {
    const { id } = await newestCorrection();
    const bob = await site.browserOf("bob");
    for (const address of [String(id), "999999", "x", "99999999999999999999"]) {
      expect({ address, status: (await bob.get(`/me/corrections/${address}`)).statusCode }).toEqual({
        address,
        status: 404,
      });
    }
    expect((await site.root.get(`/me/corrections/${id}`)).statusCode).toBe(200);
  });
});

describe("a receipt with corrections", () => {
  let second: Receipt;
  beforeAll(async () => {
    await site.importJobs([hours(4, { rawJobId: "78", jobId: "78" })]);
    second = await issue();
  });

  it("shows what was billed, what is correct, the credit, and links to the receipt and to both versions", async () => {
    const { body } = await alice.get(`/me/receipts/${second.id}`);
    const text = textOf({ body });
    expect(text).toContain(`${first.number} ฿15.00 ฿10.00 −฿5.00`);
    expect(text).toContain("Corrections of earlier receipts −฿5.00 Subtotal ฿15.00 VAT 7 % ฿1.05 Total ฿16.05");
    expect(body).toContain(`href="/me/receipts/${first.id}"`);
    expect(body).toContain(`href="/me/corrections/${(await newestCorrection()).id}"`);
    expect(await page("/me")).not.toContain("corrected jobs");
    expect(await page(`/me/jobs/test/77/${SUBMITTED}`)).toContain(
      "−฿5.00 of the difference was settled on later receipts",
    );
    expect(await page(`/me/corrections/${(await newestCorrection()).id}`)).toContain(
      `${second.number} 20 November 2026`,
    );
  });

  it("says the same to an admin, and in the file of what was paid", async () => {
    const admin = await site.root.get(`/admin/receipts/${second.id}`);
    expect(textOf(admin)).toContain(`${first.number} ฿15.00 ฿10.00 −฿5.00`);
    expect(admin.body).toContain(`href="/admin/receipts/${first.id}"`);
    await markPaid(site, second.id, "transfer 1", { actor: "root" });
    expect(csvRows((await site.root.get("/admin/paid.csv")).body)).toMatchObject([
      { receipt: second.number, adjustments: "-5.00", subtotal: "15.00" },
    ]);
  });

  it("is announced to whoever bills the month, also where nobody has new jobs", async () => {
    await site.importJobs([hours(6, { jobName: "train" })]);
    const confirm = await site.root.get("/admin/invoices/create_month?month=2026-10");
    expect(textOf(confirm)).toContain(
      "Corrections of earlier receipts +฿20.00 for 1 job, settled on these receipts as well",
    );
    expect(textOf(confirm)).toContain("Bill corrections of 1 person");
    expect(textOf(await site.root.get("/admin/invoices/create_one?user=alice&before=2026-10-31"))).toContain(
      "+฿20.00 for 1 job",
    );
    expect(textOf(await site.root.get("/admin/invoices/create_one?user=bob&before=2026-10-31"))).not.toContain(
      "Bill corrections",
    );
  });

  it("has no jobs to show when it holds corrections only, and can be made by its owner all the same", async () => {
    const overview = (await alice.get("/me")).body;
    expect(textOf({ body: overview })).toContain("฿20.00 for corrected jobs is added to your next receipt");
    expect(overview).toContain('action="/me/receipt"');
    const token = await alice.token("/me");
    const made = await alice.post("/me/receipt", { before: "2026-11-20", csrf_token: token });
    const text = await page(String(made.headers.location));
    expect(text).toContain("Corrections of earlier receipts · issued 20 November 2026");
    expect(text).toContain("฿10.00 ฿30.00 ฿20.00");
    expect(text).not.toContain("Show the");
  });
});

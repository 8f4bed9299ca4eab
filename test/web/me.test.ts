import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sql } from "../../src/db/database.ts";
import { formatter } from "../../src/web/format.ts";
import { usageTotals } from "../../src/usage/queries/summary.ts";
import { setRate } from "../../src/usage/prices/change.ts";
import { at } from "../support/context.ts";
import { csvRows, minorSum } from "./me-csv.ts";
import { importResearcher } from "./me-data.ts";
import { startMeSite, textOf, type MeSite } from "./me-site.ts";
import type { Browser } from "./server-harness.ts";

const fmt = formatter({ lang: "en", timeZone: "Asia/Bangkok", currency: "THB" });

let site: MeSite;
let alice: Browser;
let bob: Browser;
beforeAll(async () => {
  site = await startMeSite();
  await importResearcher(site);
  alice = await site.browserOf("alice");
  bob = await site.browserOf("bob");
});
afterAll(() => site.close());

describe("the overview", () => {
  it("shows the same numbers as the file and the sums, to the last satang", async () => {
    const page = textOf((await alice.get("/me?start=2026-09-01&before=2026-10-31")).body);
    const file = await alice.get("/me.csv?start=2026-09-01&end=2026-10-31");
    const rows = csvRows(file.body);
    const sums = await usageTotals(site.db, { userName: "alice", fromDay: "2026-09-01", toDay: "2026-10-31" });
    expect(BigInt(rows.length)).toBe(sums.jobs);
    expect(minorSum(rows, "amount")).toBe(sums.costMinor);
    expect(minorSum(rows, "cpu_amount") + minorSum(rows, "gpu_amount") + minorSum(rows, "mem_amount")).toBe(
      sums.costMinor,
    );
    const cpuSeconds = rows.reduce((sum, row) => sum + BigInt(row["cpu_seconds"] ?? "0"), 0n);
    expect(cpuSeconds).toBe(sums.cpuSeconds);
    expect(page).toContain(`Cost ${fmt.money(sums.costMinor)}`);
    expect(page).toContain(`CPU core-hours ${fmt.hours(sums.cpuSeconds)}`);
    expect(page).toContain(`Total ${fmt.integer(sums.jobs)} ${fmt.hours(sums.cpuSeconds)}`);
    const jobsPage = textOf((await alice.get("/me?view=detail&start=2026-09-01&before=2026-10-31")).body);
    expect(jobsPage).toContain(`${sums.jobs} jobs · ${fmt.money(sums.costMinor)}`);
  });

  it("offers to bill exactly what a receipt up to that day would bill", async () => {
    const unbilled = await usageTotals(site.db, { userName: "alice", toDay: "2026-09-30" });
    const page = textOf((await alice.get("/me?start=2026-09-01&before=2026-09-30")).body);
    expect(page).toContain(
      `Not yet billed ฿ ${fmt.money(unbilled.unbilledMinor).slice(1)} ${unbilled.unbilledJobs} finished jobs up to 30 September 2026`,
    );
  });

  it("offers what is open up to today where nothing is up to an old month", async () => {
    const unbilled = await usageTotals(site.db, { userName: "alice", toDay: "2026-10-31" });
    const page = textOf((await alice.get("/me?start=2025-01-01&before=2025-01-31")).body);
    expect(page).toContain(`Not yet billed ฿ ${fmt.money(unbilled.unbilledMinor).slice(1)}`);
  });

  it("says how fresh the data is and that the audit trail verified", async () => {
    const page = textOf((await alice.get("/me")).body);
    expect(page).toContain("Cluster accounting last read 31 Oct 12:00");
    expect(page).toContain("Audit trail verified");
    expect(page).not.toContain("Warning");
  });

  it("says when the last job ran where a window is empty, and for a person without jobs what will come", async () => {
    const empty = (await alice.get("/me?start=2025-01-01&before=2025-01-31")).body;
    expect(textOf(empty)).toContain("Your last job ended on 31 October 2026.");
    expect(empty).toContain('href="/me?start=2026-10-01&amp;before=2026-10-31"');
    expect(textOf((await bob.get("/me")).body)).toContain("No jobs yet");
  });

  it.each(["start=31-10-2026", "before=2026-02-30", "start=2026-10-02&before=2026-10-01"])(
    "answers 400 to %s, says what is accepted and still shows the page",
    async (query) => {
      const answer = await alice.get(`/me?${query}`);
      expect(answer.statusCode).toBe(400);
      expect(textOf(answer.body)).toMatch(/year-month-day, such as 2026-10-31|is after the last one/);
      expect(textOf(answer.body)).toContain("1–31 October 2026");
    },
  );

  it("keeps the period when the view changes", async () => {
    const page = (await alice.get("/me?view=trend&start=2026-09-01&before=2026-09-30")).body;
    expect(page).toContain('href="/me?view=detail&amp;start=2026-09-01&amp;before=2026-09-30"');
  });

  it("counts years the Buddhist way in Thai, and only on the page", async () => {
    const thai = await alice.get("/me", {
      headers: { cookie: `${[...alice.cookies].map(([name, value]) => `${name}=${value}`).join("; ")}; lang=th` },
    });
    expect(thai.body).toContain("1–31 ตุลาคม 2569");
    expect(thai.body).toContain('value="2026-10-31"');
  });
});

describe("the list of jobs", () => {
  it("walks through all jobs by cursor, forth and back, each once", async () => {
    const idsOf = (html: string): string[] =>
      [...html.matchAll(/class="plain-link">([^<]+)</gu)].map(([, id]) => id ?? "");
    const linkOf = (html: string, rel: string): string =>
      (new RegExp(`<a href="([^"]+)"[^>]*rel="${rel}"`, "u").exec(html)?.[1] ?? "").replaceAll("&amp;", "&");
    const seen: string[] = [];
    let html = (await alice.get("/me?view=detail&start=2026-08-01&before=2026-10-31")).body;
    const first = idsOf(html);
    expect(first[0]).toBe("918301");
    for (;;) {
      seen.push(...idsOf(html));
      const older = linkOf(html, "next");
      if (older === "") break;
      html = (await alice.get(older)).body;
    }
    expect(seen).toHaveLength(241);
    expect(new Set(seen).size).toBe(241);
    for (let newer = linkOf(html, "prev"); newer !== ""; newer = linkOf(html, "prev"))
      html = (await alice.get(newer)).body;
    expect(idsOf(html)).toEqual(first);
  });

  it("explains a price by the very numbers that were multiplied", async () => {
    const page = textOf((await alice.get("/me?view=detail&q=918273")).body);
    expect(page).toContain("Why ฿357.92");
    expect(page).toContain("CPU 16 cores × 12,015 s 53.4000 core-h × ฿1.250000 ฿66.75");
    expect(page).toContain("GPU a100 2 × 12,015 s 6.6750 GPU-h × ฿42.500000 ฿283.69");
    expect(page).toContain("Memory 64 GiB × 12,015 s 213.6000 GiB-h × ฿0.035000 ฿7.48");
    expect(page).toContain("Tier MU · rates in force since 1 Aug 2026 · allocated basis");
  });

  it("says why a job is free, and what a running one costs so far", async () => {
    expect(textOf((await alice.get("/me?view=detail&q=918255")).body)).toContain("Free: the node failed");
    const running = textOf((await alice.get("/me?view=detail&state=RUNNING")).body);
    expect(running).toContain("Billed when it ends");
    expect(running).toContain("฿912.61 so far");
    expect(running).not.toContain("918273");
  });

  it("filters by state, account and billing, and the file has the same filter", async () => {
    const failed = (await alice.get("/me?view=detail&state=failed&account=mu-genome")).body;
    const link = (/href="(\/me\.csv[^"]+)"/u.exec(failed)?.[1] ?? "").replaceAll("&amp;", "&");
    const rows = csvRows((await alice.get(link)).body);
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map((row) => row["account"]))).toEqual(new Set(["mu-genome"]));
    for (const { job_id: id } of rows) expect(failed).toContain(`>${id}<`);
    expect(textOf((await alice.get("/me?view=detail&billed=yes")).body)).toContain("No job matches the filter");
  });

  it.each(["%00", "%25%5C_", "'%3B--", "<script>alert(1)</script>"])(
    "takes %s in the search without harm",
    async (q) => {
      const answer = await alice.get(`/me?view=detail&q=${encodeURI(q)}`);
      expect([200, 400]).toContain(answer.statusCode);
      expect(answer.body).not.toContain("<script>alert");
    },
  );

  it("takes a made-up cursor for the beginning", async () => {
    const cursor = Buffer.from(JSON.stringify([9e15, "x", "y", 1])).toString("base64url");
    expect((await alice.get(`/me?view=detail&older=${cursor}`)).statusCode).toBe(200);
    expect((await alice.get("/me?view=detail&newer=nonsense")).statusCode).toBe(200);
  });

  it("never shows somebody else's jobs", async () => {
    const page = (await bob.get("/me?view=detail&start=2026-08-01&before=2026-10-31&user=alice&userName=alice")).body;
    expect(page).not.toContain("918273");
  });
});

describe("a job's page", () => {
  const path = `/me/jobs/test/918273/${at("2026-10-31T11:14:00+07:00") - 12_015 - 95}`;

  it("says all that is known of it", async () => {
    const page = textOf((await alice.get(path)).body);
    for (const fact of [
      "Job 918273",
      "฿357.92",
      "train-resnet",
      "node[07-08]",
      "73.0 % of what was allocated",
      "1 minute after it was submitted",
      "1.035 kWh",
    ]) {
      expect(page).toContain(fact);
    }
  });

  it("is not there for others, but for an admin", async () => {
    expect((await bob.get(path)).statusCode).toBe(404);
    expect((await (await site.browserOf("root")).get(path)).statusCode).toBe(200);
    expect((await alice.get("/me/jobs/test/918273/1")).statusCode).toBe(404);
    expect((await alice.get("/me/jobs/te%00st/918273/x")).statusCode).toBe(404);
  });
});

describe("the other views", () => {
  it("compare with the days before, and list the months with a way to their jobs", async () => {
    const page = (await alice.get("/me?view=trend")).body;
    expect(textOf(page)).toContain("against 1–30 September 2026");
    expect(page).toContain('href="/me?start=2026-09-01&amp;before=2026-09-30"');
    const september = await usageTotals(site.db, { userName: "alice", fromDay: "2026-09-01", toDay: "2026-09-30" });
    expect(textOf(page)).toContain(fmt.money(september.costMinor));
  });

  it("draw months where there are too many days", async () => {
    expect(textOf((await alice.get("/me?start=2024-01-01&before=2026-10-31")).body)).toContain("Cost per month");
  });

  it("say that prices are being worked out anew while they are", async () => {
    await setRate(
      site,
      { tier: "gov", cpuMicro: 1n, gpuMicro: 1n, memMicro: 1n, effectiveFrom: null, note: "" },
      { actor: "root" },
    );
    expect(textOf((await alice.get("/me")).body)).toContain("Prices are being worked out anew.");
    await site.db.run(sql`UPDATE reprice_tasks SET finished_at = now()`);
    expect(textOf((await alice.get("/me")).body)).not.toContain("Prices are being worked out anew.");
  });
});

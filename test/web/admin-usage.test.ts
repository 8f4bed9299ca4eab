import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usageTotals } from "../../src/usage/queries/summary.ts";
import { aJob, at } from "../support/context.ts";
import { csvRows, startAdminSite, textOf, type AdminSite } from "./admin-site.ts";

let site: AdminSite;

function jobOn(day: string, cpus: number, overrides: Parameters<typeof aJob>[0] = {}) {
  const endAt = at(`${day}T05:00:00Z`);
  return aJob({ submitAt: endAt - 3_600, startAt: endAt - 3_600, endAt, allocCpus: cpus, ...overrides });
}

beforeAll(async () => {
  site = await startAdminSite();
  await site.importJobs([
    jobOn("2026-11-02", 8),
    jobOn("2026-11-03", 4, { account: "mu-genome", state: "TIMEOUT" }),
    jobOn("2026-11-03", 16, {
      user: "bob",
      account: "gov-health",
      partition: "gpu",
      allocGpus: 2,
      gpuTypes: [{ type: "a100", count: 2 }],
      state: "NODE_FAIL",
    }),
    jobOn("2026-10-30", 2, { user: "bob", account: "gov-health" }),
    ...Array.from({ length: 70 }, (_, index) =>
      jobOn("2026-11-05", 1, { user: `u${String(index).padStart(3, "0")}`, account: "co-acme", cluster: "second" }),
    ),
  ]);
});

afterAll(() => site.close());

const minor = (amount: string | undefined): bigint => BigInt((amount ?? "0").replace(".", ""));
const money = (value: bigint): string =>
  `฿${(Number(value) / 100).toLocaleString("en-US", { minimumFractionDigits: 2 })}`;
const linksOf = (body: string): string[] =>
  [...body.matchAll(/href="([^"]+)"/gu)].map(([, href]) => (href ?? "").replaceAll("&amp;", "&"));

describe("usage by group", () => {
  it.each(["user", "account", "partition", "cluster", "tier", "month", "day"] as const)(
    "by %s has the same total on the page, in its file and in the sums",
    async (group) => {
      const totals = await usageTotals(site.db, { fromDay: "2026-11-01", toDay: "2026-11-20" });
      const text = textOf(await site.root.get(`/admin?section=usage&group=${group}`));
      expect(text).toContain(`${totals.jobs} jobs · ${money(totals.costMinor)}`);
      const rows = csvRows((await site.root.get(`/admin/usage.csv?group=${group}`)).body);
      const sum = (name: string, of: (text: string | undefined) => bigint) =>
        rows.reduce((all, row) => all + of(row[name]), 0n);
      expect(sum("amount", minor)).toBe(totals.costMinor);
      expect(sum("unbilled_amount", minor)).toBe(totals.unbilledMinor);
      expect(sum("jobs", (given) => BigInt(given ?? 0))).toBe(totals.jobs);
      expect(sum("cpu_seconds", (given) => BigInt(given ?? 0))).toBe(totals.cpuSeconds);
    },
  );

  it("has the dearest first, and pages by key in both directions", async () => {
    const first = await site.root.get("/admin?section=usage");
    const users = (page: { body: string }) =>
      linksOf(page.body).flatMap((href) =>
        /group=account&.*user=/u.test(href) ? [new URLSearchParams(href.split("?")[1]).get("user")] : [],
      );
    expect(users(first).slice(0, 3)).toEqual(["bob", "alice", "u000"]);
    expect(users(first).length).toBe(50);
    const on = linksOf(first.body).find((href) => href.includes("after=")) ?? "";
    const second = await site.root.get(on);
    expect(users(second)).toEqual(Array.from({ length: 22 }, (_, index) => `u${String(index + 48).padStart(3, "0")}`));
    const back = linksOf(second.body).find((href) => href.includes("ahead=")) ?? "";
    expect(users(await site.root.get(back))).toEqual(users(first));
    expect(textOf(first)).toContain("Total of all 72");
  });

  it("leads from a row to what it is made of, down to the jobs, and keeps the filters", async () => {
    const months = await site.root.get(
      "/admin?section=usage&group=month&start=2026-10-01&before=2026-11-20&partition=cpu",
    );
    const october =
      linksOf(months.body).find(
        (href) =>
          href.includes("start=2026-10-01") && href.includes("before=2026-10-31") && !href.includes("group=month"),
      ) ?? "";
    expect(new URLSearchParams(october.split("?")[1]).get("partition")).toBe("cpu");
    expect(october).not.toBe("");
    const users = await site.root.get(october);
    expect(textOf(users)).toContain("1 job · ฿4.40");
    const accounts =
      linksOf(users.body).find((href) => href.includes("group=account") && href.includes("user=bob")) ?? "";
    const jobs =
      linksOf((await site.root.get(accounts)).body).find(
        (href) => href.includes("group=jobs") && href.includes("account=gov-health"),
      ) ?? "";
    expect([accounts, jobs]).not.toContain("");
    const text = textOf(await site.root.get(jobs));
    expect(text).toContain("Showing 1 of 1 jobs");
    expect(text).toContain("Why ฿4.40");
  });

  it("says where usage is when there is none in the window", async () => {
    const text = textOf(await site.root.get("/admin?section=usage&start=2026-01-01&before=2026-01-31"));
    expect(text).toContain("No finished jobs here");
    expect(text).toContain("Go to November 2026");
    expect(textOf(await site.root.get("/admin?section=usage&user=nobody"))).toContain(
      "No job fits these filters in any month.",
    );
    expect(textOf(await site.root.get("/admin?section=usage&start=yesterday"))).toContain("is not a day");
  });
});

describe("the list of jobs", () => {
  it("holds the same jobs as its file, by the same filter", async () => {
    for (const [query, ids] of [
      ["user=alice", 2],
      ["state=failed", 2],
      ["state=TIMEOUT", 1],
      ["tier=gov", 1],
      ["q=mu-gen", 1],
      ["billed=yes", 0],
    ] as const) {
      const rows = csvRows((await site.root.get(`/admin/usage.csv?group=jobs&${query}`)).body);
      const page = await site.root.get(`/admin?section=usage&group=jobs&${query}`);
      expect({ query, rows: rows.length, page: [...page.body.matchAll(/id="job-/gu)].length }).toEqual({
        query,
        rows: ids,
        page: ids,
      });
    }
  });

  it("says when its own filters let nothing through", async () => {
    const text = textOf(await site.root.get("/admin?section=usage&group=jobs&q=nothing-like-that"));
    expect(text).toContain("No job of these days fits the search");
  });

  it("leads from a receipt's number to where it can be settled", async () => {
    await site.root.post("/admin/invoices/create_one", { user: "alice", before: "2026-11-20" });
    const page = await site.root.get("/admin?section=usage&group=jobs&user=alice&billed=yes");
    expect(page.body).toMatch(/href="\/admin\/receipts\/\d+">R-2026-000001</u);
  });
});

describe("the dashboard's figures", () => {
  it("count the whole of what somebody ran beside what they lost", async () => {
    const text = textOf(await site.root.get("/admin"));
    expect(text).toContain("bob 1 (50.0 %) 16.00 2.00");
    expect(text).toContain("alice 1 (50.0 %) 4.00 0.00");
    expect(text).toContain("Failed or lost 2.7 % 2 GPU-h lost");
  });
});

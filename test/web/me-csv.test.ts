import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { csvRows } from "./me-csv.ts";
import { importResearcher } from "./me-data.ts";
import { startMeSite, type MeSite } from "./me-site.ts";
import type { Browser } from "./server-harness.ts";

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

describe("the file", () => {
  it("holds everything without dates, named after whose it is", async () => {
    const file = await alice.get("/me.csv");
    expect(file.headers["content-type"]).toBe("text/csv; charset=utf-8");
    expect(file.headers["content-disposition"]).toBe('attachment; filename="usage-alice.csv"');
    expect(csvRows(file.body)).toHaveLength(240);
    expect(csvRows((await alice.get("/me.csv?before=2026-09-30")).body)).toEqual(
      csvRows((await alice.get("/me.csv?end=2026-09-30")).body),
    );
    expect(csvRows((await alice.get("/me.csv?end=9999-12-31")).body)).toHaveLength(240);
    expect(csvRows((await bob.get("/me.csv")).body)).toEqual([]);
  });

  it("counts a day as the whole day of the site's zone", async () => {
    const day = csvRows((await alice.get("/me.csv?start=2026-10-31&end=2026-10-31")).body);
    expect(day.every((row) => row["end"]?.startsWith("2026-10-31T"))).toBe(true);
    expect(day.map((row) => row["job_id"])).toContain("918249");
  });

  it.each(["start=nonsense", "end=2026-02-30", "start=2026-10-02&end=2026-10-01"])(
    "is refused for %s with what is accepted",
    async (query) => {
      const answer = await alice.get(`/me.csv?${query}`, { headers: { accept: "application/json" } });
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ code: 400 });
      expect(answer.body).toMatch(/YYYY-MM-DD|earlier day first/);
    },
  );

  it("needs a session", async () => {
    const answer = await site.app.inject({ method: "GET", url: "/me.csv", headers: { accept: "text/csv" } });
    expect([302, 401]).toContain(answer.statusCode);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reconcile } from "../../src/billing/balance/reconcile.ts";
import type { SreportUsage } from "../../src/usage/reconcile/sources.ts";
import { aJob, at } from "../support/context.ts";
import { FakeScheduler, FakeSource, setupOf } from "../support/fake-scheduler.ts";
import { csvRows, startAdminSite, textOf, type AdminSite } from "./admin-site.ts";

let site: AdminSite;
const scheduler = new FakeScheduler("test", () => at("2026-11-30T00:00:00Z"));
const source = new FakeSource("sacct", scheduler);
const started: string[][] = [];

beforeAll(async () => {
  site = await startAdminSite({
    startReconcile: async (fromDay, toDay, actor) => {
      started.push([fromDay, toDay, actor]);
    },
  });
});

afterAll(() => site.close());

function compare(sreport?: SreportUsage) {
  return reconcile(site, {
    fromDay: "2026-10-10",
    toDay: "2026-10-11",
    clusters: [setupOf("test", [source], sreport)],
    requestedBy: "root",
    signal: new AbortController().signal,
  });
}

const page = async () => textOf(await site.root.get("/admin?section=reconcile"));
const json = async () => JSON.parse((await site.root.get("/admin/reconcile.json")).body);
const metrics = async () => {
  const { body } = await site.app.inject({ url: "/metrics" });
  return [...body.matchAll(/^(hpc_reconcile_\w+) (\S+)$/gmu)].map(([, name, value]) => `${name} ${value}`);
};

describe("before anything was compared", () => {
  it("says so, offers this month's days, and claims nothing elsewhere", async () => {
    const text = await page();
    expect(text).toContain("Not compared yet");
    const { body } = await site.root.get("/admin?section=reconcile");
    expect([...body.matchAll(/name="(?:from|to)"[^>]*value="([^"]+)"/gu)].map(([, day]) => day)).toEqual([
      "2026-11-01",
      "2026-11-19",
    ]);
    expect(textOf(await site.root.get("/admin"))).not.toContain("Reconciled");
    expect(textOf(await site.root.get("/me"))).not.toContain("Reconciled");
    expect(await json()).toEqual({ status: "none", running: null, last: null });
    expect(await metrics()).toEqual([
      "hpc_reconcile_ok 1",
      "hpc_reconcile_breaks 0",
      "hpc_reconcile_finished_timestamp_seconds 0",
    ]);
    expect((await site.root.get("/admin/reconcile.csv")).statusCode).toBe(404);
  });
});

describe("the form", () => {
  it("asks for a comparison in the background, as whoever pressed it", async () => {
    const answer = await site.root.post("/admin/reconcile", { from: "2026-10-01", to: "2026-10-31" });
    expect(answer.statusCode).toBe(303);
    expect(started).toEqual([["2026-10-01", "2026-10-31", "root"]]);
    const shown = await site.root.get(String(answer.headers.location));
    expect(textOf(shown)).toContain("begins in a moment");
    expect(shown.body).toContain('data-poll-url="/admin/reconcile.json" data-poll-status="none"');
  });

  it.each([
    ["2026-10-31", "2026-10-01"],
    ["2026-11-20", "2026-11-21"],
    ["2024-10-31", "2026-10-01"],
    ["last week", "2026-10-01"],
  ])("refuses %s to %s, and says what can be compared", async (from, to) => {
    const before = started.length;
    const answer = await site.root.post("/admin/reconcile", { from, to });
    expect(textOf(await site.root.get(String(answer.headers.location)))).toContain("These days cannot be compared");
    expect(started.length).toBe(before);
  });
});

describe("a result", () => {
  it("that balances is answered at the top, with its numbers, and shown where people look", async () => {
    const job = aJob({ user: "alice", allocMemMib: 0 });
    await site.importJobs([job]);
    scheduler.records = [job];
    const seconds = new Map([["cpu", 14_400n]]);
    await compare(async () => [{ cluster: "test", account: "mu-climate", user: "alice", seconds }]);
    const text = await page();
    expect(text).toContain("The books balance 2 days");
    expect(text).toContain("Reconciled up to 11 October 2026.");
    expect(text).toContain("Not yet billed ฿5.00");
    expect(text).toContain("Totals of test against sreport");
    expect(text).toContain("sreport has no figures for Billing units, h.");
    expect(textOf(await site.root.get("/admin"))).toContain("Reconciled up to 11 Oct 2026");
    const alice = await site.browserOf("alice");
    const me = await alice.get("/me");
    expect(textOf(me)).toContain("Reconciled with the cluster up to 11 Oct 2026");
    expect(me.body).not.toContain("section=reconcile");
    expect(await metrics()).toEqual([
      "hpc_reconcile_ok 1",
      "hpc_reconcile_breaks 0",
      `hpc_reconcile_finished_timestamp_seconds ${Date.parse("2026-11-20T05:00:00Z") / 1000}`,
    ]);
  });

  it("that does not balance names each job, and turns the quiet lines into warnings", async () => {
    const missing = aJob({ rawJobId: "4711", user: "bob" });
    const extra = aJob({ rawJobId: "4712", user: "bob" });
    await site.importJobs([extra]);
    scheduler.records = [...scheduler.records, missing];
    await compare();
    const { body } = await site.root.get("/admin?section=reconcile");
    const text = textOf({ body });
    expect(text).toContain("The books do not balance 2 differences");
    expect(text).toContain("Job missing here Job 4711 test · mu-climate · bob");
    expect(text).toContain("Totals of test were not compared: sreport is not available.");
    expect(body).toContain(
      "/admin?section=usage&amp;group=jobs&amp;start=2026-10-10&amp;before=2026-10-10&amp;cluster=test&amp;q=4712",
    );
    expect(textOf(await site.root.get("/admin"))).toContain("Reconciliation 2 differences found");
    const alice = await site.browserOf("alice");
    expect(textOf(await alice.get("/me"))).toContain("found differences; the centre has been told");
    expect(csvRows((await site.root.get("/admin/reconcile.csv")).body)).toMatchObject([
      {
        kind: "missing",
        day: "2026-10-10",
        cluster: "test",
        raw_job_id: "4711",
        submit_utc: "2026-10-10T02:00:00.000Z",
        user: "bob",
      },
      { kind: "extra", raw_job_id: "4712" },
    ]);
    expect(await json()).toMatchObject({
      running: null,
      last: { verdict: "broken", from: "2026-10-10", to: "2026-10-11", breaks: 2, reconciled_until: "2026-10-09" },
    });
    expect((await metrics()).slice(0, 2)).toEqual(["hpc_reconcile_ok 0", "hpc_reconcile_breaks 2"]);
  });

  it("of a scheduler that is away is a failure, and says why", async () => {
    source.broken = "slurmdbd is away";
    await compare();
    const text = await page();
    expect(text).toContain("Not reconciled –");
    expect(text).toContain("cluster test cannot be asked: sacct: slurmdbd is away. Nothing was changed.");
    expect(textOf(await site.root.get("/admin"))).toContain("Reconciliation the last comparison failed");
    expect((await metrics())[0]).toBe("hpc_reconcile_ok 0");
  });

  it("is in the audit trail under its own words", async () => {
    expect(textOf(await site.root.get("/admin?section=audit&action=reconcile.finished"))).toContain("Books compared");
  });

  it("is for admins only", async () => {
    const alice = await site.browserOf("alice");
    for (const url of ["/admin?section=reconcile", "/admin/reconcile.csv", "/admin/reconcile.json"])
      expect([url, (await alice.get(url)).statusCode]).toEqual([url, 403]);
  });
});

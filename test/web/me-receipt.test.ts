import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { sql } from "../../src/db/database.ts";
import { setRate } from "../../src/usage/prices/change.ts";
import { aJob, at } from "../support/context.ts";
import { importResearcher } from "./me-data.ts";
import { startMeSite, textOf, type MeSite } from "./me-site.ts";
import type { Browser } from "./server-harness.ts";

let site: MeSite;
let alice: Browser;
beforeAll(async () => {
  site = await startMeSite();
  await importResearcher(site);
  alice = await site.browserOf("alice");
});
afterAll(() => site.close());

describe("creating a receipt", () => {
  const receipts = async (user: string): Promise<number> => {
    const { count } = await site.db.one(
      z.object({ count: z.bigint() }),
      sql`SELECT count(*) AS count FROM receipts WHERE user_name = ${user}`,
    );
    return Number(count);
  };

  it("is refused for a day to come, and for no day, on a page that says why", async () => {
    const token = await alice.token("/me");
    const future = await alice.post("/me/receipt", { before: "2026-11-01", csrf_token: token });
    expect(future.statusCode).toBe(400);
    expect(textOf(future.body)).toContain("1 November 2026 is still to come");
    const nonsense = await alice.post("/me/receipt", { before: "soon", csrf_token: token });
    expect(nonsense.statusCode).toBe(400);
    expect(textOf(nonsense.body)).toContain("“soon” is no day");
    const script = await alice.post(
      "/me/receipt",
      { before: "2026-11-01", csrf_token: token },
      { headers: { accept: "application/json" } },
    );
    expect(script.json()).toMatchObject({ code: 400 });
    expect(await receipts("alice")).toBe(0);
  });

  it("needs the form's token", async () => {
    expect((await alice.post("/me/receipt", { before: "2026-10-31" })).statusCode).toBe(403);
  });

  it("makes one receipt of two clicks at once; the second lands on a page that leads to it", async () => {
    const token = await alice.token("/me");
    const answers = await Promise.all(
      [1, 2].map(() => alice.post("/me/receipt", { before: "2026-10-31", csrf_token: token })),
    );
    const [receipt = "", nothing = ""] = answers.map((answer) => String(answer.headers.location)).toSorted();
    expect(answers.map((answer) => answer.statusCode)).toEqual([303, 303]);
    expect(await receipts("alice")).toBe(1);
    expect(nothing).toBe("/me?notice=nothing");
    expect(receipt).toMatch(/^\/me\/receipts\/\d+$/u);
    const landed = (await alice.get(nothing)).body;
    expect(textOf(landed)).toContain("There was nothing left to bill.");
    expect(landed).toContain(`href="${receipt}"`);
    expect(await site.metrics.receiptsIssued.get().then(({ values }) => values[0]?.value)).toBe(1);
  });

  it("shows a billed job with its receipt's prices, and what Slurm changed since as an open correction", async () => {
    await setRate(
      site,
      { tier: "mu", cpuMicro: 9_000_000n, gpuMicro: 9_000_000n, memMicro: 9_000_000n, effectiveFrom: null, note: "" },
      { actor: "root" },
    );
    expect(textOf((await alice.get("/me?view=detail&q=918273")).body)).toContain("Why ฿357.92");
    const end = at("2026-10-31T08:55:00+07:00");
    const startAt = end - 3_850;
    await site.importJobs([
      aJob({
        rawJobId: "918249",
        jobId: "918249",
        jobName: "align",
        account: "mu-genome",
        allocCpus: 32,
        allocMemMib: 122_880,
        startAt,
        submitAt: startAt - 95,
        endAt: end,
        elapsedSeconds: 3_600,
        nodeList: "node[07-08]",
      }),
    ]);
    expect(textOf((await alice.get("/me?view=detail&q=918249")).body)).toContain("A difference of −฿");
  });
});

import { afterAll, beforeAll, expect, it } from "vitest";
import { reportsOf } from "../../src/db/reports.ts";
import { aJob } from "../support/context.ts";
import { startAdminSite, textOf, type AdminSite } from "./admin-site.ts";

let site: AdminSite;

beforeAll(async () => {
  site = await startAdminSite({ reports: (db) => ({ ...reportsOf(db), lagSeconds: () => Promise.resolve(12) }) });
  await site.importJobs([aJob()]);
});

afterAll(() => site.close());

it("usage that is read from a replica says how old it is", async () => {
  const page = await site.root.get("/admin?section=usage&start=2026-10-01&before=2026-10-31");
  expect(textOf(page)).toContain("as of 12 seconds ago, from the replica");
});

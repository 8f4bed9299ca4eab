import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aJob } from "../support/context.ts";
import { startAdminSite, textOf, type AdminSite } from "./admin-site.ts";

let site: AdminSite;

beforeAll(async () => {
  site = await startAdminSite();
  await site.importJobs([aJob()]);
});

afterAll(() => site.close());

/** An address that exists as far as the router is concerned. */
const addressOf = (url: string): string => url.replace(":id", "1");

describe("the console", () => {
  it("has routes, and each is for admins", async () => {
    expect(site.routes.length).toBeGreaterThan(20);
    const alice = await site.browserOf("alice");
    const csrf_token = await alice.token("/me");
    for (const { method, url } of site.routes) {
      const path = addressOf(url);
      const answer = method === "POST" ? await alice.post(path, { csrf_token }) : await alice.get(path);
      expect({ method, url, status: answer.statusCode }).toEqual({ method, url, status: 403 });
      const stranger = await site.app.inject({
        method: method === "POST" ? "POST" : "GET",
        url: path,
        headers: { accept: "application/json" },
      });
      expect({ method, url, status: stranger.statusCode }).toEqual({ method, url, status: 401 });
    }
  });

  it("takes nothing from a form without its token", async () => {
    for (const { url } of site.routes.filter(({ method }) => method === "POST")) {
      const answer = await site.root.browser.post(addressOf(url), {
        username: "alice",
        tier: "gov",
        month: "2026-10",
        reference: "x",
        reason: "x",
      });
      expect({ url, status: answer.statusCode }).toEqual({ url, status: 403 });
    }
  });

  it("shows every section, in both languages, with the one that is open marked", async () => {
    for (const section of ["dashboard", "usage", "billing", "rates", "tiers", "audit"]) {
      for (const lang of ["en", "th"]) {
        site.root.browser.cookies.set("lang", lang);
        const answer = await site.root.get(`/admin?section=${section}`);
        expect({ section, lang, status: answer.statusCode }).toEqual({ section, lang, status: 200 });
        expect(answer.body).toContain(`<html lang="${lang}"`);
        expect(answer.body.match(/aria-current="page"/gu)?.length).toBeGreaterThanOrEqual(1);
      }
    }
    site.root.browser.cookies.delete("lang");
    expect(textOf(await site.root.get("/admin"))).toContain("Not yet billed");
  });

  it("does not know sections that are not built, and sends an admin's own usage to its page", async () => {
    for (const section of ["periods", "nonsense"])
      expect((await site.root.get(`/admin?section=${section}`)).statusCode).toBe(404);
    const own = await site.root.get("/admin?section=myusage");
    expect([own.statusCode, own.headers.location]).toEqual([302, "/me"]);
  });

  it("answers a wrong address with what is accepted, never with a failure", async () => {
    for (const query of [
      "section=usage&group=nonsense",
      "section=usage&tier=x",
      "section=usage&user=a%00b",
      "section=billing&status=x",
      "section=billing&paid=2026-13&status=paid",
      "section=billing&older=abc",
      "section=tiers&only=x",
      "section=audit&older=x",
      "section=rates&tier=x",
      "section=usage&user=a&user=b",
    ]) {
      const answer = await site.root.get(`/admin?${query}`);
      expect({ query, status: answer.statusCode }).toEqual({ query, status: 400 });
    }
    for (const path of [
      "/admin/receipts/abc",
      "/admin/receipts/999",
      "/admin/receipts/1/paid",
      "/admin/audit/99999",
      "/admin/audit/x",
      "/admin/tiers/rules/9999999999999/remove",
      "/admin/invoices/create_one?user=nobody&before=2026-10-31",
    ]) {
      expect({ path, status: (await site.root.get(path)).statusCode }).toEqual({ path, status: 404 });
    }
  });

  it("escapes what stands in an address", async () => {
    const answer = await site.root.get(
      `/admin?section=usage&user=${encodeURIComponent('"><script>alert(1)</script>')}`,
    );
    expect(answer.statusCode).toBe(200);
    expect(answer.body).not.toContain("<script>alert");
  });

  it("describes its files and answers for programs", async () => {
    const { paths } = (await site.app.inject({ method: "GET", url: "/openapi.json" })).json();
    for (const path of [
      "/formula",
      "/admin/usage.csv",
      "/admin/paid.csv",
      "/admin/my.csv",
      "/admin/audit.csv",
      "/admin/audit.verify.json",
    ]) {
      expect(paths[path]?.get?.summary, path).toBeTruthy();
    }
    expect(
      paths["/formula"].get.responses["200"].content["application/json"].schema.properties.rates.properties.cpu.type,
    ).toBe("number");
    expect(paths["/formula"].post.requestBody).toBeDefined();
  });
});

describe("the dashboard", () => {
  it("says what waits, who used it, and leads to the lists behind the numbers", async () => {
    const page = await site.root.get("/admin");
    const text = textOf(page);
    expect(text).toContain("one job of one person");
    expect(text).toContain("Bill October");
    expect(text).toContain("Audit never verified");
    for (const href of [
      "/admin/invoices/create_month?month=2026-10",
      "/admin?section=billing&amp;status=pending",
      "/admin?section=billing&amp;status=paid&amp;paid=2026-11",
    ]) {
      expect(page.body).toContain(`href="${href}"`);
    }
  });
});

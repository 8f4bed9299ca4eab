import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { csvRows, startAdminSite, textOf, type AdminSite } from "./admin-site.ts";

let site: AdminSite;

beforeAll(async () => {
  site = await startAdminSite();
  await site.root.post("/admin/tiers", { username: "alice", tier: "gov" });
  await site.root.post("/admin", { type: "mu", cpu: "2", gpu: "40", mem: "0.03", note: "first" });
});

afterAll(() => site.close());

const verify = async () => (await site.root.get("/admin/audit.verify.json")).body;

/** As nobody but the database's own superuser can: around the triggers. */
async function tamper(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: site.url });
  await client.connect();
  await client.query("ALTER TABLE audit_log DISABLE TRIGGER ALL");
  await client.query(statement);
  await client.query("ALTER TABLE audit_log ENABLE TRIGGER ALL");
  await client.end();
}

describe("the audit trail", () => {
  it("lists who did what, newest first, and narrows by each", async () => {
    const text = textOf(await site.root.get("/admin/audit"));
    expect(text.indexOf("rate.set")).toBeLessThan(text.indexOf("tier.override_set"));
    expect(text).toContain("Rate set");
    expect(text).toContain("Nobody has verified this chain yet.");
    expect(textOf(await site.root.get("/admin?section=audit&action=rate.set"))).not.toContain("tier.override_set");
    expect(textOf(await site.root.get("/admin?section=audit&subject=user:alice"))).toContain("Tier override set");
    expect(textOf(await site.root.get("/admin?section=audit&actor=nobody"))).toContain("No record fits this filter");
  });

  it("shows a record with what was before and after", async () => {
    const list = await site.root.get("/admin?section=audit&action=rate.set");
    const href = /href="(\/admin\/audit\/\d+)"/u.exec(list.body)?.[1] ?? "";
    const text = textOf(await site.root.get(href));
    expect(text).toContain("cpu 1.25 2");
    expect(text).toContain("note first");
    expect(text).toMatch(/Its hash [0-9a-f]{64}/u);
  });

  it("leaves as a file, whole or narrowed", async () => {
    const rows = csvRows((await site.root.get("/admin/audit.csv?action=tier.override_set")).body);
    expect(rows).toEqual([
      expect.objectContaining({
        actor: "root",
        action: "tier.override_set",
        subject: "user:alice",
        at: "2026-11-20T12:00:00+07:00",
      }),
    ]);
    const all = (await site.root.get("/admin/audit.csv")).body.trim().split("\r\n");
    expect(all[0]).toBe("id,at,at_utc,actor,action,subject,details,request_id,key_id,prev_hash,hash");
    expect(all.length).toBeGreaterThan(5);
  });

  it("is paged by key, back and forth", async () => {
    for (let index = 0; index < 60; index++)
      await site.root.post("/admin/tiers", { username: "bob", tier: index % 2 === 0 ? "gov" : "private" });
    const first = await site.root.get("/admin?section=audit&action=tier.override_set");
    const on = /href="([^"]*older=\d+)"/u.exec(first.body)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const second = await site.root.get(on);
    const ids = (page: { body: string }) =>
      [...page.body.matchAll(/href="\/admin\/audit\/(\d+)"/gu)].map(([, id]) => Number(id));
    expect(ids(first).length).toBe(50);
    expect(ids(second).length).toBe(11);
    expect(Math.max(...ids(second))).toBeLessThan(Math.min(...ids(first)));
    const back = /href="([^"]*newer=\d+)"/u.exec(second.body)?.[1]?.replaceAll("&amp;", "&") ?? "";
    expect(ids(await site.root.get(back))).toEqual(ids(first));
  });
});

describe("verifying the chain", () => {
  it("answers programs with the number of records and the head", async () => {
    const answer = await verify();
    expect(answer).toMatch(/^\{"ok":true,"records":\d+,"head":"[0-9a-f]{64}"\}$/u);
  });

  it("is a button whose result stays on the page and the dashboard", async () => {
    const pressed = await site.root.post("/admin/audit/verify");
    expect([pressed.statusCode, pressed.headers.location]).toEqual([303, "/admin?section=audit&verified=1"]);
    const { records } = JSON.parse(await verify());
    expect(textOf(await site.root.get(String(pressed.headers.location)))).toContain(
      `All ${records} records were verified`,
    );
    expect(textOf(await site.root.get("/admin"))).toContain(`Audit ${records} records verified`);
  });

  it("finds a record that a superuser edited, and says where", async () => {
    await tamper("UPDATE audit_log SET details = jsonb_set(details, '{note}', '\"second\"') WHERE action = 'rate.set'");
    const { ok, broken_at, reason, ...rest } = JSON.parse(await verify());
    const list = await site.root.get("/admin?section=audit&action=rate.set");
    expect({ ok, broken_at, rest }).toEqual({
      ok: false,
      broken_at: Number(/\/admin\/audit\/(\d+)/u.exec(list.body)?.[1]),
      rest: {},
    });
    expect(reason).toBe("its content does not match its hash");
    await site.root.post("/admin/audit/verify");
    expect(textOf(await site.root.get("/admin?section=audit"))).toContain(`The chain is broken at record ${broken_at}`);
    expect(textOf(await site.root.get("/admin"))).toContain(`chain broken at record ${broken_at}`);
  });

  it("finds a record that was removed", async () => {
    await tamper("UPDATE audit_log SET details = jsonb_set(details, '{note}', '\"first\"') WHERE action = 'rate.set'");
    expect(JSON.parse(await verify()).ok).toBe(true);
    await tamper("DELETE FROM audit_log WHERE id = 3");
    expect(JSON.parse(await verify())).toMatchObject({ ok: false, broken_at: 3 });
  });
});

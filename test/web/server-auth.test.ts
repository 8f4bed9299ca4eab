import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { sql } from "../../src/db/database.ts";
import { PASSWORD, PRODUCTION, startHarness, type Harness } from "./server-harness.ts";

let site: Harness;
beforeAll(async () => {
  site = await startHarness();
});
afterAll(() => site.close());

/** The page without the language switch, which comes back to this very page. */
function formOf(page: string): string {
  return /<form method="post" action="\/login".*?<\/form>/s.exec(page)?.[0] ?? "";
}

async function audited(action: string): Promise<{ subject: string; details: unknown; actor: string }[]> {
  return site.db.rows(
    z.object({ subject: z.string(), details: z.unknown(), actor: z.string() }),
    sql`SELECT subject, details, actor FROM audit_log WHERE action = ${action} ORDER BY id`,
  );
}

describe("signing in", () => {
  it("leads a user to /me and an admin to /admin", async () => {
    expect((await site.browser().login("alice")).headers.location).toBe("/me");
    const answer = await site.browser().login("root");
    expect(answer.statusCode).toBe(302);
    expect(answer.headers.location).toBe("/admin");
  });

  it("leads to the page that was asked for", async () => {
    const browser = site.browser();
    const refused = await browser.get("/account/password?changed=1");
    expect(refused.statusCode).toBe(302);
    expect(refused.headers.location).toBe(`/login?next=${encodeURIComponent("/account/password?changed=1")}`);
    expect((await browser.get(String(refused.headers.location))).body).toContain(
      'name="next" value="/account/password?changed=1"',
    );
    expect((await browser.login("alice", { next: "/account/password?changed=1" })).headers.location).toBe(
      "/account/password?changed=1",
    );
    expect((await browser.get("/account/password")).statusCode).toBe(200);
  });

  it.each([
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "/\t/evil.example",
    "/.//evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/login",
    "/logout",
  ])("never leads to %j", async (next) => {
    expect((await site.browser().login("alice", { next })).headers.location).toBe("/me");
    const page = await site.browser().get(`/login?next=${encodeURIComponent(next)}`);
    expect(formOf(page.body)).not.toContain('name="next"');
  });

  it("says the same of a wrong password, an unknown user and one known from Slurm only", async () => {
    await site.db.run(sql`INSERT INTO users (username, created_at) VALUES ('slurmonly', now())`);
    const attempts = [
      ["alice", "wrong password"],
      ["nobody", "wrong password"],
      ["slurmonly", ""],
      ["slurmonly", "x"],
      ["a\u0000b", "x"],
      ["", ""],
    ] as const;
    const texts = new Set<string>();
    for (const [username, password] of attempts) {
      const answer = await site.browser().login(username, { password, remoteAddress: "192.0.2.77" });
      expect(answer.statusCode).toBe(401);
      expect(answer.cookies.map(({ name }) => name)).not.toContain("hpc_session");
      texts.add(/role="alert">(.*?)<\/div><\/div>/.exec(answer.body)?.[1] ?? "none");
    }
    expect(texts.size).toBe(1);
    expect([...texts][0]).toContain("username or the password");
  });

  it("is case-sensitive about names", async () => {
    expect((await site.browser().login("Alice")).statusCode).toBe(401);
  });

  it("sends who is signed in already on their way", async () => {
    const browser = site.browser();
    await browser.login("alice");
    expect((await browser.get("/login")).headers.location).toBe("/me");
    expect((await browser.get("/")).headers.location).toBe("/me");
    expect((await site.browser().get("/")).headers.location).toBe("/login");
  });

  it("accepts a login form that was opened before another tab signed in", async () => {
    const browser = site.browser();
    const early = await browser.token();
    await browser.login("alice");
    const answer = await browser.post("/login", { username: "alice", password: PASSWORD, csrf_token: early });
    expect(answer.statusCode).toBe(302);
  });

  it("keeps only a hash of the session's token", async () => {
    const browser = site.browser();
    await browser.login("alice");
    const token = browser.cookies.get("hpc_session") ?? "";
    expect(token).toMatch(/^[\w-]{43}$/);
    const { copies } = await site.db.one(
      z.object({ copies: z.bigint() }),
      sql`SELECT count(*) AS copies FROM sessions WHERE token_hash = sha256(${token}::bytea)`,
    );
    expect(copies).toBe(1n);
  });

  it("leaves a record, and no secret in it or in the log", async () => {
    const browser = site.browser();
    await browser.login("bob");
    expect(await audited("login.succeeded")).toContainEqual({
      actor: "bob",
      subject: "user:bob",
      details: { ip: "192.0.2.1" },
    });
    const everything =
      site.log() +
      JSON.stringify(
        await site.db.rows(z.object({ row: z.string() }), sql`SELECT audit_log::text AS row FROM audit_log`),
      );
    expect(everything).not.toContain(PASSWORD);
    expect(everything).not.toContain(browser.cookies.get("hpc_session"));
  });
});

describe("wrong passwords", () => {
  it("lock the name for that address after five, and say when to come back", async () => {
    const browser = site.browser();
    const from = { remoteAddress: "198.51.100.1" };
    for (let attempt = 1; attempt <= 5; attempt++)
      expect((await browser.login("alice", { password: "wrong", ...from })).statusCode).toBe(401);
    const locked = await browser.login("alice", from);
    expect(locked.statusCode).toBe(429);
    expect(Number(locked.headers["retry-after"])).toBeGreaterThan(240);
    expect(Number(locked.headers["retry-after"])).toBeLessThanOrEqual(300);
    expect(locked.body).toContain("Wait 5 minutes");
    expect(await audited("login.locked")).toContainEqual({
      actor: "anonymous",
      subject: "user:alice",
      details: { ip: "198.51.100.1" },
    });
    expect((await site.browser().login("alice", { remoteAddress: "198.51.100.2" })).statusCode).toBe(302);
    expect((await site.browser().login("bob", from)).statusCode).toBe(302);
  });

  it("are checked five times only, however many come at once", async () => {
    const browser = site.browser();
    const csrf = await browser.token();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        browser.post(
          "/login",
          { username: "bob", password: "wrong", csrf_token: csrf },
          { remoteAddress: "198.51.100.3" },
        ),
      ),
    );
    const count = (status: number): number => answers.filter(({ statusCode }) => statusCode === status).length;
    expect([count(401), count(429)]).toEqual([5, 15]);
    expect(
      (await audited("login.locked")).filter(({ details }) => JSON.stringify(details).includes("198.51.100.3")),
    ).toHaveLength(1);
  });

  it("are forgotten after a right one", async () => {
    const from = { remoteAddress: "198.51.100.4" };
    for (let attempt = 1; attempt <= 4; attempt++) await site.browser().login("alice", { password: "wrong", ...from });
    expect((await site.browser().login("alice", from)).statusCode).toBe(302);
    for (let attempt = 1; attempt <= 4; attempt++)
      expect((await site.browser().login("alice", { password: "wrong", ...from })).statusCode).toBe(401);
    expect((await site.browser().login("alice", from)).statusCode).toBe(302);
  });

  it("lock unknown names just the same, without writing down what was typed", async () => {
    const from = { remoteAddress: "198.51.100.5" };
    for (let attempt = 1; attempt <= 5; attempt++)
      expect((await site.browser().login("hunter2hunter2", { password: "x", ...from })).statusCode).toBe(401);
    expect((await site.browser().login("hunter2hunter2", { password: "x", ...from })).statusCode).toBe(429);
    expect(JSON.stringify(await audited("login.locked"))).not.toContain("hunter2");
  });

  it("are counted for scripts too, who are told in JSON", async () => {
    const browser = site.browser();
    const sent = { headers: { accept: "application/json" }, remoteAddress: "198.51.100.6" };
    const answer = await browser.post(
      "/login",
      { username: "alice", password: "wrong", csrf_token: await browser.token() },
      sent,
    );
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toEqual({ error: "The username or the password is not right.", code: 401 });
  });
});

describe("CSRF protection", () => {
  it("refuses a login form without a token or with a wrong one", async () => {
    const browser = site.browser();
    await browser.token();
    const form = { username: "alice", password: PASSWORD };
    for (const answer of [
      await browser.post("/login", form),
      await browser.post("/login", { ...form, csrf_token: "x".repeat(59) }),
      await site.browser().post("/login", { ...form, csrf_token: await browser.token() }),
    ]) {
      expect(answer.statusCode).toBe(403);
      expect(answer.headers["content-type"]).toContain("text/html");
      expect(answer.body).toContain("Open the page again");
    }
  });

  it("refuses the token of another session and one made before signing in", async () => {
    const [alice, bob] = [site.browser(), site.browser()];
    const early = await alice.token();
    await alice.login("alice");
    await bob.login("bob");
    const change = { current: PASSWORD, next: "another password", repeat: "another password" };
    for (const csrf_token of [await bob.token("/account/password"), early]) {
      expect((await alice.post("/account/password", { ...change, csrf_token })).statusCode).toBe(403);
    }
    expect((await alice.post("/logout", { csrf_token: await bob.token("/account/password") })).statusCode).toBe(403);
    expect((await alice.get("/account/password")).statusCode).toBe(200);
  });

  it("takes the token from the header too, and answers scripts in JSON", async () => {
    const browser = site.browser();
    await browser.login("alice");
    const refused = await browser.post("/logout", {}, { headers: { "x-requested-with": "fetch" } });
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({ code: 403 });
    expect(
      (await browser.post("/logout", {}, { headers: { "x-csrftoken": await browser.token("/account/password") } }))
        .statusCode,
    ).toBe(302);
  });

  it("gives every page another token, all of them valid", async () => {
    const browser = site.browser();
    await browser.login("alice");
    const [one, two] = [await browser.token("/account/password"), await browser.token("/account/password")];
    expect(one).not.toBe(two);
    expect((await browser.post("/i18n/set", { lang: "en", csrf_token: one })).statusCode).toBe(302);
    expect((await browser.post("/i18n/set", { lang: "en", csrf_token: two })).statusCode).toBe(302);
  });
});

describe("signing out", () => {
  it("ends the session on the server, not only in the browser", async () => {
    const browser = site.browser();
    await browser.login("alice");
    const stolen = browser.cookies.get("hpc_session") ?? "";
    const answer = await browser.post("/logout", { csrf_token: await browser.token("/account/password") });
    expect(answer.headers.location).toBe("/login");
    expect(browser.cookies.has("hpc_session")).toBe(false);
    const thief = site.browser();
    thief.cookies.set("hpc_session", stolen);
    expect((await thief.get("/account/password")).statusCode).toBe(302);
    expect(await audited("logout")).toContainEqual({ actor: "alice", subject: "user:alice", details: {} });
  });

  it("is fine with a session that has ended already", async () => {
    expect((await site.browser().post("/logout", {})).headers.location).toBe("/login");
  });
});

describe("changing one's password", () => {
  it("needs the present one, ends all other sessions and keeps this one", async () => {
    const [here, elsewhere] = [site.browser(), site.browser()];
    await here.login("bob");
    await elsewhere.login("bob");
    const change = async (form: { current: string; next: string; repeat?: string }) =>
      here.post("/account/password", { repeat: form.next, ...form, csrf_token: await here.token("/account/password") });

    expect((await change({ current: "wrong", next: "another password" })).statusCode).toBe(401);
    expect((await change({ current: PASSWORD, next: "short" })).body).toContain("8 to 256 characters");
    expect((await change({ current: PASSWORD, next: "another password", repeat: "an other" })).statusCode).toBe(400);
    expect((await elsewhere.get("/account/password")).statusCode).toBe(200);

    const before = here.cookies.get("hpc_session");
    expect((await change({ current: PASSWORD, next: "another password" })).headers.location).toBe(
      "/account/password?changed=1",
    );
    expect(here.cookies.get("hpc_session")).not.toBe(before);
    expect((await here.get("/account/password?changed=1")).body).toContain("Your password is changed");
    expect((await elsewhere.get("/account/password")).statusCode).toBe(302);
    expect((await site.browser().login("bob")).statusCode).toBe(401);
    expect((await site.browser().login("bob", { password: "another password" })).statusCode).toBe(302);
    expect(await audited("user.password_set")).toContainEqual({
      actor: "bob",
      subject: "user:bob",
      details: { ended_sessions: expect.any(Number) },
    });
  });

  it("counts wrong present passwords as failed sign-ins", async () => {
    const browser = site.browser();
    await browser.login("root");
    const guess = async () =>
      browser.post(
        "/account/password",
        {
          current: "wrong",
          next: "another password",
          repeat: "another password",
          csrf_token: await browser.token("/account/password"),
        },
        { remoteAddress: "198.51.100.9" },
      );
    for (let attempt = 1; attempt <= 5; attempt++) expect((await guess()).statusCode).toBe(401);
    const locked = await guess();
    expect(locked.statusCode).toBe(429);
    expect(locked.headers["retry-after"]).toBeDefined();
  });
});

describe("language and theme", () => {
  it("are kept for a year, and lead back to the page", async () => {
    const browser = site.browser();
    const answer = await browser.post(
      "/i18n/set",
      { lang: "th" },
      { headers: { referer: "http://localhost/login?next=%2Fme", host: "localhost" } },
    );
    expect(answer.headers.location).toBe("/login?next=%2Fme");
    expect(answer.cookies[0]).toMatchObject({
      name: "lang",
      value: "th",
      maxAge: 31_536_000,
      sameSite: "Lax",
      path: "/",
    });
    expect((await browser.get("/login")).body).toContain("เข้าสู่ระบบ");
    const theme = await browser.post("/theme/set", { theme: "dark", next: "/login" });
    expect(theme.headers.location).toBe("/login");
    expect((await browser.get("/login")).body).toContain('data-theme="dark"');
  });

  it.each(["//evil.example", "/\\evil.example", "https://evil.example/"])("never lead to %j", async (elsewhere) => {
    const answer = await site
      .browser()
      .post("/i18n/set", { lang: "en", next: elsewhere }, { headers: { referer: "https://evil.example/login" } });
    expect(answer.headers.location).toBe("/");
  });

  it("name the field and what is accepted when they are not understood", async () => {
    const answer = await site.browser().post("/i18n/set", { lang: "xx" }, { headers: { accept: "application/json" } });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({ error: 'lang: Invalid option: expected one of "en"|"th"', code: 400 });
  });
});

describe("cookies in production", () => {
  it("are HttpOnly, SameSite=Lax and Secure", async () => {
    const production = await startHarness({ env: PRODUCTION });
    try {
      const browser = production.browser();
      await browser.get("/login");
      const login = await browser.login("alice");
      expect(login.cookies).toHaveLength(1);
      expect(login.cookies[0]).toMatchObject({
        name: "hpc_session",
        httpOnly: true,
        sameSite: "Lax",
        secure: true,
        path: "/",
      });
      const visitor = (await production.browser().get("/login")).cookies;
      expect(visitor).toHaveLength(1);
      expect(visitor[0]).toMatchObject({
        name: "hpc_visitor",
        httpOnly: true,
        sameSite: "Lax",
        secure: true,
        path: "/",
      });
    } finally {
      await production.close();
    }
  });
});

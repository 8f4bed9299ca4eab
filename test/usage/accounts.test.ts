/** The accounts of a cluster are held as its scheduler has them. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { verifyAudit } from "../../src/audit/verify.ts";
import { sql } from "../../src/db/database.ts";
import { UpstreamError } from "../../src/errors.ts";
import type { AccountSnapshot } from "../../src/slurm/source.ts";
import { coordinatedAccounts, isCoordinator } from "../../src/usage/accounts/coordinated.ts";
import { storeAccounts } from "../../src/usage/accounts/store.ts";
import { anAccount, aSnapshot } from "../support/accounts.ts";
import { createTestContext, TEST_KEYRING, type TestContext } from "../support/context.ts";

const by = { actor: "slurm" };

let context: TestContext;
beforeEach(async () => {
  context = await createTestContext();
});
afterEach(() => context.close());

const FIRST = aSnapshot({
  accounts: [anAccount("root", null), anAccount("science"), anAccount("physics", "science"), anAccount("history")],
  members: { physics: ["alice", "bob"], history: ["carol"] },
  coordinators: { science: ["prof"], history: ["carol"] },
});

const store = (snapshot: AccountSnapshot, cluster = "test") => storeAccounts(context, cluster, snapshot, by);

/** All that is held of a cluster, in an order. */
async function held(cluster = "test") {
  const people = z
    .object({ account: z.string(), user_name: z.string() })
    .transform((row) => Object.values(row).join("/"));
  return {
    accounts: await context.db.rows(
      z.object({ account: z.string(), parent: z.string().nullable() }).transform((row) => [row.account, row.parent]),
      sql`SELECT account, parent FROM slurm_accounts WHERE cluster = ${cluster} ORDER BY account`,
    ),
    members: await context.db.rows(
      people,
      sql`SELECT account, user_name FROM account_members WHERE cluster = ${cluster} ORDER BY account, user_name`,
    ),
    coordinators: await context.db.rows(
      people,
      sql`SELECT account, user_name FROM account_coordinators WHERE cluster = ${cluster} ORDER BY account, user_name`,
    ),
  };
}

const auditRecords = () =>
  context.db.rows(
    z.object({ actor: z.string(), subject: z.string(), details: z.record(z.string(), z.unknown()) }),
    sql`SELECT actor, subject, details FROM audit_log WHERE action = 'accounts.synced' ORDER BY id`,
  );

/** Where each row is stored: a row that was written again is somewhere else. */
const places = () =>
  context.db.rows(
    z.object({ place: z.string() }),
    sql`SELECT 'a' || account || ctid AS place FROM slurm_accounts UNION ALL SELECT 'm' || account || user_name || ctid FROM account_members
        UNION ALL SELECT 'c' || account || user_name || ctid FROM account_coordinators ORDER BY 1`,
  );

describe("the accounts of a cluster", () => {
  it("are what the scheduler has, whatever was held before", async () => {
    expect(await store(FIRST)).toEqual({ changed: true, accounts: 4, members: 3, coordinators: 2 });
    await store(
      aSnapshot({
        accounts: [anAccount("root", null), anAccount("science"), anAccount("physics", "root"), anAccount("law")],
        members: { physics: ["alice"], law: ["bob"] },
        coordinators: { science: ["dean"], law: ["bob"] },
      }),
    );
    expect(await held()).toEqual({
      accounts: [
        ["law", "root"],
        ["physics", "root"],
        ["root", null],
        ["science", "root"],
      ],
      members: ["law/bob", "physics/alice"],
      coordinators: ["law/bob", "science/dean"],
    });
    expect((await auditRecords()).map(({ details }) => details)).toMatchObject([
      { accounts: 4, coordinators_added: expect.arrayContaining(["prof of science", "carol of history"]) },
      {
        accounts: 4,
        members: 2,
        accounts_changed: 3,
        members_changed: 3,
        coordinators_added: expect.arrayContaining(["dean of science", "bob of law"]),
        coordinators_removed: expect.arrayContaining(["prof of science", "carol of history"]),
      },
    ]);
    expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
  });

  it("are left alone where nothing differs, down to the row, and nothing is said", async () => {
    await store(FIRST);
    const before = await places();
    expect(await store(FIRST)).toEqual({ changed: false, accounts: 4, members: 3, coordinators: 2 });
    expect(await places()).toEqual(before);
    expect(await auditRecords()).toHaveLength(1);
  });

  it("are written only where they differ", async () => {
    await store(FIRST);
    const before = await places();
    await store({
      ...FIRST,
      accounts: FIRST.accounts.map((one) => (one.name === "history" ? { ...one, description: "of art" } : one)),
    });
    const after = await places();
    const moved = before.filter(({ place }) => !after.some((one) => one.place === place));
    expect(moved.map(({ place }) => place.replace(/\(.*/u, ""))).toEqual(["ahistory"]);
  });

  it("of one cluster say nothing about another", async () => {
    await store(FIRST);
    await store(FIRST, "other");
    await store(aSnapshot({ accounts: [anAccount("root", null)] }), "other");
    expect((await held()).accounts).toHaveLength(4);
    expect(await held("other")).toEqual({ accounts: [["root", null]], members: [], coordinators: [] });
  });

  it("are never wiped by a broken answer", async () => {
    await store(FIRST);
    const before = await held();
    await expect(store(aSnapshot({ accounts: [] }))).rejects.toThrow(UpstreamError);
    await expect(store(aSnapshot({ accounts: [] }))).rejects.toThrow("no accounts at all");
    expect(await held()).toEqual(before);
  });

  it("may be named twice in an answer", async () => {
    await store({
      accounts: [...FIRST.accounts, ...FIRST.accounts],
      members: [...FIRST.members, ...FIRST.members],
      coordinators: [...FIRST.coordinators, ...FIRST.coordinators],
    });
    expect((await held()).accounts).toHaveLength(4);
    expect(await store(FIRST)).toMatchObject({ changed: false, members: 3 });
  });

  it("bring users nobody here knew, and leave those who are known as they are", async () => {
    await context.db.run(
      sql`INSERT INTO users (username, role, default_account, created_at) VALUES ('alice', 'admin', 'law', now())`,
    );
    await store(FIRST);
    const users = await context.db.rows(
      z
        .object({ username: z.string(), role: z.string(), default_account: z.string() })
        .transform((row) => Object.values(row)),
      sql`SELECT username, role, default_account FROM users WHERE username IN ('alice', 'bob', 'carol', 'prof') ORDER BY username`,
    );
    expect(users).toEqual([
      ["alice", "admin", "law"],
      ["bob", "user", "physics"],
      ["carol", "user", "history"],
      ["prof", "user", ""],
    ]);
  });

  it("can be synced by two at once", async () => {
    const other = aSnapshot({ accounts: [anAccount("root", null), anAccount("law")], members: { law: ["dan"] } });
    await Promise.all(Array.from({ length: 6 }, (_, index) => store(index % 2 === 0 ? FIRST : other)));
    const now = await held();
    expect([4, 2]).toContain(now.accounts.length);
    expect(now.members.length).toBe(now.accounts.length === 4 ? 3 : 1);
  });

  it("of a large cluster are stored as they are", async () => {
    const accounts = Array.from({ length: 2_000 }, (_, index) =>
      anAccount(`a${index}`, index === 0 ? null : `a${Math.floor(index / 3)}`),
    );
    const members = accounts.flatMap(({ name }, index) =>
      Array.from({ length: 10 }, (_, user) => ({ account: name, user: `u${(index + user * 7) % 3_000}` })),
    );
    const coordinators = [{ account: "a0", user: "boss" }];
    expect(await store({ accounts, members, coordinators })).toMatchObject({ accounts: 2_000, members: 20_000 });
    expect(await store({ accounts, members, coordinators })).toMatchObject({ changed: false });
    expect(await coordinatedAccounts(context.db, "boss")).toHaveLength(2_000);
  });
});

describe("a coordinator", () => {
  const scope = async (user: string, account?: string) =>
    (await coordinatedAccounts(context.db, user, { account })).map(
      (one) => `${one.cluster}:${[...one.path, one.account].join(">")}`,
    );

  it("has the account and all below it, on its cluster", async () => {
    await store(FIRST);
    await store(FIRST, "other");
    await store(aSnapshot({ accounts: FIRST.accounts, coordinators: { physics: ["prof"] } }), "other");
    expect(await scope("prof")).toEqual(["other:physics", "test:science>physics", "test:science"]);
    expect(await scope("prof", "physics")).toEqual(["other:physics", "test:science>physics"]);
    expect(await scope("prof", "science")).toEqual(["test:science>physics", "test:science"]);
    expect(await scope("prof", "history")).toEqual([]);
    expect(await scope("alice")).toEqual([]);
    expect(await isCoordinator(context.db, "prof")).toBe(true);
    expect(await isCoordinator(context.db, "alice")).toBe(false);
  });

  it("of an account and of one below it has each account once", async () => {
    await store({ ...FIRST, coordinators: [...FIRST.coordinators, { account: "physics", user: "prof" }] });
    expect(await scope("prof")).toEqual(["test:science>physics", "test:science"]);
  });

  it("sees an end where the stored tree runs in a circle, or has lost a parent", async () => {
    await store(
      aSnapshot({
        accounts: [
          anAccount("a", "c"),
          anAccount("b", "a"),
          anAccount("c", "b"),
          anAccount("d", "gone"),
          anAccount("e", "e"),
        ],
        coordinators: { a: ["prof"], gone: ["dean"], e: ["eve"] },
      }),
    );
    expect(await scope("prof")).toEqual(["test:a", "test:a>b", "test:a>b>c"]);
    expect(await scope("dean")).toEqual(["test:gone>d", "test:gone"]);
    expect(await scope("eve")).toEqual(["test:e"]);
  });
});

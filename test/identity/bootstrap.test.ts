import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sql } from "../../src/db/database.ts";
import { bootstrapAdmin, createUser, findUser, seedDemoUsers, signIn } from "../../src/identity/index.ts";
import { BY, RULE, startIdentity, type IdentityHarness } from "./harness.ts";

const PASSWORD = "correct horse battery";

let identity: IdentityHarness;
beforeEach(async () => {
  identity = await startIdentity();
});
afterEach(() => identity.close());

const canSignIn = async (username: string, password: string): Promise<boolean> =>
  (await signIn(identity.db, identity.clock, RULE, { username, password, ip: "192.0.2.1" })).kind === "signedIn";

describe("the first administrator", () => {
  const start = (appEnv: "development" | "staging" | "production", adminPassword: string | null) =>
    bootstrapAdmin(identity.db, identity.clock, { appEnv, adminPassword });

  it("is made with ADMIN_PASSWORD, and never changed by a later start", async () => {
    expect(await start("production", PASSWORD)).toEqual({ kind: "created" });
    expect(await findUser(identity.db, "admin")).toMatchObject({ role: "admin", canSignIn: true });
    expect(await start("production", "another password")).toEqual({ kind: "exists" });
    expect(await start("production", null)).toEqual({ kind: "exists" });
    expect(await canSignIn("admin", PASSWORD)).toBe(true);
    expect(await identity.audited()).toContain("user.created user:admin");
  });

  it.each(["development", "staging"] as const)("gets a password of our own in %s, shown once", async (appEnv) => {
    const first = await start(appEnv, null);
    expect(
      first.kind === "generated" && first.password.length >= 16 && (await canSignIn("admin", first.password)),
    ).toBe(true);
    expect(await start(appEnv, null)).toEqual({ kind: "exists" });
  });

  it("is not made up in production: it says what to do", async () => {
    const outcome = await start("production", null);
    expect(outcome).toEqual({
      kind: "missing",
      warning: expect.stringContaining("hpc-billing user add NAME --role admin --password-stdin"),
    });
    expect(await findUser(identity.db, "admin")).toBeUndefined();
  });

  it("is not made up where somebody else administers", async () => {
    await createUser(identity.db, identity.clock, BY, { username: "root", password: PASSWORD, role: "admin" });
    expect(await start("development", null)).toEqual({ kind: "exists" });
    expect(await findUser(identity.db, "admin")).toBeUndefined();
  });

  it("of ten replicas that start together is made once", async () => {
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => start("staging", null)));
    expect(outcomes.filter(({ kind }) => kind === "generated")).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === "exists")).toHaveLength(9);
  });

  it("takes a password of some length in production, and hears when it is the example's", async () => {
    await expect(start("production", "short")).rejects.toThrow("ADMIN_PASSWORD takes 8 to 256");
    expect(await start("production", "generate-a-strong-one")).toMatchObject({
      kind: "created",
      warning: expect.stringContaining("sample"),
    });
    expect(await start("production", "short")).toEqual({ kind: "exists" });
  });
});

describe("demo users", () => {
  const users = [
    { username: "alice", password: "alice" },
    { username: "bob", password: "bob" },
  ];

  it("get a password where they have none, whether Slurm knew them or not", async () => {
    const { db, clock } = identity;
    await db.run(sql`INSERT INTO users (username, default_account, created_at) VALUES ('alice', 'mu-bio', now())`);
    expect(await seedDemoUsers(db, clock, users)).toEqual(["alice", "bob"]);
    expect(await canSignIn("alice", "alice")).toBe(true);
    expect(await findUser(db, "alice")).toMatchObject({ defaultAccount: "mu-bio", role: "user" });
  });

  it("keep the password they have", async () => {
    const { db, clock } = identity;
    await createUser(db, clock, BY, { username: "alice", password: PASSWORD, role: "admin" });
    expect(await seedDemoUsers(db, clock, users)).toEqual(["bob"]);
    expect(await seedDemoUsers(db, clock, users)).toEqual([]);
    expect(await canSignIn("alice", PASSWORD)).toBe(true);
    expect(await findUser(db, "alice")).toMatchObject({ role: "admin" });
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sql } from "../../src/db/database.ts";
import { createUser, findUser, isUsername, listUsers, setPassword, signIn } from "../../src/identity/index.ts";
import { hashPassword, verifyPassword } from "../../src/identity/password.ts";
import { BY, RULE, startIdentity, type IdentityHarness } from "./harness.ts";

let identity: IdentityHarness;
beforeAll(async () => {
  identity = await startIdentity();
});
afterAll(() => identity.close());

const PASSWORD = "correct horse battery";

async function canSignIn(username: string, password: string): Promise<boolean> {
  const { db, clock } = identity;
  return (await signIn(db, clock, RULE, { username, password, ip: "192.0.2.1" })).kind === "signedIn";
}

describe("a username", () => {
  it.each(["a", "alice", "Alice", "somchai.p", "สมชาย", "u@example.ac.th", "a b", "x".repeat(64)])(
    "may be %j",
    (name) => {
      expect(isUsername(name)).toBe(true);
    },
  );

  it.each(["", " alice", "alice ", "\u00a0alice", "a\nb", "a\u0000b", "a\u200bb", "a\u202eb", "x".repeat(65)])(
    "is never %j",
    async (name) => {
      expect(isUsername(name)).toBe(false);
      await expect(
        createUser(identity.db, identity.clock, BY, { username: name, password: PASSWORD, role: "user" }),
      ).rejects.toThrow("a username takes 1 to 64");
    },
  );
});

describe("a password", () => {
  it("is kept as Argon2id with the recommended cost", async () => {
    expect(await hashPassword(PASSWORD)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await hashPassword(PASSWORD)).not.toBe(await hashPassword(PASSWORD));
  });

  it("takes 8 to 256 characters, counted as people count them", async () => {
    const create = (password: string) =>
      createUser(identity.db, identity.clock, BY, { username: "lengths", password, role: "user" });
    for (const bad of ["", "1234567", "๑๒๓๔๕๖๗", "x".repeat(257)])
      await expect(create(bad)).rejects.toThrow("a password takes 8 to 256 characters");
    await create("🔑".repeat(256));
    expect(await canSignIn("lengths", "🔑".repeat(256))).toBe(true);
    expect(await canSignIn("lengths", "🔑".repeat(255))).toBe(false);
  });

  it("is the same however the keyboard composed it", async () => {
    expect(await verifyPassword(await hashPassword("caf\u00e9-na\u00efve"), "cafe\u0301-nai\u0308ve")).toBe(true);
  });

  it("takes as long to refuse for nobody as for somebody", async () => {
    const hash = await hashPassword(PASSWORD);
    const timeMs = async (passwordHash: string | null): Promise<number> => {
      const startedAt = performance.now();
      expect(await verifyPassword(passwordHash, "wrong password")).toBe(false);
      return performance.now() - startedAt;
    };
    const ratios: number[] = [];
    // In turns, so that a machine that is busy with something else is busy for both.
    for (let round = 0; round < 21; round++) ratios.push((await timeMs(null)) / (await timeMs(hash)));
    const ratio = ratios.toSorted((a, b) => a - b)[10] ?? 0;
    // Without the stand-in it would be a hundredth.
    expect(ratio).toBeGreaterThan(0.4);
    expect(ratio).toBeLessThan(2.5);
  });

  it("of absurd length is refused at once", async () => {
    expect(await verifyPassword(await hashPassword(PASSWORD), "x".repeat(1_000_000))).toBe(false);
  });
});

describe("a user", () => {
  it("is made once", async () => {
    const { db, clock } = identity;
    await createUser(db, clock, BY, { username: "once", password: PASSWORD, role: "admin" });
    await expect(
      createUser(db, clock, BY, { username: "once", password: "something else", role: "user" }),
    ).rejects.toThrow("user once exists and has a password");
    expect(await findUser(db, "once")).toMatchObject({ username: "once", role: "admin", canSignIn: true });
    expect(await canSignIn("once", PASSWORD)).toBe(true);
    expect(await canSignIn("Once", PASSWORD)).toBe(false);
  });

  it("of ten made at once is made once", async () => {
    const make = (index: number) =>
      createUser(identity.db, identity.clock, BY, { username: "race", password: `${PASSWORD} ${index}`, role: "user" });
    const made = (await Promise.allSettled(Array.from({ length: 10 }, (_, index) => make(index)))).filter(
      ({ status }) => status === "fulfilled",
    );
    expect(made).toHaveLength(1);
    expect((await identity.audited()).filter((line) => line === "user.created user:race")).toHaveLength(1);
  });

  it("known from Slurm keeps what Slurm said and gains a password", async () => {
    const { db, clock } = identity;
    await db.run(sql`INSERT INTO users (username, default_account, created_at) VALUES ('slurm1', 'gov-met', now())`);
    expect(await findUser(db, "slurm1")).toMatchObject({ canSignIn: false });
    expect(await canSignIn("slurm1", "")).toBe(false);
    await createUser(db, clock, BY, { username: "slurm1", password: PASSWORD, role: "user" });
    expect(await findUser(db, "slurm1")).toMatchObject({ canSignIn: true, defaultAccount: "gov-met" });
  });

  it("gets a new password, and the old one is worth nothing", async () => {
    const { db, clock } = identity;
    await createUser(db, clock, BY, { username: "changed", password: PASSWORD, role: "user" });
    await setPassword(db, BY, { username: "changed", password: "another password" });
    expect(await canSignIn("changed", PASSWORD)).toBe(false);
    expect(await canSignIn("changed", "another password")).toBe(true);
    await expect(setPassword(db, BY, { username: "nobody", password: PASSWORD })).rejects.toThrow(
      "there is no user nobody",
    );
  });

  it("is listed by name, a page at a time", async () => {
    const { db } = identity;
    const first = await listUsers(db, { limit: 2 });
    const second = await listUsers(db, { limit: 2, afterUsername: first[1]?.username ?? "" });
    const names = [...first, ...second].map(({ username }) => username);
    expect(names).toEqual(names.toSorted());
    expect(new Set(names).size).toBe(4);
  });

  it("leaves records without any password", async () => {
    expect(await identity.audited()).toEqual(
      expect.arrayContaining(["user.created user:once", "user.password_set user:changed", "login.succeeded user:once"]),
    );
    expect(await identity.auditText()).not.toMatch(/correct horse|another password|argon2/);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { sql } from "../../src/db/database.ts";
import {
  changeOwnPassword,
  createUser,
  endSession,
  findSession,
  purgeExpired,
  setPassword,
  signIn,
} from "../../src/identity/index.ts";
import { startSession } from "../../src/identity/sessions.ts";
import { BY, RULE, startIdentity, type IdentityHarness } from "./harness.ts";

const PASSWORD = "correct horse battery";
const HOUR = 3_600;

let identity: IdentityHarness;
beforeAll(async () => {
  identity = await startIdentity();
  await createUser(identity.db, identity.clock, BY, { username: "alice", password: PASSWORD, role: "user" });
});
beforeEach(() => identity.db.run(sql`DELETE FROM sessions`));
afterAll(() => identity.close());

let callers = 0;

/** From an address of its own, so that no throttle of another test is in the way. */
async function newSession(): Promise<string> {
  const ip = `198.51.100.${++callers}`;
  const outcome = await signIn(identity.db, identity.clock, RULE, { username: "alice", password: PASSWORD, ip });
  return outcome.kind === "signedIn" ? outcome.token : "";
}

const isAlive = async (token: string): Promise<boolean> =>
  (await findSession(identity.db, identity.clock, token)) !== null;

async function lastSeen(): Promise<string> {
  const row = await identity.db.one(z.object({ last_seen_at: z.date() }), sql`SELECT last_seen_at FROM sessions`);
  return row.last_seen_at.toISOString();
}

async function sessionCount(): Promise<bigint> {
  return (await identity.db.one(z.object({ n: z.bigint() }), sql`SELECT count(*) AS n FROM sessions`)).n;
}

describe("a session", () => {
  it("is whose it is, with the role of now", async () => {
    const token = await newSession();
    expect((await findSession(identity.db, identity.clock, token))?.user).toEqual({ username: "alice", role: "user" });
    await identity.db.run(sql`UPDATE users SET role = 'admin' WHERE username = 'alice'`);
    expect((await findSession(identity.db, identity.clock, token))?.user.role).toBe("admin");
    await identity.db.run(sql`UPDATE users SET role = 'user' WHERE username = 'alice'`);
  });

  it.each(["", "x", "x".repeat(43), "x".repeat(10_000), "'; DROP TABLE sessions"])(
    "is not opened by %j",
    async (token) => {
      await newSession();
      expect(await isAlive(token)).toBe(false);
    },
  );

  it("ends after twelve hours without a request", async () => {
    const token = await newSession();
    identity.clock.advance(11 * HOUR);
    expect(await isAlive(token)).toBe(true);
    identity.clock.advance(11 * HOUR);
    expect(await isAlive(token)).toBe(true);
    identity.clock.advance(12 * HOUR);
    expect(await isAlive(token)).toBe(false);
  });

  it("ends after seven days, however busy", async () => {
    const token = await newSession();
    for (let hours = 0; hours < 7 * 24 - 8; hours += 8) {
      identity.clock.advance(8 * HOUR);
      expect(await isAlive(token)).toBe(true);
    }
    identity.clock.advance(8 * HOUR);
    expect(await isAlive(token)).toBe(false);
  });

  it("notes when it was seen at most once a minute", async () => {
    const token = await newSession();
    const start = await lastSeen();
    identity.clock.advance(59);
    await isAlive(token);
    expect(await lastSeen()).toBe(start);
    identity.clock.advance(1);
    await Promise.all(Array.from({ length: 10 }, () => isAlive(token)));
    expect(await lastSeen()).toBe(identity.clock.now().toISOString());
  });

  it("ends with signing out, once in the audit trail", async () => {
    const token = await newSession();
    const session = await findSession(identity.db, identity.clock, token);
    if (session === null) throw new Error("no session");
    await endSession(identity.db, session);
    await endSession(identity.db, session);
    expect(await isAlive(token)).toBe(false);
    expect((await identity.audited()).filter((line) => line === "logout user:alice")).toHaveLength(1);
  });

  it("ends when the password is changed, by whomever", async () => {
    const before = await newSession();
    await setPassword(identity.db, BY, { username: "alice", password: PASSWORD });
    expect(await isAlive(before)).toBe(false);
    const [here, there] = [await newSession(), await newSession()];
    const change = await changeOwnPassword(identity.db, identity.clock, RULE, {
      username: "alice",
      current: PASSWORD,
      next: "another password",
      ip: "192.0.2.1",
    });
    expect([await isAlive(here), await isAlive(there)]).toEqual([false, false]);
    expect(change.kind === "changed" && (await isAlive(change.token))).toBe(true);
    await setPassword(identity.db, BY, { username: "alice", password: PASSWORD });
  });

  it("does not begin with a password that was changed while it was being checked", async () => {
    const token = await identity.db.transaction((tx) =>
      startSession(tx, { username: "alice", passwordHash: "the one before", now: identity.clock.now() }),
    );
    expect(token).toBeNull();
  });

  it("never outlives its password, whichever of both is faster", async () => {
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        newSession(),
        setPassword(identity.db, BY, { username: "alice", password: `new password ${round}` }),
        newSession(),
      ]);
      await setPassword(identity.db, BY, { username: "alice", password: PASSWORD });
      expect(await sessionCount()).toBe(0n);
    }
  });
});

describe("cleaning up", () => {
  it("deletes what has ended and nothing else", async () => {
    const { db, clock } = identity;
    await newSession();
    await signIn(db, clock, RULE, { username: "alice", password: "wrong", ip: "192.0.2.9" });
    clock.advance(12 * HOUR);
    const alive = await newSession();
    await signIn(db, clock, RULE, { username: "alice", password: "wrong", ip: "192.0.2.10" });
    const purged = await purgeExpired(db, clock, RULE);
    expect(purged.sessions).toBe(1);
    expect(purged.throttles).toBeGreaterThanOrEqual(1);
    expect(await purgeExpired(db, clock, RULE)).toEqual({ sessions: 0, throttles: 0 });
    expect(await isAlive(alive)).toBe(true);
  });

  it("works in batches, also when many have piled up", async () => {
    const { db, clock } = identity;
    await db.run(
      sql`INSERT INTO sessions SELECT sha256(n::text::bytea), 'alice', ${clock.now()}, ${clock.now()}, ${clock.now()} FROM generate_series(1, 2500) n`,
    );
    expect(await purgeExpired(db, clock, RULE)).toMatchObject({ sessions: 2_500 });
  });
});

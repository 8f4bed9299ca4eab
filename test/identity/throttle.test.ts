import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createUser, signIn, type SignInOutcome } from "../../src/identity/index.ts";
import { throttleKey } from "../../src/identity/throttle.ts";
import { BY, startIdentity, type IdentityHarness } from "./harness.ts";

const PASSWORD = "correct horse battery";
const RULE = { maxFails: 3, windowSeconds: 60, lockSeconds: 120 };

let identity: IdentityHarness;
beforeAll(async () => {
  identity = await startIdentity();
  await createUser(identity.db, identity.clock, BY, { username: "alice", password: PASSWORD, role: "user" });
});
afterAll(() => identity.close());

function attempt(ip: string, password = "wrong"): Promise<SignInOutcome> {
  return signIn(identity.db, identity.clock, RULE, { username: "alice", password, ip });
}

async function fail(ip: string, times: number): Promise<void> {
  for (let count = 0; count < times; count++) expect((await attempt(ip)).kind).toBe("refused");
}

describe("failed sign-ins", () => {
  it("lock after the limit, for the time of the lock, and begin anew after it", async () => {
    await fail("192.0.2.1", 3);
    expect(await attempt("192.0.2.1", PASSWORD)).toEqual({ kind: "locked", retryAfterSeconds: 120 });
    identity.clock.advance(119);
    expect(await attempt("192.0.2.1", PASSWORD)).toEqual({ kind: "locked", retryAfterSeconds: 1 });
    identity.clock.advance(1);
    await fail("192.0.2.1", 2);
    expect((await attempt("192.0.2.1", PASSWORD)).kind).toBe("signedIn");
  });

  it("are not made worse by asking again while locked", async () => {
    await fail("192.0.2.2", 3);
    for (let count = 0; count < 50; count++) await attempt("192.0.2.2");
    identity.clock.advance(120);
    expect((await attempt("192.0.2.2", PASSWORD)).kind).toBe("signedIn");
  });

  it("count within the window only", async () => {
    await fail("192.0.2.3", 2);
    identity.clock.advance(60);
    await fail("192.0.2.3", 2);
    expect((await attempt("192.0.2.3", PASSWORD)).kind).toBe("signedIn");
  });

  it("let the last attempt before the limit succeed, which clears them", async () => {
    await fail("192.0.2.4", 2);
    expect((await attempt("192.0.2.4", PASSWORD)).kind).toBe("signedIn");
    await fail("192.0.2.4", 3);
    expect((await attempt("192.0.2.4")).kind).toBe("locked");
  });

  it("of twenty at once are checked up to the limit, and lock once", async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => attempt("192.0.2.5")));
    expect(outcomes.filter(({ kind }) => kind === "refused")).toHaveLength(3);
    expect(outcomes.filter(({ kind }) => kind === "locked")).toHaveLength(17);
    const locks = (await identity.auditText())
      .split("\n")
      .filter((line) => line.includes("login.locked") && line.includes("192.0.2.5"));
    expect(locks).toHaveLength(1);
  });

  it("lock at the first one where the limit is one", async () => {
    const strict = { ...RULE, maxFails: 1 };
    const once = (password: string) =>
      signIn(identity.db, identity.clock, strict, { username: "alice", password, ip: "192.0.2.6" });
    expect((await once("wrong")).kind).toBe("refused");
    expect((await once(PASSWORD)).kind).toBe("locked");
    identity.clock.advance(120);
    expect((await once(PASSWORD)).kind).toBe("signedIn");
  });
});

describe("the address of an attempt", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:0:1:aaaa::1", "2001:db8:0:1::/64"],
    ["2001:db8:0:1::2", "2001:db8:0:1::/64"],
    ["2001:0DB8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ])("%s counts as %s", (ip, network) => {
    expect(throttleKey("alice", ip)).toEqual({ username: "alice", ip: network });
  });

  it("makes one row for all names that cannot exist", () => {
    expect(throttleKey(" alice", "192.0.2.1").username).toBe("");
    expect(throttleKey("a\u0000", "192.0.2.1").username).toBe("");
  });
});

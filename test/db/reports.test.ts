import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { sql, type Queries, type Sql } from "../../src/db/database.ts";
import { ReplicaReports } from "../../src/db/reports.ts";
import { createTestContext, TestClock, type TestContext } from "../support/context.ts";

let context: TestContext;
let clock: TestClock;
let replica: Replica;
let reports: ReplicaReports;
let troubles: string[];

/** The same data, behind or away as the test says; what it is asked for is remembered. */
class Replica implements Queries {
  lag: number | null = 0;
  isAway = false;
  readonly asked: string[] = [];
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  rows<S extends z.ZodType>(schema: S, query: Sql) {
    return this.#answer(query, () => this.#queries.rows(schema, query));
  }

  maybeOne<S extends z.ZodType>(schema: S, query: Sql) {
    return this.#answer(query, () => this.#queries.maybeOne(schema, query));
  }

  run(): Promise<number> {
    return Promise.reject(new Error("a replica takes no changes"));
  }

  one<S extends z.ZodType>(schema: S, query: Sql): Promise<z.output<S>> {
    const isAboutLag = query.text.includes("pg_last_xact_replay_timestamp");
    const asked = isAboutLag ? sql`SELECT ${this.lag}::float8 AS lag` : query;
    return this.#answer(query, () => this.#queries.one(schema, asked));
  }

  async #answer<T>(query: Sql, read: () => Promise<T>): Promise<T> {
    this.asked.push(query.text);
    if (this.isAway) throw new Error("connection terminated");
    return read();
  }
}

beforeEach(async () => {
  context = await createTestContext();
  clock = new TestClock("2026-11-01T02:00:00Z");
  replica = new Replica(context.db);
  troubles = [];
  reports = new ReplicaReports({
    primary: context.db,
    replica,
    clock,
    onTrouble: (error) => troubles.push(error instanceof Error ? error.message : String(error)),
  });
});

afterEach(() => context.close());

const answer = () => reports.one(z.object({ two: z.number() }), sql`SELECT 2 AS two`);
const wasAsked = () => replica.asked.some((text) => text === "SELECT 2 AS two");
const pass = () => clock.set(new Date(clock.now().getTime() + 6_000).toISOString());

describe("reports", () => {
  it("are read from the replica, which says how far behind it is", async () => {
    replica.lag = 12.4;
    expect(await answer()).toEqual({ two: 2 });
    expect(wasAsked()).toBe(true);
    expect(await reports.lagSeconds()).toBe(12);
  });

  it.each([
    ["far behind", 61],
    ["behind for an unknown time", null],
  ] as const)("are read from the database itself when the replica is %s", async (_how, lag) => {
    replica.lag = lag;
    expect(await answer()).toEqual({ two: 2 });
    expect(wasAsked()).toBe(false);
    expect(await reports.lagSeconds()).toBeNull();
  });

  it("are answered by the database itself when the replica goes away in the middle, and by the replica when it is back", async () => {
    await answer();
    replica.isAway = true;
    expect(await answer()).toEqual({ two: 2 });
    expect(await reports.lagSeconds()).toBeNull();
    expect(troubles).toEqual(["connection terminated"]);
    pass();
    expect(await answer()).toEqual({ two: 2 });
    expect(troubles).toHaveLength(1);
    replica.isAway = false;
    pass();
    replica.asked.splice(0);
    await answer();
    expect(wasAsked()).toBe(true);
  });

  it("look at the replica once for many that ask at once", async () => {
    await Promise.all(Array.from({ length: 20 }, answer));
    expect(replica.asked.filter((text) => text !== "SELECT 2 AS two")).toHaveLength(1);
  });

  it("never change anything on the replica", async () => {
    expect(await reports.run(sql`UPDATE settings SET value = value`)).toBe(0);
  });

  it("can ask a real server, which is no replica and so not behind", async () => {
    const real = new ReplicaReports({ primary: replica, replica: context.db, clock, onTrouble: () => undefined });
    expect(await real.lagSeconds()).toBe(0);
  });
});

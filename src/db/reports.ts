/** Where reports are read: a read replica as long as it is there and not far behind, else the database itself. */
import type { z } from "zod";
import { z as schema } from "zod";
import type { Clock } from "../clock.ts";
import { sql, type Database, type Queries, type Sql } from "./database.ts";

/** Reads that may be some seconds old. */
export interface Reports extends Queries {
  /** How many seconds behind they are; null where they are read from the database itself. */
  lagSeconds(): Promise<number | null>;
}

/** Reports of an installation without a replica. */
export function reportsOf(db: Database): Reports {
  return {
    rows: (shape, query) => db.rows(shape, query),
    one: (shape, query) => db.one(shape, query),
    maybeOne: (shape, query) => db.maybeOne(shape, query),
    run: (query) => db.run(query),
    lagSeconds: () => Promise.resolve(null),
  };
}

/** A replica further behind is left alone: a report must not miss what its reader did a while ago. */
const MOST_LAG_SECONDS = 60;
const LOOK_EVERY_MS = 5_000;

const standingSchema = schema.object({ lag: schema.number().nullable() });

/**
 * What is replayed so far, as `pg_last_xact_replay_timestamp` has it (PostgreSQL, "Recovery Information Functions"): that
 * time stands still while nothing is written, so a replica that has replayed all it received is not behind.
 */
const STANDING = sql`SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0
    WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
    ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 END AS lag`;

export class ReplicaReports implements Reports {
  readonly #primary: Queries;
  readonly #replica: Queries;
  readonly #clock: Clock;
  readonly #onTrouble: (error: unknown) => void;
  #lookedAt = 0;
  #looking: Promise<number | null> | undefined;
  #lag: number | null = null;

  /** @param onTrouble told once each time that the replica becomes unusable. */
  constructor(options: {
    readonly primary: Queries;
    readonly replica: Queries;
    readonly clock: Clock;
    readonly onTrouble: (error: unknown) => void;
  }) {
    this.#primary = options.primary;
    this.#replica = options.replica;
    this.#clock = options.clock;
    this.#onTrouble = options.onTrouble;
  }

  rows<S extends z.ZodType>(shape: S, query: Sql): Promise<z.output<S>[]> {
    return this.#ask((queries) => queries.rows(shape, query));
  }

  one<S extends z.ZodType>(shape: S, query: Sql): Promise<z.output<S>> {
    return this.#ask((queries) => queries.one(shape, query));
  }

  maybeOne<S extends z.ZodType>(shape: S, query: Sql): Promise<z.output<S> | undefined> {
    return this.#ask((queries) => queries.maybeOne(shape, query));
  }

  /** Never on the replica: it takes no changes. */
  run(query: Sql): Promise<number> {
    return this.#primary.run(query);
  }

  async lagSeconds(): Promise<number | null> {
    const now = this.#clock.now().getTime();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return this.#lag;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<number | null> {
    try {
      const { lag } = await this.#replica.one(standingSchema, STANDING);
      const isUsable = lag !== null && lag <= MOST_LAG_SECONDS;
      if (!isUsable && this.#lag !== null) this.#onTrouble(new Error(`it is ${lag ?? "an unknown time"} s behind`));
      this.#lag = isUsable ? Math.max(0, Math.round(lag)) : null;
    } catch (error) {
      this.#giveUp(error);
    }
    this.#lookedAt = this.#clock.now().getTime();
    return this.#lag;
  }

  async #ask<T>(read: (queries: Queries) => Promise<T>): Promise<T> {
    if ((await this.lagSeconds()) === null) return read(this.#primary);
    try {
      return await read(this.#replica);
    } catch (error) {
      // It is away, or canceled the query because of what it has to replay: the database itself answers, or says why not.
      this.#giveUp(error);
      return read(this.#primary);
    }
  }

  #giveUp(error: unknown): void {
    if (this.#lag !== null) this.#onTrouble(error);
    this.#lag = null;
    this.#lookedAt = this.#clock.now().getTime();
  }
}

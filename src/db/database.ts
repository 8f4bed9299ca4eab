import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import sql, { type Sql } from "sql-template-tag";
import type { Writable } from "node:stream";
import type { z } from "zod";
import { UpstreamError } from "../errors.ts";

export { sql, type Sql };
export { join, raw } from "sql-template-tag";

/** One state change, as it will stand in the audit trail. */
export interface AuditEvent {
  /** Who did it: a username, or `system`, `slurm`, `provider:dummy`, `cli:<login>`. */
  readonly actor: string;
  /** What happened, `noun.verb`: `receipt.issued`. */
  readonly action: string;
  /** What it happened to: `receipt:R-2026-000001`. */
  readonly subject: string;
  /** Facts worth keeping; bigints become strings, undefined is left out. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly requestId?: string | undefined;
}

/** Who does something, and in which request, as a use case is told it. */
export type Actor = Pick<AuditEvent, "actor" | "requestId">;

/** Writes the events of one transaction to the audit trail, inside that transaction, as its last statements. */
export type AuditWriter = (queries: Queries, events: readonly AuditEvent[]) => Promise<void>;

/** What can be asked of the database; every row is checked against its schema on the way in. */
export interface Queries {
  rows<S extends z.ZodType>(schema: S, query: Sql): Promise<z.output<S>[]>;
  /** @throws when there is not exactly one row. */
  one<S extends z.ZodType>(schema: S, query: Sql): Promise<z.output<S>>;
  maybeOne<S extends z.ZodType>(schema: S, query: Sql): Promise<z.output<S> | undefined>;
  /** Number of rows the statement touched. */
  run(query: Sql): Promise<number>;
}

export interface Transaction extends Queries {
  /** Adds a record to the audit trail; written just before the commit, so that the chain's lock is held for a moment only. */
  audit(event: AuditEvent): void;
  /** Opens a `COPY … FROM STDIN`. */
  copyFrom(statement: string): Writable;
  /** Runs `work`; when it throws, what it did is undone, the error is thrown on, and the transaction can go on. */
  attempt<T>(work: () => Promise<T>): Promise<T>;
}

export class Database implements Queries {
  readonly #pool: pg.Pool;
  readonly #writeAudit: AuditWriter;

  constructor(pool: pg.Pool, writeAudit: AuditWriter) {
    this.#pool = pool;
    this.#writeAudit = writeAudit;
  }

  rows<S extends z.ZodType>(schema: S, query: Sql): Promise<z.output<S>[]> {
    return queriesOn(this.#pool).rows(schema, query);
  }

  one<S extends z.ZodType>(schema: S, query: Sql): Promise<z.output<S>> {
    return queriesOn(this.#pool).one(schema, query);
  }

  maybeOne<S extends z.ZodType>(schema: S, query: Sql): Promise<z.output<S> | undefined> {
    return queriesOn(this.#pool).maybeOne(schema, query);
  }

  run(query: Sql): Promise<number> {
    return queriesOn(this.#pool).run(query);
  }

  /** Connections in use, idle, and callers waiting for one. */
  poolState(): { total: number; idle: number; waiting: number } {
    return { total: this.#pool.totalCount, idle: this.#pool.idleCount, waiting: this.#pool.waitingCount };
  }

  /**
   * Runs `work` in one READ COMMITTED transaction, then writes its audit records, then commits. Any error rolls everything back. A deadlock victim is tried again from the start, at most twice, so
   * `work` must have no effect outside of the transaction.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#transactionOnce(work);
      } catch (error) {
        if (attempt < 3 && isTransient(error)) continue;
        throw error;
      }
    }
  }

  async #transactionOnce<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    const events: AuditEvent[] = [];
    const queries = queriesOn(client);
    let broken: Error | undefined;
    // Without a listener an `error` event of a connection that dies in mid-transaction would end the process.
    const onError = (error: Error): void => {
      broken = error;
    };
    client.on("error", onError);
    try {
      await client.query("BEGIN");
      const result = await work({
        ...queries,
        audit: (event) => void events.push(event),
        copyFrom: (statement) => client.query(copyFrom(statement)),
        attempt: (step) => inSavepoint(client, step),
      });
      if (events.length > 0) await this.#writeAudit(queries, events);
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch((rollbackError: unknown) => {
        broken ??= rollbackError instanceof Error ? rollbackError : new Error(String(rollbackError));
      });
      throw error;
    } finally {
      client.off("error", onError);
      client.release(broken);
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

async function inSavepoint<T>(client: pg.PoolClient, work: () => Promise<T>): Promise<T> {
  await client.query("SAVEPOINT attempt");
  try {
    const result = await work();
    await client.query("RELEASE SAVEPOINT attempt");
    return result;
  } catch (error) {
    await client.query("ROLLBACK TO SAVEPOINT attempt");
    await client.query("RELEASE SAVEPOINT attempt");
    throw error;
  }
}

const DEADLOCK = "40P01";
const SERIALIZATION_FAILURE = "40001";

function isTransient(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === DEADLOCK || error.code === SERIALIZATION_FAILURE);
}

/** True for a violation of the named unique index or constraint. */
export function violates(error: unknown, constraint: string): boolean {
  return error instanceof pg.DatabaseError && error.constraint === constraint;
}

function queriesOn(target: pg.Pool | pg.PoolClient): Queries {
  const rows = async <S extends z.ZodType>(schema: S, query: Sql): Promise<z.output<S>[]> => {
    const answer = await target.query<Record<string, unknown>>(query.text, query.values);
    return answer.rows.map((row) => schema.parse(row));
  };
  return {
    rows,
    async one(schema, query) {
      const found = await rows(schema, query);
      const first = found[0];
      if (found.length !== 1 || first === undefined) {
        throw new UpstreamError(`expected one row, got ${found.length}: ${query.text.slice(0, 200)}`);
      }
      return first;
    },
    async maybeOne(schema, query) {
      return (await rows(schema, query))[0];
    },
    async run(query) {
      const answer = await target.query(query.text, query.values);
      return answer.rowCount ?? 0;
    },
  };
}

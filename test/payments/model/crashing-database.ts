/** A database whose process dies at a chosen statement: what was not committed is gone, and nothing more is done. */
import type { z } from "zod";
import { Database, type Sql, type Transaction } from "../../../src/db/database.ts";

/** The process is dead; no code may survive it by catching. */
export class Crash extends Error {}

export class CrashingDatabase extends Database {
  #statementsLeft: number | undefined;
  #isDead = false;

  /** Dies before the so-many-th step from now: a statement, or the moment after a commit. */
  crashIn(steps: number): void {
    this.#statementsLeft = steps;
  }

  /** A new process over the same data. True when the old one had died. */
  restart(): boolean {
    const wasDead = this.#isDead;
    this.#isDead = false;
    this.#statementsLeft = undefined;
    return wasDead;
  }

  #step(): void {
    if (this.#isDead) throw new Crash("the process is dead");
    if (this.#statementsLeft === undefined) return;
    if (this.#statementsLeft > 0) this.#statementsLeft--;
    else {
      this.#isDead = true;
      throw new Crash("the process died here");
    }
  }

  async #around<T>(work: () => Promise<T>): Promise<T> {
    this.#step();
    const result = await work();
    this.#step();
    return result;
  }

  override rows<S extends z.ZodType>(schema: S, query: Sql): Promise<z.output<S>[]> {
    return this.#around(() => super.rows(schema, query));
  }

  override one<S extends z.ZodType>(schema: S, query: Sql): Promise<z.output<S>> {
    return this.#around(() => super.one(schema, query));
  }

  override maybeOne<S extends z.ZodType>(schema: S, query: Sql): Promise<z.output<S> | undefined> {
    return this.#around(() => super.maybeOne(schema, query));
  }

  override run(query: Sql): Promise<number> {
    return this.#around(() => super.run(query));
  }

  override transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#around(() =>
      super.transaction((tx) => {
        const before = <A extends readonly unknown[], R>(call: (...given: A) => Promise<R>) => {
          return (...given: A): Promise<R> => {
            this.#step();
            return call(...given);
          };
        };
        return work({
          ...tx,
          rows: (schema, query) => before(() => tx.rows(schema, query))(),
          one: (schema, query) => before(() => tx.one(schema, query))(),
          maybeOne: (schema, query) => before(() => tx.maybeOne(schema, query))(),
          run: before((query: Sql) => tx.run(query)),
        });
      }),
    );
  }
}

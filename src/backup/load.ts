/** Fills a schema with what a backup holds. */
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { raw, sql, type Transaction } from "../db/database.ts";
import { CREATE_BOOKKEEPING, readMigrations } from "../db/migrate.ts";
import { UserError } from "../errors.ts";
import { quoted, tablesOf, type CatalogTable } from "./catalog.ts";
import type { Header } from "./format.ts";
import type { TarEntry } from "./tar.ts";

/** What was read of a table. */
export interface Loaded {
  readonly bytes: bigint;
  readonly sha256: string;
}

/**
 * Makes the schema as it was when the backup was taken: by its migrations and none that came later, as those also change
 * rows, and run when these are there.
 *
 * @throws {UserError} for a backup of a version newer than this one.
 */
export async function makeSchema(tx: Transaction, header: Header): Promise<CatalogTable[]> {
  const known = new Map((await readMigrations()).map((migration) => [migration.name, migration]));
  await tx.run(sql`${raw(CREATE_BOOKKEEPING)}`);
  for (const { name, checksum } of header.migrations) {
    const migration = known.get(name);
    if (migration?.checksum !== checksum) {
      throw new UserError(
        `the backup was taken by version ${header.version} and has migration ${name}, which this version ${migration === undefined ? "does not know" : "has with another text"}: restore it with that version`,
      );
    }
    await tx.run(sql`${raw(migration.sql)}`);
  }
  const tables = await tablesOf(tx);
  refuseOtherTables(tables, header);
  // Rows that migrations made come from the backup as well; and it is no change of state that triggers could judge.
  await tx.run(sql`SET CONSTRAINTS ALL IMMEDIATE`);
  for (const { name } of tables) await tx.run(sql`ALTER TABLE ${raw(quoted(name))} DISABLE TRIGGER USER`);
  await tx.run(sql`TRUNCATE ${raw(tables.map(({ name }) => quoted(name)).join(", "))} CASCADE`);
  return tables;
}

function refuseOtherTables(tables: readonly CatalogTable[], header: Header): void {
  const text = (given: readonly { name: string; columns: readonly string[] }[]): string[] =>
    given.map(({ name, columns }) => `${name} (${columns.join(", ")})`).sort();
  const ours = new Set(text(tables));
  const strange = text(header.tables).find((one) => !ours.has(one));
  if (strange !== undefined || header.tables.length !== tables.length)
    throw new UserError(`its tables are not those of its migrations: ${strange ?? "some are missing"}`);
}

/** Loads one table after the other, as their pieces come. */
export class Loader {
  readonly #tx: Transaction;
  readonly #waiting: { name: string; columns: string[] }[];
  readonly #loaded = new Map<string, Loaded>();
  #open: { readonly name: string; readonly stream: ReturnType<Transaction["copyFrom"]>; readonly digest: Hash; bytes: bigint } | undefined; // prettier-ignore

  constructor(tx: Transaction, header: Header) {
    this.#tx = tx;
    this.#waiting = [...header.tables];
  }

  async take({ name, data }: TarEntry): Promise<void> {
    const table = /^tables\/([a-z0-9_]+)\/\d+\.copy$/u.exec(name)?.[1];
    if (table === undefined) throw new UserError(`it holds "${name}", which does not belong there`);
    if (this.#open?.name !== table) await this.#next(table);
    const open = this.#open;
    if (open === undefined) throw new Error(`${table} was not opened`);
    open.digest.update(data);
    open.bytes += BigInt(data.length);
    if (open.stream.errored !== null) throw open.stream.errored;
    if (!open.stream.write(data)) await once(open.stream, "drain");
  }

  /** Ends the COPY under way, so that the transaction can be rolled back. */
  async abort(): Promise<void> {
    const stream = this.#open?.stream;
    this.#open = undefined;
    if (stream === undefined || stream.closed) return;
    stream.destroy();
    // Not `once`, which would give us the error that this makes in place of the one that matters.
    await new Promise<void>((resolve) => stream.once("close", () => resolve()));
  }

  /** Ends the last table, switches the rules on again and lets the database check all references. */
  async end(): Promise<ReadonlyMap<string, Loaded>> {
    await this.#close();
    for (const { name } of this.#waiting.splice(0)) this.#keep(name, createHash("sha256"), 0n);
    await this.#tx.run(sql`SET CONSTRAINTS ALL IMMEDIATE`);
    for (const name of this.#loaded.keys())
      await this.#tx.run(sql`ALTER TABLE ${raw(quoted(name))} ENABLE TRIGGER USER`);
    return this.#loaded;
  }

  async #next(wanted: string): Promise<void> {
    await this.#close();
    const at = this.#waiting.findIndex(({ name }) => name === wanted);
    const table = this.#waiting[at];
    if (table === undefined) throw new UserError(`it holds rows of ${wanted} where none can be`);
    // Those in between are empty.
    for (const { name } of this.#waiting.splice(0, at)) this.#keep(name, createHash("sha256"), 0n);
    this.#waiting.shift();
    const stream = this.#tx.copyFrom(`COPY ${quoted(wanted)} (${table.columns.map(quoted).join(", ")}) FROM STDIN`);
    // What goes wrong is told at the end of the stream, or by the wait for it to drain.
    stream.on("error", () => undefined);
    this.#open = { name: wanted, stream, digest: createHash("sha256"), bytes: 0n };
  }

  async #close(): Promise<void> {
    if (this.#open === undefined) return;
    const { name, stream, digest, bytes } = this.#open;
    this.#open = undefined;
    stream.end();
    await finished(stream);
    this.#keep(name, digest, bytes);
  }

  #keep(name: string, digest: Hash, bytes: bigint): void {
    this.#loaded.set(name, { bytes, sha256: digest.digest("hex") });
  }
}

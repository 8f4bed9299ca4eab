import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { z } from "zod";
import { openClient } from "../db/connection.ts";
import { sql } from "../db/database.ts";
import { messageOf, UpstreamError, UserError } from "../errors.ts";
import { quoted, sequencesOf, tablesOf, type Ask, type CatalogTable } from "./catalog.ts";
import type { Header } from "./format.ts";

/** A database as it was at one instant, however much is written to it meanwhile. */
export interface Snapshot {
  readonly tables: readonly CatalogTable[];
  readonly header: Omit<Header, "version" | "format" | "product" | "taken_at">;
  readonly ask: Ask;
  /** The rows of a table in PostgreSQL's text format: one line each. */
  rows(table: CatalogTable): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** Settings on which the text of values depends; the same whoever reads and writes them. */
export const PLAIN_VALUES = sql`SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
  set_config('intervalstyle', 'postgres', true), set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true)`;

/**
 * Opens a snapshot. As pg_dump does, it locks the tables against changes of their structure, and against nothing else.
 *
 * @throws {UserError} when the database holds none of our tables.
 */
export async function openSnapshot(url: string): Promise<Snapshot> {
  const client = openClient(url);
  try {
    await client.connect();
  } catch (error) {
    throw new UpstreamError(`the database at ${client.host}:${client.port} cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    return await begin(client);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

async function begin(client: pg.Client): Promise<Snapshot> {
  const ask = askOf(client);
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  await ask.rows(z.unknown(), PLAIN_VALUES);
  const tables = await tablesOf(ask);
  if (!tables.some(({ name }) => name === "schema_migrations"))
    throw new UserError("the database is empty: there is nothing to back up");
  await client.query(`LOCK TABLE ${tables.map(({ name }) => quoted(name)).join(", ")} IN ACCESS SHARE MODE`);
  const server = await only(ask, z.object({ server: z.string() }), sql`SELECT version() AS server`);
  const audit = await only(
    ask,
    z.object({ records: z.string(), head: z.string() }),
    sql`SELECT id::text AS records, hash AS head FROM audit_head`,
  );
  return {
    tables,
    header: {
      ...server,
      audit,
      migrations: await ask.rows(
        z.object({ name: z.string(), checksum: z.string() }),
        sql`SELECT name, checksum FROM schema_migrations ORDER BY name`,
      ),
      tables: tables.map(({ name, columns }) => ({ name, columns })),
      sequences: await sequencesOf(ask),
    },
    ask,
    rows: ({ name, columns }) =>
      // A query and not the table itself, which PostgreSQL could not copy if it is partitioned one day.
      client.query(copyTo(`COPY (SELECT ${columns.map(quoted).join(", ")} FROM ${quoted(name)}) TO STDOUT`)),
    close: () => client.end(),
  };
}

function askOf(client: pg.Client): Ask {
  return {
    rows: async (schema, query) => {
      const answer = await client.query<Record<string, unknown>>(query.text, query.values);
      return answer.rows.map((row) => schema.parse(row));
    },
  };
}

async function only<T>(ask: Ask, schema: z.ZodType<T>, query: ReturnType<typeof sql>): Promise<T> {
  const [row] = await ask.rows(schema, query);
  if (row === undefined) throw new UpstreamError(`expected a row: ${query.text}`);
  return row;
}

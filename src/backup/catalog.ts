/** What there is in a database to be kept, and the control totals by which it is compared. */
import { z } from "zod";
import { join, raw, sql, type Queries } from "../db/database.ts";

/** What is asked here is asked in a backup's snapshot and in a restore's transaction alike. */
export type Ask = Pick<Queries, "rows">;

/**
 * Tables whose rows are not kept: worth nothing the day after, and a session that was ended since must not come to life
 * again by a restore.
 */
const SHORT_LIVED = ["sessions", "login_throttle"];

const catalogTable = z.object({
  name: z.string(),
  columns: z.array(z.string()),
  /** Columns of whole numbers. */
  numbers: z.array(z.string()),
  /** Other tables that it refers to, which must be filled before it. */
  needs: z.array(z.string()),
});

export type CatalogTable = z.output<typeof catalogTable>;

/** All tables whose rows are kept, those that others refer to first. */
export async function tablesOf(ask: Ask): Promise<CatalogTable[]> {
  const tables = await ask.rows(
    catalogTable,
    sql`SELECT c.relname::text AS name,
          ARRAY(SELECT a.attname::text FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                ORDER BY a.attnum) AS columns,
          ARRAY(SELECT a.attname::text FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
                ORDER BY a.attnum) AS numbers,
          ARRAY(SELECT DISTINCT r.relname::text FROM pg_constraint f JOIN pg_class r ON r.oid = f.confrelid
                WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid <> c.oid) AS needs
        FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.relname <> ALL (${SHORT_LIVED})
        ORDER BY c.relname`,
  );
  return inOrder(tables);
}

function inOrder(tables: readonly CatalogTable[]): CatalogTable[] {
  const ordered: CatalogTable[] = [];
  let rest = tables;
  while (rest.length > 0) {
    const isWaiting = (table: CatalogTable): boolean =>
      table.needs.some((name) => rest.some((other) => other.name === name));
    const ready = rest.filter((table) => !isWaiting(table));
    if (ready.length === 0)
      throw new Error(`these tables refer to each other: ${rest.map(({ name }) => name).join(", ")}`);
    ordered.push(...ready);
    rest = rest.filter(isWaiting);
  }
  return ordered;
}

const sequenceState = z.object({ name: z.string(), last_value: z.string(), is_called: z.boolean() });

/** Where every sequence stands. A sequence knows no snapshot: it may be ahead of the rows, never behind. */
export async function sequencesOf(ask: Ask): Promise<z.output<typeof sequenceState>[]> {
  const names = await ask.rows(
    z.object({ name: z.string() }),
    sql`SELECT relname::text AS name FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S' ORDER BY relname`,
  );
  const states: z.output<typeof sequenceState>[] = [];
  for (const { name } of names) {
    const query = sql`SELECT ${name}::text AS name, last_value::text AS last_value, is_called FROM ${raw(quoted(name))}`;
    states.push(...(await ask.rows(sequenceState, query)));
  }
  return states;
}

/** How many rows a table has, and the sum of every column of whole numbers. */
export interface Totals {
  readonly rows: string;
  readonly sums: Readonly<Record<string, string>>;
}

export async function totalsOf(
  ask: Ask,
  table: { readonly name: string; readonly numbers: readonly string[] },
): Promise<Totals> {
  const sums = table.numbers.map((column) => sql`coalesce(sum(${raw(quoted(column))}), 0)::text`);
  const [row] = await ask.rows(
    z.object({ rows: z.string(), sums: z.array(z.string()) }),
    sql`SELECT count(*)::text AS rows, ARRAY[${sums.length === 0 ? sql`` : join(sums)}]::text[] AS sums FROM ${raw(quoted(table.name))}`,
  );
  if (row === undefined) throw new Error(`no totals of ${table.name}`);
  return { rows: row.rows, sums: Object.fromEntries(table.numbers.map((column, at) => [column, row.sums[at] ?? "0"])) };
}

/** A name as it stands in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The database into which a backup goes: what is in it, and how it is made empty. */
import { z } from "zod";
import { raw, sql, type Queries } from "../db/database.ts";
import { ConflictError, UserError } from "../errors.ts";
import { quoted } from "./catalog.ts";

/** The schema of a trial; nobody else ever sees it, as its transaction is never committed. */
const TRIAL_SCHEMA = "hpc_billing_restore_trial";

const OURS = sql`relnamespace = current_schema()::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')`;

/** Works in a schema of its own from here on, in this transaction. */
export async function useTrialSchema(queries: Queries): Promise<void> {
  await queries.run(sql`CREATE SCHEMA ${raw(TRIAL_SCHEMA)}`);
  await queries.run(sql`SET LOCAL search_path = ${raw(TRIAL_SCHEMA)}`);
}

/**
 * Makes sure that the database is empty.
 *
 * @param replace whether what is there may be dropped, which comes into force with the commit.
 * @throws {UserError} when there is something and it may not; {@link ConflictError} while others are connected.
 */
export async function makeEmpty(queries: Queries, { replace }: { readonly replace: boolean }): Promise<void> {
  const { tables } = await queries.one(
    z.object({ tables: z.bigint() }),
    sql`SELECT count(*) AS tables FROM pg_class c WHERE ${OURS} AND relkind IN ('r', 'p', 'v', 'm', 'S')`,
  );
  if (tables === 0n) return;
  if (!replace) {
    throw new UserError(
      "the database is not empty: restore into an empty one (--into), or say --replace, which drops all that is in it",
    );
  }
  await refuseCompany(queries);
  await dropAll(queries);
}

/** Whoever works on the old state must not go on as if it were still there. */
async function refuseCompany(queries: Queries): Promise<void> {
  const { others } = await queries.one(
    z.object({ others: z.bigint() }),
    sql`SELECT count(*) AS others FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend'
          AND application_name NOT LIKE 'hpc-billing lease%'`,
  );
  if (others > 0n)
    throw new ConflictError(
      `${others} others are connected to the database: stop the application and all else that uses it`,
    );
}

async function dropAll(queries: Queries): Promise<void> {
  const relations = await queries.rows(
    z.object({ kind: z.string(), name: z.string() }),
    sql`SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
               relname::text AS name
        FROM pg_class c WHERE ${OURS} AND relkind IN ('r', 'p', 'v', 'm', 'S')
        ORDER BY relkind = 'S', relname`,
  );
  for (const { kind, name } of relations) {
    await queries.run(sql`DROP ${raw(kind)} IF EXISTS ${raw(quoted(name))} CASCADE`);
  }
  const routines = await queries.rows(
    z.object({ signature: z.string() }),
    sql`SELECT oid::regprocedure::text AS signature FROM pg_proc p WHERE pronamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')`,
  );
  for (const { signature } of routines) await queries.run(sql`DROP ROUTINE ${raw(signature)} CASCADE`);
  // The queue is made anew by the next start: its tasks were of the state that is gone.
  await queries.run(sql`DROP SCHEMA IF EXISTS pgboss CASCADE`);
}

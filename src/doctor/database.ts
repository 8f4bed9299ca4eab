/** The database: reached privately, with few rights, and as this version knows it. */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { readMigrations, refusalOf, schemaState } from "../db/migrate.ts";
import { z } from "zod";
import { sql, type Database } from "../db/database.ts";
import { fail, ok, skipped, warn, type Outcome } from "./outcome.ts";
import { grave, type Check, type Setup } from "./setup.ts";

const UNREACHABLE = skipped("the database cannot be asked", "see the item database");

function onDatabase(look: (db: Database, setup: Setup) => Promise<Outcome>): Check["run"] {
  return async (setup) => (setup.database === null ? UNREACHABLE : look(setup.database.db, setup));
}

export const connection: Check = {
  id: "database",
  title: "The database answers",
  run: async ({ database, databaseProblem }) =>
    database === null ? fail(databaseProblem, "check the server, and DATABASE_URL or DATA_DIR") : ok("it answers"),
};

export const schema: Check = {
  id: "schema",
  title: "The schema is that of this version",
  run: async ({ database }) => {
    if (database === null) return UNREACHABLE;
    const state = await schemaState(database.url);
    const refusal = refusalOf(state);
    if (refusal !== undefined) return fail(refusal, "start the newer version, or restore a backup");
    return state.pending.length === 0
      ? ok("up to date")
      : fail(
          `to be applied: ${state.pending.join(", ")}`,
          "back up, then run hpc-billing migrate or start this version",
        );
  },
};

const PRIVATE = new BlockList();
for (const [network, bits] of [["10.0.0.0", 8], ["172.16.0.0", 12], ["192.168.0.0", 16], ["127.0.0.0", 8], ["100.64.0.0", 10], ["169.254.0.0", 16]] as const) PRIVATE.addSubnet(network, bits); // prettier-ignore
for (const [network, bits] of [["::1", 128], ["fc00::", 7], ["fe80::", 10]] as const) PRIVATE.addSubnet(network, bits, "ipv6"); // prettier-ignore
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8);
LOOPBACK.addAddress("::1", "ipv6");

const isIn = (list: BlockList, address: string): boolean => list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

export const network: Check = {
  id: "database-network",
  title: "PostgreSQL is on a private network",
  run: onDatabase(async (db, setup) => {
    const url = setup.config.databaseUrl;
    if (url === null) return ok("built in: a Unix socket, closed to other accounts");
    const parsed = new URL(url.replace(/^postgres\w*(\+\w+)?:/u, "http:"));
    const host = parsed.searchParams.get("host") ?? parsed.hostname.replace(/^\[(.*)\]$/u, "$1");
    if (host.startsWith("/") || host === "") return ok("a Unix socket");
    const addresses = isIP(host) === 0 ? (await lookup(host, { all: true })).map(({ address }) => address) : [host];
    const open = addresses.filter((address) => !isIn(PRIVATE, address));
    if (open.length > 0)
      return grave(
        setup,
        `${host} has the public address ${open.join(", ")}`,
        "move it to a private network, or let a firewall pass only the application",
      );
    const { ssl } = await db.one(
      z.object({ ssl: z.boolean() }),
      sql`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`,
    );
    return ssl || addresses.every((address) => isIn(LOOPBACK, address))
      ? ok(`${host} is private${ssl ? ", over TLS" : ""}`)
      : warn(`${host} is private, but the connection is not encrypted`, "add ?sslmode=verify-full to DATABASE_URL");
  }),
};

export const role: Check = {
  id: "database-role",
  title: "The database role has no more rights than it needs",
  run: onDatabase(async (db, setup) => {
    if (setup.config.databaseUrl === null) return ok("built in: nobody else is let in");
    const rights = await db.one(
      z.object({
        name: z.string(),
        SUPERUSER: z.boolean(),
        CREATEROLE: z.boolean(),
        CREATEDB: z.boolean(),
        REPLICATION: z.boolean(),
        BYPASSRLS: z.boolean(),
      }),
      sql`SELECT rolname::text AS name, rolsuper AS "SUPERUSER", rolcreaterole AS "CREATEROLE", rolcreatedb AS "CREATEDB",
                 rolreplication AS "REPLICATION", rolbypassrls AS "BYPASSRLS" FROM pg_roles WHERE rolname = current_user`,
    );
    const held = Object.entries(rights).flatMap(([right, has]) => (has === true ? [right] : []));
    return held.length === 0
      ? ok(`${rights.name} has none beyond its own tables`)
      : grave(
          setup,
          `${rights.name} is ${held.join(", ")}`,
          `ALTER ROLE ${rights.name} ${held.map((right) => `NO${right}`).join(" ")}`,
        );
  }),
};

export const appendOnly: Check = {
  id: "append-only",
  title: "What is append-only is guarded by its triggers",
  run: onDatabase(async (db) => {
    const expected = new Set(
      (await readMigrations()).flatMap(({ sql: text }) =>
        [...text.matchAll(/^CREATE (?:CONSTRAINT )?TRIGGER (\w+)/gmu)].map((match) => match[1] ?? ""),
      ),
    );
    const there = await db.rows(
      z.object({ name: z.string() }),
      sql`SELECT t.tgname::text AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
          WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')`,
    );
    for (const { name } of there) expected.delete(name);
    return expected.size === 0
      ? ok(`${there.length} triggers are in force`)
      : fail(
          `off or gone: ${[...expected].join(", ")}`,
          "ALTER TABLE … ENABLE TRIGGER …, then find out who switched it off; run audit verify",
        );
  }),
};

/** How the installation runs: clocks, disk, chain, queue, usage, people. */
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { lastAuditCheck } from "../audit/verify.ts";
import { sql, type Database } from "../db/database.ts";
import { fail, ok, skipped, together, warn, type Outcome } from "./outcome.ts";
import type { Check, Setup } from "./setup.ts";

const HOUR_MS = 3_600_000;
const GIB = 1024 ** 3;

function onDatabase(look: (db: Database, setup: Setup) => Promise<Outcome>): Check["run"] {
  return async (setup) =>
    setup.database === null
      ? skipped("the database cannot be asked", "see the item database")
      : look(setup.database.db, setup);
}

export const clocks: Check = {
  id: "clock",
  title: "The clocks agree",
  run: async (setup) => together([await databaseClock(setup), await siteClock(setup)]),
};

async function databaseClock({ database, clock }: Setup): Promise<Outcome> {
  if (database === null) return skipped("the database cannot be asked");
  const before = clock.now().getTime();
  const { now } = await database.db.one(z.object({ now: z.date() }), sql`SELECT clock_timestamp() AS now`);
  return skewOutcome("the database's clock", now.getTime() - (before + clock.now().getTime()) / 2, 2_000, 30_000);
}

async function siteClock({ site, clock }: Setup): Promise<Outcome> {
  const asked = await site();
  if ("problem" in asked) return skipped("the site does not answer");
  const [date = ""] = asked.answer.header("date");
  const then = Date.parse(date);
  if (Number.isNaN(then)) return skipped("the site says no time");
  // To the second, and a moment old.
  return skewOutcome("the site's clock", then - clock.now().getTime(), 10_000, 60_000);
}

function skewOutcome(what: string, skewMs: number, warnMs: number, failMs: number): Outcome {
  const found = `${what} differs by ${(Math.abs(skewMs) / 1000).toFixed(1)} s`;
  if (Math.abs(skewMs) < warnMs) return ok(found);
  const advice = "run a time service (chrony, systemd-timesyncd) on both";
  return Math.abs(skewMs) < failMs ? warn(found, advice) : fail(found, advice);
}

export const disk: Check = {
  id: "disk",
  title: "There is room on the disk of DATA_DIR",
  run: async ({ config }) => {
    let folder = resolve(config.dataDir);
    while (!existsSync(folder)) folder = dirname(folder);
    const { bavail, blocks, bsize } = await statfs(folder);
    return diskOutcome(folder, bavail * bsize, blocks * bsize);
  },
};

export function diskOutcome(folder: string, free: number, total: number): Outcome {
  const found = `${(free / GIB).toFixed(1)} GiB of ${(total / GIB).toFixed(1)} GiB are free at ${folder}`;
  if (free < GIB || free < total * 0.03) return fail(found, "make room now: a full disk stops the database");
  return free < 5 * GIB || free < total * 0.1 ? warn(found, "make room, or enlarge the disk") : ok(found);
}

export const auditChain: Check = {
  id: "audit-chain",
  title: "The audit chain verified lately",
  run: onDatabase(async (db, { clock }) => {
    const last = await lastAuditCheck(db);
    if (last === undefined)
      return warn("it was never checked", "run hpc-billing audit verify; the server does so every hour");
    if (!last.ok)
      return fail(
        `it is broken at record ${last.broken_at}: ${last.reason}`,
        "see docs/security.md, The audit trail: compare with your backups",
      );
    const hours = (clock.now().getTime() - last.checked_at.getTime()) / HOUR_MS;
    const found = `${last.records} records verified ${hours.toFixed(1)} hours ago`;
    return hours < 3 ? ok(found) : warn(found, "the server checks every hour: is it running?");
  }),
};

export const queue: Check = {
  id: "queue",
  title: "The work queue is alive",
  run: onDatabase(async (db) => {
    const { exists } = await db.one(
      z.object({ exists: z.boolean() }),
      sql`SELECT to_regclass('pgboss.instance') IS NOT NULL AS exists`,
    );
    if (!exists) return fail("there is no queue: the server never ran on this database", "start it");
    const { live } = await db.one(
      z.object({ live: z.bigint() }),
      sql`SELECT count(*) AS live FROM pgboss.instance
          WHERE stopped_on IS NULL AND heartbeat_on > now() - greatest(heartbeat_seconds * 3, 90) * interval '1 second'`,
    );
    if (live === 0n) return fail("no server works on it", "start the application");
    const { failed } = await db.one(
      z.object({ failed: z.bigint() }),
      sql`SELECT count(*) AS failed FROM pgboss.job WHERE state IN ('failed', 'retry') AND created_on > now() - interval '1 day'`,
    );
    return failed === 0n
      ? ok(`${live} at work`)
      : warn(`${failed} tasks failed within a day`, "the log and the page Sources say why");
  }),
};

export const usageAge: Check = {
  id: "usage",
  title: "Usage comes in (CSV or page empty: no job ended in those days)",
  run: onDatabase(async (db, { config, clock }) => {
    const { newest } = await db.one(
      z.object({ newest: z.date().nullable() }),
      sql`SELECT max(end_at) AS newest FROM jobs WHERE phase = 'finished'`,
    );
    if (newest === null)
      return warn(
        "there is no finished job at all: pages and CSV files are empty",
        "connect a cluster or import a dump; see docs/slurm.md",
      );
    const synced = await db.rows(
      z.object({
        cluster: z.string(),
        complete_until: z.date().nullable(),
        failures: z.number(),
        last_error: z.string().nullable(),
      }),
      sql`SELECT cluster, complete_until, failures, last_error FROM sync_clusters ORDER BY cluster`,
    );
    if (config.slurm.clusters.length === 0) return ok(`imported by hand; the newest job ended ${newest.toISOString()}`);
    const late = synced.flatMap(({ cluster, complete_until: until, failures, last_error }): Outcome[] => {
      if (failures > 3)
        return [
          fail(`${cluster}: ${failures} syncs failed: ${last_error ?? ""}`, "see the page Sources and docs/slurm.md"),
        ];
      const hours = until === null ? null : (clock.now().getTime() - until.getTime()) / HOUR_MS;
      return hours !== null && hours > 2
        ? [warn(`${cluster}: complete only up to ${hours.toFixed(0)} hours ago`, "see the page Sources")]
        : [];
    });
    return late.length === 0 ? ok(`the newest job ended ${newest.toISOString()}`) : together(late);
  }),
};

export const adminAccount: Check = {
  id: "admin-account",
  title: "An admin can sign in (admin login fails: ADMIN_PASSWORD counts on the first start only)",
  run: onDatabase(async (db) => {
    const { admins } = await db.one(
      z.object({ admins: z.bigint() }),
      sql`SELECT count(*) AS admins FROM users WHERE role = 'admin' AND password_hash IS NOT NULL`,
    );
    return admins > 0n
      ? ok(`${admins} with a password`)
      : fail(
          "no admin has a password",
          "hpc-billing user passwd admin --password-stdin, or user add NAME --role admin",
        );
  }),
};

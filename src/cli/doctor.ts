import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { auditWriter } from "../audit/store.ts";
import { configAsItIs, openUntouched, type UntouchedDatabase } from "../backup/open-database.ts";
import { systemClock } from "../clock.ts";
import { openPool } from "../db/connection.ts";
import { Database, sql } from "../db/database.ts";
import { examine, type Finding } from "../doctor/examine.ts";
import { makeSetup } from "../doctor/make-setup.ts";
import { messageOf, UserError } from "../errors.ts";
import { UsageError } from "./options.ts";

interface Options {
  readonly backups?: string;
  readonly backupHours: string;
  readonly json?: true;
}

const MARKS: Readonly<Record<Finding["status"], string>> = { ok: "ok  ", warn: "WARN", fail: "FAIL", skipped: "--  " };

export function doctorCommand(): Command {
  return new Command("doctor")
    .description(
      "go through the checklist for production and the usual troubles on this installation; exit code 1 if one fails",
    )
    .addOption(new Option("--backups <dir>", "where backups lie; DATA_DIR/backups unless told").env("BACKUP_DIR"))
    .option("--backup-hours <n>", "how old the newest backup may be", "26")
    .option("--json", "print the findings as JSON, for a monitor")
    .action(async (options: Options) => {
      if (!/^[1-9]\d{0,3}$/u.test(options.backupHours))
        throw new UsageError(`--backup-hours takes a number of hours, not "${options.backupHours}"`);
      const config = await configAsItIs(process.env);
      const database = await tryOpen();
      try {
        const findings = await examine(
          makeSetup({
            config,
            clock: systemClock,
            database: "db" in database ? database : null,
            databaseProblem: "db" in database ? "" : database.problem,
            backupFolder: resolve(options.backups ?? join(config.dataDir, "backups")),
            backupHours: Number(options.backupHours),
          }),
        );
        if (options.json === true) process.stdout.write(`${JSON.stringify({ checks: findings })}\n`);
        else print(findings);
        const failed = findings.filter(({ status }) => status === "fail");
        if (failed.length > 0) throw new UserError(`failed: ${failed.map(({ id }) => id).join(", ")}`);
      } finally {
        if ("db" in database) await database.close();
      }
    });
}

type Opened = { readonly db: Database; readonly url: string; close(): Promise<void> } | { readonly problem: string };

/** A database that is away is one of the findings, and no reason to look at nothing else. */
async function tryOpen(): Promise<Opened> {
  let untouched: UntouchedDatabase | undefined;
  try {
    untouched = await openUntouched(process.env, { mayCreate: false });
    return await connected(untouched);
  } catch (error) {
    await untouched?.close();
    return { problem: messageOf(error) };
  }
}

async function connected(untouched: UntouchedDatabase): Promise<Opened> {
  const { config, url } = untouched;
  const pool = openPool(url, { max: 4, onIdleError: () => undefined });
  const db = new Database(pool, auditWriter(config.auditKeyring, systemClock));
  try {
    await db.run(sql`SELECT 1`);
  } catch (error) {
    await db.close();
    throw error;
  }
  const close = async (): Promise<void> => {
    await db.close();
    await untouched.close();
  };
  return { db, url, close };
}

function print(findings: readonly Finding[]): void {
  for (const { status, id, title, found, advice } of findings) {
    process.stdout.write(
      `${MARKS[status]}  ${title} (${id})\n      ${found}\n${advice === "" ? "" : `      → ${advice}\n`}`,
    );
  }
  const count = (status: Finding["status"]): number => findings.filter((one) => one.status === status).length;
  process.stdout.write(
    `${count("ok")} ok, ${count("warn")} to look at, ${count("fail")} failed, ${count("skipped")} skipped\n`,
  );
}

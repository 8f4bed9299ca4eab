import { basename, join, resolve } from "node:path";
import { Command, Option } from "commander";
import { auditWriter } from "../audit/store.ts";
import { openUntouched } from "../backup/open-database.ts";
import { takeBackup, type BackupTaken } from "../backup/take.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { openPool } from "../db/connection.ts";
import { Database } from "../db/database.ts";
import { productVersion } from "../backup/version.ts";
import { cliActor, exactJson, UsageError } from "./options.ts";
import { progressBar } from "./progress.ts";

interface Options {
  readonly to?: string;
  readonly keep?: string;
  readonly encryptTo?: readonly string[];
  readonly json?: true;
}

export function backupCommand(): Command {
  return new Command("backup")
    .description("write all of the database into one file, as it is at this instant; the server may go on writing")
    .addOption(new Option("--to <dir>", "folder to write to; DATA_DIR/backups unless told").env("BACKUP_DIR"))
    .option("--keep <n>", "then remove older ones, up to this many complete ones")
    .option("--encrypt-to <recipient...>", "encrypt it with age (age1…, ssh-…) or gpg (a key's name)")
    .option("--json", "end with one JSON object")
    .action(async (options: Options) => {
      const keep = keepOption(options.keep);
      const database = await openUntouched(process.env, { mayCreate: false });
      const { config, url } = database;
      const bar = progressBar("backup", null);
      try {
        const taken = await takeBackup({
          databaseUrl: url,
          folder: resolve(options.to ?? join(config.dataDir, "backups")),
          now: systemClock.now(),
          version: await productVersion(),
          keyring: config.auditKeyring,
          recipients: options.encryptTo ?? [],
          keep,
          onTable: (name) => bar.update(0, name),
        });
        bar.end();
        await recordTaken(config, url, taken);
        print(taken, options);
      } finally {
        bar.end();
        await database.close();
      }
    });
}

function keepOption(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,4}$/u.test(text)) return Number(text);
  throw new UsageError(`--keep takes a number from 1 on, not "${text}"`);
}

async function recordTaken({ auditKeyring }: Config, url: string, taken: BackupTaken): Promise<void> {
  const { manifest, path, bytes, sha256, removed } = taken;
  const db = new Database(
    openPool(url, { max: 1, onIdleError: () => undefined }),
    auditWriter(auditKeyring, systemClock),
  );
  try {
    await db.transaction(async (tx) =>
      tx.audit({
        actor: cliActor(),
        action: "backup.taken",
        subject: `backup:${basename(path)}`,
        details: { bytes, sha256, removed, taken_at: manifest.taken_at, ...manifest.audit },
      }),
    );
  } finally {
    await db.close();
  }
}

function print({ path, bytes, sha256, manifest, removed }: BackupTaken, options: Options): void {
  const rows = manifest.tables.reduce((sum, table) => sum + BigInt(table.rows), 0n);
  const { audit } = manifest;
  if (options.json === true) {
    const answer = { file: path, bytes, sha256, taken_at: manifest.taken_at, rows, audit_records: BigInt(audit.records), audit_head: audit.head, removed }; // prettier-ignore
    process.stdout.write(`${exactJson(answer)}\n`);
    return;
  }
  process.stdout.write(
    `${path}: ${bytes} bytes, ${rows} rows of ${manifest.tables.length} tables\nSHA-256 ${sha256}\n` +
      `audit chain: ${audit.records} records, head ${audit.head}\n` +
      (removed.length === 0 ? "" : `removed: ${removed.join(", ")}\n`),
  );
}

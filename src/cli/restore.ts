import { basename } from "node:path";
import { Command } from "commander";
import { noteRestoreTest } from "../backup/folder.ts";
import { configAsItIs, openUntouched } from "../backup/open-database.ts";
import { restoreBackup, type Restored } from "../backup/restore.ts";
import { systemClock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { cliActor, exactJson, printTable, UsageError } from "./options.ts";
import { progressBar } from "./progress.ts";

interface Options {
  readonly into?: string;
  readonly verify?: true;
  readonly trial?: true;
  readonly replace?: true;
  readonly identity?: string;
  readonly acceptBrokenChain?: true;
  readonly json?: true;
}

export function restoreCommand(): Command {
  return new Command("restore")
    .description("put a backup into an empty database, in one transaction: complete and checked, or not at all")
    .argument("<file>", "a backup as `backup` wrote it")
    .option("--into <url>", "into this database (postgres://…) instead of the configured one")
    .option("--verify", "show what was compared, and note beside the file that it was restored")
    .option("--trial", "restore and compare beside the data of the database, then take it back; implies --verify")
    .option("--replace", "drop what is in the database; nothing else may be connected to it")
    .option("--identity <file>", "age's secret key, of a backup that is encrypted with age")
    .option(
      "--accept-broken-chain",
      "restore although signature or audit chain do not verify, as when their key is lost",
    )
    .option("--json", "end with one JSON object")
    .action(async (file: string, options: Options) => {
      if (options.trial === true && options.replace === true)
        throw new UsageError("--trial replaces nothing: leave --replace out");
      const database = await target(options);
      const bar = progressBar("restore", null);
      try {
        const restored = await restoreBackup({
          databaseUrl: database.url,
          file,
          identity: options.identity,
          keyring: database.config.auditKeyring,
          clock: systemClock,
          actor: cliActor(),
          replace: options.replace === true,
          isTrial: options.trial === true,
          acceptsBrokenChain: options.acceptBrokenChain === true,
          onTable: (name) => bar.update(0, name),
        });
        bar.end();
        if (options.verify === true || options.trial === true) await note(file, restored);
        print(file, restored, options);
      } finally {
        bar.end();
        await database.close();
      }
    });
}

async function target(options: Options) {
  if (options.into === undefined) return openUntouched(process.env, { mayCreate: options.trial !== true });
  if (!/^postgres(ql)?(\+\w+)?:\/\/./u.test(options.into))
    throw new UsageError("--into takes postgres://user:password@host:port/name");
  return { url: options.into, config: await configAsItIs(process.env), close: () => Promise.resolve() };
}

async function note(file: string, { manifest }: Restored): Promise<void> {
  const test = { file: basename(file), taken_at: manifest.taken_at, tested_at: systemClock.now().toISOString() };
  await noteRestoreTest(file, test).catch((error: unknown) => {
    // Backups may lie where we cannot write.
    process.stderr.write(`hpc-billing: that it was restored cannot be noted beside ${file}: ${messageOf(error)}\n`);
  });
}

function print(file: string, { manifest, accepted }: Restored, options: Options): void {
  for (const problem of accepted) process.stderr.write(`hpc-billing: accepted: ${problem}\n`);
  const rows = manifest.tables.reduce((sum, table) => sum + BigInt(table.rows), 0n);
  const { audit } = manifest;
  if (options.json === true) {
    const answer = { file, restored: options.trial !== true, taken_at: manifest.taken_at, rows, audit_records: BigInt(audit.records), audit_head: audit.head, accepted }; // prettier-ignore
    process.stdout.write(`${exactJson(answer)}\n`);
    return;
  }
  if (options.verify === true || options.trial === true) printCompared(manifest);
  process.stdout.write(
    `${file}: ${rows} rows as of ${manifest.taken_at}; counts, sums and references are right\n` +
      `audit chain: ${audit.records} records, head ${audit.head}${accepted.length === 0 ? ", verified" : ""}\n` +
      (options.trial === true ? "it was a trial: nothing was changed\n" : "restored; everybody has to sign in again\n"),
  );
}

/** The tables that hold something, with the sums of what is counted in money. */
function printCompared({ tables }: Restored["manifest"]): void {
  const lines = tables
    .filter((table) => table.rows !== "0")
    .map(({ name, rows, sums }) => {
      const money = Object.entries(sums).filter(([column]) => column.endsWith("_minor"));
      return [name, rows, money.map(([column, sum]) => `${column} ${sum}`).join(", ")];
    });
  printTable(["table", "rows", "sums that were compared"], lines);
}

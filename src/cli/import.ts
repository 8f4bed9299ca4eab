import { Command, Option } from "commander";
import type { DumpFormat } from "../slurm/sacct-reader.ts";
import { addTotals, NOTHING_IMPORTED, type ImportTotals } from "../usage/import/import.ts";
import { importDump } from "../usage/import/import-dump.ts";
import type { Services } from "../services.ts";
import { cliActor, exactJson, withServices } from "./options.ts";
import { progressBar, type ProgressBar } from "./progress.ts";

interface Options {
  readonly cluster: string;
  readonly format: DumpFormat;
  readonly json?: true;
}

export function importCommand(): Command {
  return new Command("import")
    .description("import sacct dumps (--parsable2 with a header; plain or gzip) from files, or - for standard input")
    .argument("<file...>", "the dumps, in any order")
    .option("--cluster <name>", "cluster of rows that name none", "default")
    .addOption(
      new Option("--format <format>", "how the file is separated").choices(["auto", "sacct", "csv"]).default("auto"),
    )
    .option("--json", "end with one JSON object instead of a sentence")
    .action(async (files: readonly string[], options: Options) => {
      await withServices(async (services) => {
        let totals = NOTHING_IMPORTED;
        for (const file of files) totals = addTotals(totals, await importFile(services, file, options));
        process.stdout.write(
          options.json === true
            ? `${exactJson(totals)}\n`
            : `${totals.rows} rows read; jobs: ${totals.new} new, ${totals.changed} changed, ${totals.unchanged} unchanged, ` +
                `${totals.running} still running; ${totals.rejected} rows rejected\n`,
        );
      });
    });
}

async function importFile(services: Services, file: string, options: Options): Promise<ImportTotals> {
  let bar: ProgressBar | undefined;
  return importDump(services.importing, {
    path: file,
    dataDir: services.config.dataDir,
    cluster: options.cluster,
    format: options.format,
    actor: cliActor(),
    onOpen: (name, sizeBytes) => {
      bar = progressBar(name, sizeBytes);
    },
    onProgress: (totals, bytesRead) => bar?.update(bytesRead, `${totals.rows} rows`),
    onEnd: (name, kept) => {
      bar?.end();
      for (const line of kept.firstReasons) process.stderr.write(`${name}:${line}\n`);
      if (kept.rows > kept.firstReasons.length) {
        process.stderr.write(`… and ${kept.rows - kept.firstReasons.length} more\n`);
      }
      if (kept.path !== null) process.stderr.write(`${kept.rows} rejected rows are kept in ${kept.path}\n`);
    },
  });
}

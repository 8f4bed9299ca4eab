import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command, Option } from "commander";
import { paidColumns } from "../billing/csv-columns.ts";
import { paidReceipts } from "../billing/queries.ts";
import { csvStream } from "../documents/csv.ts";
import { zonedIso } from "../documents/instant.ts";
import { usageColumns } from "../usage/csv-columns.ts";
import { allFinishedJobs } from "../usage/queries/job-list.ts";
import { addDays } from "../usage/site-day.ts";
import type { Services } from "../services.ts";
import { dayOption, UsageError, withServices } from "./options.ts";

interface Options {
  readonly from: string;
  readonly to: string;
  readonly out?: string;
}

const KINDS = ["paid", "usage"] as const;

export function exportCommand(): Command {
  const root = new Command("export").description("files for finance and reports, as CSV");
  for (const kind of KINDS) root.addCommand(kindCommand(kind));
  return root;
}

function kindCommand(kind: (typeof KINDS)[number]): Command {
  return new Command(kind)
    .description(kind === "paid" ? "receipts by day of payment" : "finished jobs by day of end, with their prices")
    .addOption(new Option("--from <day>", "first day (YYYY-MM-DD), in the site's time zone").makeOptionMandatory())
    .addOption(new Option("--to <day>", "last day, included").makeOptionMandatory())
    .option("--out <file>", "write to a file, whole or not at all; default: standard output")
    .action(async (options: Options) => {
      const from = dayOption("--from", options.from) ?? options.from;
      const to = dayOption("--to", options.to) ?? options.to;
      if (to < from) throw new UsageError("--to must not be before --from");
      await withServices((services) => write(contents(services, kind, from, to), options.out));
    });
}

function contents(services: Services, kind: (typeof KINDS)[number], from: string, to: string): AsyncGenerator<string> {
  const { db, days, config } = services;
  const instant = zonedIso(config.siteTz);
  if (kind === "usage") {
    return csvStream(usageColumns(config.currency, instant), allFinishedJobs(db, days, { fromDay: from, toDay: to }));
  }
  const [start, end] = [days.startOf(from), days.startOf(addDays(to, 1))];
  return csvStream(paidColumns(instant), paidReceipts(db, new Date(start * 1000), new Date(end * 1000)));
}

async function write(chunks: AsyncGenerator<string>, out: string | undefined): Promise<void> {
  if (out === undefined) {
    for await (const chunk of chunks) process.stdout.write(chunk);
    return;
  }
  const unfinished = `${out}.part-${process.pid}`;
  try {
    await pipeline(Readable.from(chunks), createWriteStream(unfinished));
    await rename(unfinished, out);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

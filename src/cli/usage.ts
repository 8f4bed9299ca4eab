import { Command, Option } from "commander";
import { formatMinor, roundHalfEven } from "../rating/money.ts";
import { GROUPINGS, usageBy, type Grouping } from "../usage/queries/summary.ts";
import { dayOption, exactJson, printTable, withServices } from "./options.ts";

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly by: Grouping;
  readonly json?: true;
}

export function usageCommand(): Command {
  return new Command("usage")
    .description("sums over finished jobs, exact, from the daily rollup")
    .option("--from <day>", "first day (YYYY-MM-DD), in the site's time zone")
    .option("--to <day>", "last day, included")
    .addOption(new Option("--by <key>", "what to sum by").choices(GROUPINGS).default("user"))
    .option("--json", "print exact integers as JSON")
    .action(async (options: Options) => {
      const fromDay = dayOption("--from", options.from);
      const toDay = dayOption("--to", options.to);
      await withServices(async ({ db, config }) => {
        const groups = await usageBy(db, { fromDay, toDay }, options.by);
        if (options.json === true) {
          const rows = groups.map((group) => ({
            key: group.key,
            jobs: group.jobs,
            cpu_seconds: group.cpuSeconds,
            gpu_seconds: group.gpuSeconds,
            mem_mib_seconds: group.memMibSeconds,
            node_seconds: group.nodeSeconds,
            cost_minor: group.costMinor,
          }));
          process.stdout.write(`${exactJson(rows)}\n`);
          return;
        }
        printTable(
          [options.by, "jobs", "CPU core-h", "GPU-h", "memory GiB-h", `cost ${config.currency.code}`],
          groups.map((group) => [
            group.key,
            group.jobs.toString(),
            hundredths(group.cpuSeconds, 3_600n),
            hundredths(group.gpuSeconds, 3_600n),
            hundredths(group.memMibSeconds, 3_600n * 1_024n),
            formatMinor(group.costMinor, config.currency),
          ]),
        );
      });
    });
}

function hundredths(base: bigint, basePerHour: bigint): string {
  return formatMinor(roundHalfEven(base * 100n, basePerHour), { code: "", minorDigits: 2 });
}

import { Command, Option } from "commander";
import { formatMicro, parseMicro } from "../rating/money.ts";
import { TIERS, type Tier } from "../rating/tiers.ts";
import { readPricing } from "../usage/prices/book.ts";
import { setRate } from "../usage/prices/change.ts";
import { repriceAll } from "../usage/prices/reprice.ts";
import { cliActor, dayOption, exactJson, printTable, UsageError, withServices } from "./options.ts";

interface SetOptions {
  readonly cpu: string;
  readonly gpu: string;
  readonly mem: string;
  readonly gpuType: readonly string[];
  readonly cluster?: string;
  readonly partition?: string;
  readonly qos?: string;
  readonly from?: string;
  readonly note: string;
}

export function ratesCommand(): Command {
  return new Command("rates").description("prices per hour").addCommand(listCommand()).addCommand(setCommand());
}

function listCommand(): Command {
  return new Command("list")
    .description("all versions of all rates, oldest first")
    .option("--json", "print as JSON")
    .action(async (options: { json?: true }) => {
      await withServices(async ({ db, config, days }) => {
        const { book } = await readPricing(db, config.currency, { hold: false });
        const rows = book.rates.map((rate) => ({
          id: rate.id,
          tier: rate.tier,
          cluster: rate.cluster,
          partition: rate.partition,
          qos: rate.qos,
          cpu: formatMicro(rate.cpuMicro),
          gpu: formatMicro(rate.gpuMicro),
          mem: formatMicro(rate.memMicro),
          gpu_types: Object.fromEntries([...rate.gpuTypeMicro].map(([type, micro]) => [type, formatMicro(micro)])),
          effective_from: rate.effectiveFrom === null ? null : days.dayOf(rate.effectiveFrom),
          created_at: rate.createdAt,
          created_by: rate.createdBy,
          note: rate.note,
        }));
        if (options.json === true) {
          process.stdout.write(`${exactJson(rows)}\n`);
          return;
        }
        printTable(
          ["id", "tier", "cpu", "gpu", "mem", "gpu types", "scope", "from", "set by"],
          rows.map((rate) => [
            String(rate.id),
            rate.tier,
            rate.cpu,
            rate.gpu,
            rate.mem,
            Object.entries(rate.gpu_types)
              .map(([type, price]) => `${type}=${price}`)
              .join(" "),
            [rate.cluster, rate.partition, rate.qos].map((part) => part ?? "*").join("/"),
            rate.effective_from ?? "all unbilled",
            rate.created_by,
          ]),
        );
      });
    });
}

function setCommand(): Command {
  return new Command("set")
    .description("set a new version of a tier's rate; older versions stay, billed jobs keep their price")
    .addOption(new Option("--tier <tier>", "the tier").choices(TIERS).makeOptionMandatory())
    .requiredOption("--cpu <price>", "per CPU core-hour, up to 6 decimals")
    .requiredOption("--gpu <price>", "per GPU-hour")
    .requiredOption("--mem <price>", "per GiB-hour of memory")
    .option("--gpu-type <type=price...>", "per GPU-hour of a type, such as a100=42.5", collect, [])
    .option("--cluster <name>", "only for jobs of this cluster")
    .option("--partition <name>", "only for jobs of this partition")
    .option("--qos <name>", "only for jobs of this QOS")
    .option("--from <day>", "for jobs that end from this day on; without it for all usage not yet billed")
    .option("--note <text>", "why", "")
    .action(async (options: SetOptions & { tier: Tier }) => {
      const from = dayOption("--from", options.from);
      const types = options.gpuType.map((pair): [string, bigint] => {
        const cut = pair.lastIndexOf("=");
        if (cut < 1) throw new UsageError(`--gpu-type takes type=price, such as a100=42.5, not "${pair}"`);
        return [pair.slice(0, cut), price("--gpu-type", pair.slice(cut + 1))];
      });
      const prices = {
        cpuMicro: price("--cpu", options.cpu),
        gpuMicro: price("--gpu", options.gpu),
        memMicro: price("--mem", options.mem),
      };
      await withServices(async (services) => {
        const { id } = await setRate(
          services.importing,
          {
            tier: options.tier,
            ...prices,
            gpuTypeMicro: types.length === 0 ? undefined : new Map(types),
            cluster: options.cluster ?? null,
            partition: options.partition ?? null,
            qos: options.qos ?? null,
            effectiveFrom: from === undefined ? null : new Date(services.days.startOf(from) * 1000),
            note: options.note,
          },
          { actor: cliActor() },
        );
        await repriceAll(services.importing);
        process.stdout.write(`rate ${id} is set and the unbilled jobs are re-priced\n`);
      });
    });
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function price(option: string, text: string): bigint {
  const micro = parseMicro(text);
  if (micro === undefined)
    throw new UsageError(`${option} takes a price such as 1.25: not negative, at most 6 decimals; not "${text}"`);
  return micro;
}

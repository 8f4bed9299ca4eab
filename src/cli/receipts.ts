import { Command } from "commander";
import { billMonth } from "../billing/month.ts";
import { listReceipts, type Receipt } from "../billing/queries.ts";
import { formatMinor, type Currency } from "../rating/money.ts";
import { cliActor, exactJson, printTable, withServices } from "./options.ts";
import { progressBar } from "./progress.ts";

export function receiptsCommand(): Command {
  return new Command("receipts").description("receipts").addCommand(createCommand()).addCommand(listCommand());
}

function createCommand(): Command {
  return new Command("create")
    .description("bill a month: one receipt for every user with unbilled jobs that ended up to its last day")
    .requiredOption("--month <YYYY-MM>", "the month")
    .option("--user <name>", "only this user")
    .option("--json", "print as JSON")
    .action(async (options: { month: string; user?: string; json?: true }) => {
      await withServices(async ({ billing, config }) => {
        const bar = progressBar("receipts", null);
        const issued = await billMonth(
          billing,
          { month: options.month, userName: options.user },
          { actor: cliActor() },
          (receipt, done, total) => bar.update(done, `${receipt.number}, ${done} of ${total} users`),
        );
        bar.end();
        const rows = issued.map((receipt) => ({
          number: receipt.number,
          user: receipt.userName,
          jobs: receipt.jobs,
          total_minor: receipt.totalMinor,
        }));
        if (options.json === true) {
          process.stdout.write(`${exactJson(rows)}\n`);
        } else if (rows.length === 0) {
          process.stdout.write("nothing to bill: no finished job with a price waits up to that month's end\n");
        } else {
          printTable(
            ["receipt", "user", "jobs", `total ${config.currency.code}`],
            rows.map((row) => [row.number, row.user, String(row.jobs), formatMinor(row.total_minor, config.currency)]),
          );
        }
      });
    });
}

const LISTED = 500;

function listCommand(): Command {
  return new Command("list")
    .description(`receipts, newest first, at most ${LISTED}`)
    .option("--user <name>", "only of this user")
    .option("--json", "print as JSON")
    .action(async (options: { user?: string; json?: true }) => {
      await withServices(async ({ db, config }) => {
        const receipts = await listReceipts(db, { userName: options.user }, { limit: LISTED });
        if (options.json === true) {
          process.stdout.write(`${exactJson(receipts.map(factsOf))}\n`);
          return;
        }
        printTable(
          ["receipt", "user", "status", "up to", "jobs", "total"],
          receipts.map((receipt) => rowOf(receipt, config.currency)),
        );
      });
    });
}

function factsOf(receipt: Receipt): Record<string, unknown> {
  return {
    id: receipt.id,
    number: receipt.number,
    user: receipt.userName,
    status: receipt.status,
    cutoff_day: receipt.cutoffDay,
    issued_at: receipt.issuedAt,
    jobs: receipt.jobs,
    subtotal_minor: receipt.subtotalMinor,
    tax_minor: receipt.taxMinor,
    total_minor: receipt.totalMinor,
    currency: receipt.currency,
    paid_at: receipt.paidAt,
  };
}

function rowOf(receipt: Receipt, currency: Currency): string[] {
  return [
    receipt.number,
    receipt.userName,
    receipt.status,
    receipt.cutoffDay,
    receipt.jobs.toString(),
    formatMinor(receipt.totalMinor, currency),
  ];
}

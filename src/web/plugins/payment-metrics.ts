/** What of payments needs somebody, for Prometheus: read from the database when somebody asks. */
import { Gauge, type Registry } from "prom-client";
import { overpaidReceipts, receivableTotals } from "../../billing/queries.ts";
import type { Queries } from "../../db/database.ts";
import { openBankLineCount } from "../../payments/bank-queries.ts";
import { deliveryCounts } from "../../payments/dead-letters.ts";

const DELIVERY_STATES = ["waiting", "dead"] as const;

export function addPaymentMetrics(registers: Registry[], db: Queries): void {
  const deliveries = new Gauge({
    name: "hpc_webhook_deliveries",
    help: "Events that wait to be tried again, and those that need somebody",
    labelNames: ["state"],
    registers,
    async collect() {
      await unlessAway(async () => {
        const counts = await deliveryCounts(db);
        for (const state of DELIVERY_STATES) deliveries.set({ state }, Number(counts[state]));
      });
    },
  });
  for (const state of DELIVERY_STATES) deliveries.set({ state }, 0);
  const gauge = (name: string, help: string, value: () => Promise<number>): void => {
    const one = new Gauge({
      name,
      help,
      registers,
      async collect() {
        await unlessAway(async () => one.set(await value()));
      },
    });
    one.set(0);
  };
  gauge("hpc_bank_lines_open", "Transfers that wait to be matched to a receipt", () => openBankLineCount(db));
  gauge("hpc_receivable_minor", "What receipts that wait for payment still ask for, in minor units", async () =>
    Number((await receivableTotals(db)).totalMinor),
  );
  gauge("hpc_owed_back_minor", "What is owed back to payers, in minor units", async () =>
    Number((await overpaidReceipts(db, 0)).totalMinor),
  );
}

/** A database that does not answer must not take the other series with it. */
async function unlessAway(read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch {
    // The value stays as it was.
  }
}

/** What of payments needs somebody, for Prometheus: read from the database when somebody asks. */
import { Gauge, type Registry } from "prom-client";
import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import { openBankLineCount } from "../../payments/bank-queries.ts";
import { deliveryCounts } from "../../payments/dead-letters.ts";
import type { ScrapeQuestions } from "./metrics-questions.ts";

const DELIVERY_STATES = ["waiting", "dead"] as const;
const OPEN_REFUND_STATES = ["requested", "pending"] as const;

export function addPaymentMetrics(registers: Registry[], db: Queries, questions: ScrapeQuestions): void {
  const counts = questions.about("deliveries", () => deliveryCounts(db));
  const deliveries = new Gauge({
    name: "hpc_webhook_deliveries",
    help: "Events that wait to be tried again, and those that need somebody",
    labelNames: ["state"],
    registers,
    collect: () =>
      counts((found) => {
        for (const state of DELIVERY_STATES) deliveries.set({ state }, Number(found[state]));
      }),
  });
  for (const state of DELIVERY_STATES) deliveries.set({ state }, 0);

  const openRefunds = questions.about("refunds", () => openRefundCounts(db));
  const refunds = new Gauge({
    name: "hpc_refunds_open",
    help: "Refunds that the provider has still to be asked for, and those on their way",
    labelNames: ["state"],
    registers,
    collect: () =>
      openRefunds((found) => {
        for (const state of OPEN_REFUND_STATES) refunds.set({ state }, Number(found[state]));
      }),
  });
  for (const state of OPEN_REFUND_STATES) refunds.set({ state }, 0);

  const count = (
    part: string,
    series: { readonly name: string; readonly help: string },
    ask: () => Promise<number>,
  ): void => {
    const asked = questions.about(part, ask);
    const gauge = new Gauge({ ...series, registers, collect: () => asked((value) => gauge.set(value)) });
    gauge.set(0);
  };
  count("disputes", { name: "hpc_disputes_open", help: "Payments that payers dispute and that are not decided" }, () =>
    openDisputeCount(db),
  );
  count("bank lines", { name: "hpc_bank_lines_open", help: "Transfers that wait to be matched to a receipt" }, () =>
    openBankLineCount(db),
  );
}

function openRefundCounts(db: Queries): Promise<Readonly<Record<(typeof OPEN_REFUND_STATES)[number], bigint>>> {
  return db.one(
    z.object({ requested: z.bigint(), pending: z.bigint() }),
    sql`SELECT count(*) FILTER (WHERE status = 'requested') AS requested, count(*) FILTER (WHERE status = 'pending') AS pending
        FROM refunds WHERE status IN ('requested', 'pending')`,
  );
}

async function openDisputeCount(db: Queries): Promise<number> {
  const { open } = await db.one(
    z.object({ open: z.bigint() }),
    sql`SELECT count(*) AS open FROM disputes WHERE status = 'open'`,
  );
  return Number(open);
}

/**
 * What was billed and paid, for Prometheus: read from the database when somebody asks. At any moment billed less paid is
 * receivable less owed back.
 */
import { Gauge, type Registry } from "prom-client";
import { z } from "zod";
import { overpaidReceipts, receivableTotals } from "../../billing/queries.ts";
import { sql, type Queries } from "../../db/database.ts";
import type { Currency } from "../../rating/money.ts";
import type { ScrapeQuestions } from "./metrics-questions.ts";

const RECEIPT_STATES = ["pending", "paid", "void"] as const;

const totalsSchema = z.object({
  pending: z.bigint(),
  paid: z.bigint(),
  void: z.bigint(),
  billed_minor: z.string().transform(Number),
  received_minor: z.string().transform(Number),
});

export function addMoneyMetrics(
  registers: Registry[],
  db: Queries,
  { questions, currency }: { readonly questions: ScrapeQuestions; readonly currency: Currency | undefined },
): void {
  const totals = questions.about("receipts", () => receiptSums(db));
  const receipts = new Gauge({
    name: "hpc_receipts",
    help: "Receipts by their state",
    labelNames: ["state"],
    registers,
    collect: () =>
      totals((found) => {
        for (const state of RECEIPT_STATES) receipts.set({ state }, Number(found[state]));
      }),
  });
  for (const state of RECEIPT_STATES) receipts.set({ state }, 0);
  const gauge = (name: string, help: string, collect: (set: (value: number) => void) => Promise<void>): void => {
    const one = new Gauge({ name, help, registers, collect: () => collect((value) => one.set(value)) });
    one.set(0);
  };
  gauge("hpc_billed_minor", "Receipts that are not void, less what credit notes took off, in minor units", (set) =>
    totals((found) => set(found.billed_minor)),
  );
  gauge("hpc_paid_minor", "What was received less what was paid back, in minor units", (set) =>
    totals((found) => set(found.received_minor)),
  );
  const receivable = questions.about("receivable", () => receivableTotals(db));
  gauge("hpc_receivable_minor", "What receipts that wait for payment still ask for, in minor units", (set) =>
    receivable(({ totalMinor }) => set(Number(totalMinor))),
  );
  const owedBack = questions.about("owed back", () => overpaidReceipts(db, 0));
  gauge("hpc_owed_back_minor", "What is owed back to payers, in minor units", (set) =>
    owedBack(({ totalMinor }) => set(Number(totalMinor))),
  );
  if (currency !== undefined) {
    new Gauge({
      name: "hpc_minor_units_per_unit",
      help: "How many minor units make one unit of the site's currency",
      labelNames: ["currency"],
      registers,
    }).set({ currency: currency.code }, 10 ** currency.minorDigits);
  }
}

/** Receipts are one a month and user: thousands where there are a million jobs. */
function receiptSums(db: Queries): Promise<z.output<typeof totalsSchema>> {
  return db.one(
    totalsSchema,
    sql`SELECT count(*) FILTER (WHERE status = 'pending') AS pending, count(*) FILTER (WHERE status = 'paid') AS paid,
               count(*) FILTER (WHERE status = 'void') AS void,
               coalesce(sum(total_minor - credited_minor) FILTER (WHERE status <> 'void'), 0)::text AS billed_minor,
               coalesce(sum(received_minor), 0)::text AS received_minor
        FROM receipts`,
  );
}

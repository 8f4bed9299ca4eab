import { z } from "zod";
import type { Clock } from "../clock.ts";
import { sql, type Database, type Transaction, type Actor } from "../db/database.ts";
import type { Currency } from "../rating/money.ts";
import { taxOn, type TaxRule } from "../rating/tax.ts";
import type { Tier } from "../rating/tiers.ts";
import { readPricing, readTierOverrides, tierFor } from "../usage/prices/book.ts";
import { addDays, type SiteDays } from "../usage/site-day.ts";
import { adjustReceipt, type Adjustments } from "./adjustments.ts";
import { billJobs } from "./bill-jobs.ts";
import type { LineSum } from "./line-sums.ts";

export interface BillingContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly currency: Currency;
  readonly tax: TaxRule | null;
  readonly days: SiteDays;
}

/** What was issued. */
export interface IssuedReceipt {
  readonly id: bigint;
  readonly number: string;
  readonly userName: string;
  readonly jobs: number;
  readonly totalMinor: bigint;
}

/**
 * Issues a receipt for all finished, unbilled jobs of a user that ended up to and including `cutoffDay` in the site's
 * time zone, priced now, and for what their jobs billed earlier turned out to cost more or less, whenever those ended.
 * Jobs an exemption frees stand on it with their reason and nothing to pay. One transaction: jobs, items, lines,
 * adjustments, number and audit record, or nothing. A receipt with nothing to pay is settled at once.
 *
 * @returns undefined when there is no such job that has a price and no charge to add: a credit alone waits for the next.
 * @throws {ConflictError} when somebody billed one of the jobs at the same moment.
 */
export async function issueReceipt(
  context: BillingContext,
  request: { readonly userName: string; readonly cutoffDay: string },
  by: Actor,
): Promise<IssuedReceipt | undefined> {
  try {
    return await context.db.transaction((tx) => issueIn(context, tx, request, by));
  } catch (error) {
    if (error instanceof NothingToBill) return undefined;
    throw error;
  }
}

async function issueIn(
  context: BillingContext,
  tx: Transaction,
  request: { readonly userName: string; readonly cutoffDay: string },
  by: Actor,
): Promise<IssuedReceipt> {
  const endBefore = context.days.startOf(addDays(request.cutoffDay, 1));
  const pricing = await readPricing(tx, context.currency, { hold: true });
  // One receipt of a user at a time: the second of two tabs waits here and then finds nothing left to bill.
  const user = await tx.maybeOne(
    z.object({ default_account: z.string() }),
    sql`SELECT default_account FROM users WHERE username = ${request.userName} FOR UPDATE`,
  );
  if (user === undefined) throw new NothingToBill();
  const { id } = await tx.one(z.object({ id: z.bigint() }), sql`SELECT nextval('receipt_ids') AS id`);
  const billed = await billJobs(tx, pricing, { id, userName: request.userName, endBefore });
  const lines = billed.sums.lines();
  const linesMinor = lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  const adjustments = await adjustReceipt(tx, { id, userName: request.userName, linesMinor });
  if (!billed.hasPriced && adjustments.sumMinor <= 0n) throw new NothingToBill();
  const owner = { username: request.userName, account: user.default_account, cluster: null };
  const overrides = await readTierOverrides(tx, [request.userName]);
  const tier = tierFor(pricing, overrides, owner);
  const content = { jobs: billed.jobs, lines, subtotalMinor: linesMinor + adjustments.sumMinor, adjustments };
  const accounts = [...new Set([...billed.accounts, ...adjustments.accounts])].sort().join(", ");
  return writeReceipt(context, tx, { id, request, ...content, accounts, tier, priceVersion: pricing.version }, by);
}

/** Rolls back what was marked when it turns out that nothing of it has a price. */
class NothingToBill extends Error {}

async function writeReceipt(
  context: BillingContext,
  tx: Transaction,
  receipt: {
    id: bigint;
    request: { userName: string; cutoffDay: string };
    jobs: number;
    lines: readonly LineSum[];
    adjustments: Adjustments;
    /** Lines and adjustments. */
    subtotalMinor: bigint;
    accounts: string;
    tier: Tier;
    priceVersion: bigint;
  },
  by: Actor,
): Promise<IssuedReceipt> {
  const { id, request, jobs, adjustments, subtotalMinor } = receipt;
  const { taxMinor, totalMinor } = taxOn(subtotalMinor, context.tax);
  const now = context.clock.now();
  const isSettled = totalMinor === 0n;
  await writeLines(tx, id, receipt.lines);
  // Last of all, and short: from here to the commit every other receipt waits for this number.
  const number = await nextNumber(tx, context.days.dayOf(Math.floor(now.getTime() / 1000)));
  await tx.run(
    sql`INSERT INTO receipts (id, number, user_name, status, cutoff_day, issued_at, issued_by, tier, accounts, currency,
                              price_version, jobs, adjustments_minor, subtotal_minor, tax_label, tax_rate_micro, tax_inclusive, tax_minor,
                              total_minor, paid_at, paid_method, paid_reference)
        VALUES (${id}, ${number}, ${request.userName}, ${isSettled ? "paid" : "pending"}, ${request.cutoffDay}, ${now},
                ${by.actor}, ${receipt.tier}, ${receipt.accounts}, ${context.currency.code},
                ${receipt.priceVersion}, ${jobs}, ${adjustments.sumMinor}, ${subtotalMinor}, ${context.tax?.label ?? null},
                ${context.tax?.rateMicro ?? null}::bigint, ${context.tax?.inclusive ?? false}, ${taxMinor}, ${totalMinor},
                ${isSettled ? now : null}, ${isSettled ? "nothing_to_pay" : null}, NULL)`,
  );
  tx.audit({
    ...by,
    action: "receipt.issued",
    subject: `receipt:${number}`,
    details: {
      user: request.userName,
      cutoff_day: request.cutoffDay,
      jobs,
      adjustments: adjustments.count,
      adjustments_minor: adjustments.sumMinor,
      subtotal_minor: subtotalMinor,
      tax_minor: taxMinor,
      total_minor: totalMinor,
      currency: context.currency.code,
      status: isSettled ? "paid" : "pending",
    },
  });
  return { id, number, userName: request.userName, jobs, totalMinor };
}

async function writeLines(tx: Transaction, receiptId: bigint, lines: readonly LineSum[]): Promise<void> {
  for (const [index, line] of lines.entries()) {
    await tx.run(
      sql`INSERT INTO receipt_lines (receipt_id, position, tier, resource, gpu_type, rate_id, rate_micro, share_millionths,
                                     quantity, base_per_hour, amount_minor)
          VALUES (${receiptId}, ${index + 1}, ${line.tier}, ${line.resource}, ${line.gpuType}, ${line.rateId},
                  ${line.rateMicro}, ${line.shareMillionths}, ${line.base}, ${line.basePerHour}, ${line.amountMinor})`,
    );
  }
}

/** `R-YYYY-NNNNNN`, without gaps: the counter's row is locked until the commit that follows at once. */
async function nextNumber(tx: Transaction, today: string): Promise<string> {
  const year = Number(today.slice(0, 4));
  const { last } = await tx.one(
    z.object({ last: z.number() }),
    sql`INSERT INTO receipt_counters (year, last) VALUES (${year}, 1)
        ON CONFLICT (year) DO UPDATE SET last = receipt_counters.last + 1 RETURNING last`,
  );
  return `R-${year}-${String(last).padStart(6, "0")}`;
}

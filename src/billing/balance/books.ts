/** Checks that our own books balance, from the jobs of some days to the money they brought. */
import type { Database } from "../../db/database.ts";
import type { Currency } from "../../rating/money.ts";
import type { BreakList } from "../../usage/reconcile/breaks.ts";
import { checkUnbilledCharges, checkUnexplained } from "./charges.ts";
import {
  breaksOfReceipt,
  NO_RECEIPTS,
  receiptsOfDay,
  receiptsWithParts,
  withReceipt,
  type ReceiptSums,
} from "./receipts.ts";
import { checkRollup } from "./rollup.ts";
import { checkBilledOnce, checkCorrections } from "./settlement.ts";
import { addCharges, addUsage, chargesOfDay, NO_CHARGES, usageOfDay, type ChargeSums, type UsageSum } from "./sums.ts";
import type { BooksDay } from "./window.ts";

/** The three equations with their numbers. */
export interface Books {
  /** Usage = charges + stated exemptions: all jobs that ended in the days, by how they were charged. */
  readonly usage: readonly UsageSum[];
  /** Charges = receipts + corrections + unbilled, of the same jobs. */
  readonly charges: ChargeSums;
  /** Receipts = payments + by hand + credited + receivable − to pay back + void, of the receipts that bill those jobs or were issued in the days. */
  readonly receipts: ReceiptSums;
  /** Jobs that wait to be priced anew after a change of prices; they are no break. */
  readonly repricingJobs: number;
}

export interface BooksRequest {
  readonly db: Database;
  readonly currency: Currency;
  readonly days: readonly BooksDay[];
  readonly signal: AbortSignal;
  /** Called after each piece of work. */
  readonly onAlive: () => Promise<void>;
}

const RECEIPTS_AT_A_TIME = 200;

/** Day by day, so that the work is bounded whatever the window; what does not balance goes to `breaks`. */
export async function checkBooks(request: BooksRequest, breaks: BreakList): Promise<Books> {
  const { db, currency, days, signal, onAlive } = request;
  const usage = new Map<string, UsageSum>();
  const receiptIds = new Set<bigint>();
  let charges = NO_CHARGES;
  let repricingJobs = 0;
  for (const day of days) {
    signal.throwIfAborted();
    for (const check of [checkRollup, checkUnexplained, checkBilledOnce, checkCorrections]) {
      const found = await check(db, day);
      breaks.addFirstOf(found.breaks, found.total);
    }
    const unbilled = await checkUnbilledCharges(db, currency, day, onAlive);
    for (const one of unbilled.breaks) breaks.add(one);
    repricingJobs += unbilled.repricing;
    addUsage(usage, await usageOfDay(db, day));
    charges = addCharges(charges, await chargesOfDay(db, day));
    for (const id of await receiptsOfDay(db, day)) receiptIds.add(id);
  }
  const receipts = await checkReceipts(request, [...receiptIds], breaks);
  return { usage: [...usage.values()].sort(byKind), charges, receipts, repricingJobs };
}

async function checkReceipts(
  { db, signal, onAlive }: BooksRequest,
  ids: readonly bigint[],
  breaks: BreakList,
): Promise<ReceiptSums> {
  let sums = NO_RECEIPTS;
  for (let first = 0; first < ids.length; first += RECEIPTS_AT_A_TIME) {
    signal.throwIfAborted();
    for (const receipt of await receiptsWithParts(db, ids.slice(first, first + RECEIPTS_AT_A_TIME))) {
      for (const one of breaksOfReceipt(receipt)) breaks.add(one);
      sums = withReceipt(sums, receipt);
    }
    await onAlive();
  }
  return sums;
}

const KINDS = ["priced", "free", "nothing", "held"];

function byKind(a: UsageSum, b: UsageSum): number {
  return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || ((a.reason ?? "") < (b.reason ?? "") ? -1 : 1);
}

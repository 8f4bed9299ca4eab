import { z } from "zod";
import type { Clock } from "../clock.ts";
import { sql, type Database, type Transaction, type Actor } from "../db/database.ts";
import { ConflictError } from "../errors.ts";
import { chargeFor, type Charge } from "../rating/charge.ts";
import type { Currency } from "../rating/money.ts";
import { taxOn, type TaxRule } from "../rating/tax.ts";
import { naturalTier, type Tier } from "../rating/tiers.ts";
import { jobColumns, jobSchema, type StoredJob } from "../usage/jobs.ts";
import { readPricing, readTierOverrides, tierFor, type Pricing } from "../usage/prices/book.ts";
import { repriceJobs } from "../usage/prices/reprice.ts";
import { addToRollup } from "../usage/rollup.ts";
import { addDays, type SiteDays } from "../usage/site-day.ts";
import { LineSums, type LineSum } from "./line-sums.ts";
import { copyItems } from "./receipt-items.ts";

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

/** A job and the charge it is billed with. */
export interface BilledJob {
  readonly job: StoredJob;
  readonly charge: Exclude<Charge, { kind: "held" | "accruing" }>;
}

const PAGE_JOBS = 5_000;

/**
 * Issues a receipt for all finished, unbilled jobs of a user that ended up to and including `cutoffDay` in the site's
 * time zone, priced now. Jobs an exemption frees stand on it with their reason and nothing to pay. One transaction:
 * jobs, items, lines, number and audit record, or nothing. A receipt with nothing to pay is settled at once.
 *
 * @returns undefined when there is no such job that has a price.
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
  if (!billed.hasPriced) throw new NothingToBill();
  const subject = { username: request.userName, account: user.default_account };
  const overrides = await readTierOverrides(tx, [request.userName]);
  const tier = overrides.get(request.userName) ?? naturalTier(pricing.tierRules, subject).tier;
  return writeReceipt(context, tx, { id, request, billed, tier, priceVersion: pricing.version }, by);
}

interface Billed {
  readonly jobs: number;
  readonly hasPriced: boolean;
  readonly accounts: ReadonlySet<string>;
  readonly sums: LineSums;
}

/** Locks, prices and marks the jobs page by page, in constant memory. */
async function billJobs(
  tx: Transaction,
  pricing: Pricing,
  receipt: { id: bigint; userName: string; endBefore: number },
): Promise<Billed> {
  const overrides = await readTierOverrides(tx, [receipt.userName]);
  const accounts = new Set<string>();
  const sums = new LineSums();
  let jobs = 0;
  let hasPriced = false;
  let last: StoredJob | undefined;
  for (;;) {
    const page = await nextUnbilled(tx, receipt, last);
    last = page.at(-1);
    // Prices on the jobs and in the rollup first become what the receipt will say.
    await repriceJobs(tx, page, pricing);
    const billed = page.flatMap((job): BilledJob[] => {
      const tier: Tier = tierFor(pricing, overrides, { username: job.user, account: job.account });
      const charge = chargeFor(job, tier, pricing.book);
      return charge.kind === "held" || charge.kind === "accruing" ? [] : [{ job, charge }];
    });
    for (const { job, charge } of billed) {
      jobs++;
      if (charge.kind !== "priced") continue;
      hasPriced = true;
      accounts.add(job.account);
      sums.add(charge);
    }
    if (billed.length > 0) await markBilled(tx, receipt.id, billed);
    if (page.length < PAGE_JOBS) return { jobs, hasPriced, accounts, sums };
  }
}

async function nextUnbilled(
  tx: Transaction,
  receipt: { userName: string; endBefore: number },
  after: StoredJob | undefined,
): Promise<StoredJob[]> {
  const from =
    after === undefined || after.endAt === null
      ? sql`true`
      : sql`(j.end_at, j.cluster, j.raw_job_id, j.submit_at) > (to_timestamp(${after.endAt}::bigint), ${after.cluster}::text,
             ${after.rawJobId}::text, to_timestamp(${after.submitAt}::bigint))`;
  return tx.rows(
    jobSchema,
    sql`SELECT ${jobColumns("j")} FROM jobs j
        WHERE j.user_name = ${receipt.userName} AND j.receipt_id IS NULL AND j.phase = 'finished'
          AND j.end_at < to_timestamp(${receipt.endBefore}::bigint) AND ${from}
        ORDER BY j.end_at, j.cluster, j.raw_job_id, j.submit_at
        LIMIT ${PAGE_JOBS} FOR UPDATE OF j`,
  );
}

/** Puts jobs on the receipt: items, the jobs' own mark, and the rollup's "not yet billed". */
async function markBilled(tx: Transaction, receiptId: bigint, billed: readonly BilledJob[]): Promise<void> {
  await copyItems(tx, receiptId, billed);
  const keys = sql`unnest(${billed.map(({ job }) => job.cluster)}::text[], ${billed.map(({ job }) => job.rawJobId)}::text[],
                          ${billed.map(({ job }) => job.submitAt)}::bigint[]) AS k (cluster, raw_job_id, submit_epoch)`;
  const touched = sql`${keys} JOIN jobs j ON j.cluster = k.cluster AND j.raw_job_id = k.raw_job_id
                        AND j.submit_at = to_timestamp(k.submit_epoch)`;
  await addToRollup(tx, touched, -1);
  const marked = await tx.run(
    sql`UPDATE jobs j SET receipt_id = ${receiptId} FROM ${keys}
        WHERE j.cluster = k.cluster AND j.raw_job_id = k.raw_job_id AND j.submit_at = to_timestamp(k.submit_epoch)
          AND j.receipt_id IS NULL`,
  );
  if (marked !== billed.length)
    throw new ConflictError("some of these jobs were billed by somebody else just now; nothing was billed");
  await addToRollup(tx, touched, 1);
}

/** Rolls back what was marked when it turns out that nothing of it has a price. */
class NothingToBill extends Error {}

async function writeReceipt(
  context: BillingContext,
  tx: Transaction,
  receipt: {
    id: bigint;
    request: { userName: string; cutoffDay: string };
    billed: Billed;
    tier: Tier;
    priceVersion: bigint;
  },
  by: Actor,
): Promise<IssuedReceipt> {
  const { id, request, billed } = receipt;
  const lines = billed.sums.lines();
  const subtotalMinor = lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  const { taxMinor, totalMinor } = taxOn(subtotalMinor, context.tax);
  const now = context.clock.now();
  const isSettled = totalMinor === 0n;
  await writeLines(tx, id, lines);
  // Last of all, and short: from here to the commit every other receipt waits for this number.
  const number = await nextNumber(tx, context.days.dayOf(Math.floor(now.getTime() / 1000)));
  await tx.run(
    sql`INSERT INTO receipts (id, number, user_name, status, cutoff_day, issued_at, issued_by, tier, accounts, currency,
                              price_version, jobs, subtotal_minor, tax_label, tax_rate_micro, tax_inclusive, tax_minor,
                              total_minor, paid_at, paid_method, paid_reference)
        VALUES (${id}, ${number}, ${request.userName}, ${isSettled ? "paid" : "pending"}, ${request.cutoffDay}, ${now},
                ${by.actor}, ${receipt.tier}, ${[...billed.accounts].sort().join(", ")}, ${context.currency.code},
                ${receipt.priceVersion}, ${billed.jobs}, ${subtotalMinor}, ${context.tax?.label ?? null},
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
      jobs: billed.jobs,
      subtotal_minor: subtotalMinor,
      tax_minor: taxMinor,
      total_minor: totalMinor,
      currency: context.currency.code,
      status: isSettled ? "paid" : "pending",
    },
  });
  return { id, number, userName: request.userName, jobs: billed.jobs, totalMinor };
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

import { z } from "zod";
import { sql, type Queries, type Sql } from "../db/database.ts";
import type { Quantity } from "../rating/charge.ts";
import { tierSchema } from "../usage/prices/book.ts";
import { dueMinor, type ReceiptStatus } from "./states.ts";

const receiptSchema = z
  .object({
    id: z.bigint(),
    number: z.string(),
    user_name: z.string(),
    status: z.enum(["pending", "paid", "void"]),
    cutoff_day: z.string(),
    issued_at: z.date(),
    issued_by: z.string(),
    tier: tierSchema,
    accounts: z.string(),
    currency: z.string(),
    jobs: z.bigint(),
    adjustments_minor: z.bigint(),
    subtotal_minor: z.bigint(),
    tax_label: z.string().nullable(),
    tax_rate_micro: z.bigint().nullable(),
    tax_inclusive: z.boolean(),
    tax_minor: z.bigint(),
    total_minor: z.bigint(),
    credited_minor: z.bigint(),
    received_minor: z.bigint(),
    jobs_released: z.boolean(),
    paid_at: z.date().nullable(),
    paid_method: z.string().nullable(),
    paid_reference: z.string().nullable(),
    voided_at: z.date().nullable(),
    voided_by: z.string().nullable(),
    void_reason: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    number: row.number,
    userName: row.user_name,
    status: row.status,
    cutoffDay: row.cutoff_day,
    issuedAt: row.issued_at,
    issuedBy: row.issued_by,
    tier: row.tier,
    accounts: row.accounts,
    currency: row.currency,
    jobs: row.jobs,
    /** Part of the subtotal: charges less credits for jobs on earlier receipts. */
    adjustmentsMinor: row.adjustments_minor,
    subtotalMinor: row.subtotal_minor,
    taxLabel: row.tax_label,
    taxRateMicro: row.tax_rate_micro,
    taxInclusive: row.tax_inclusive,
    taxMinor: row.tax_minor,
    totalMinor: row.total_minor,
    /** By credit notes. */
    creditedMinor: row.credited_minor,
    /** Received less paid back. */
    receivedMinor: row.received_minor,
    /** What it still asks for; below zero, what is owed back. */
    dueMinor: dueMinor(
      { totalMinor: row.total_minor, creditedMinor: row.credited_minor, receivedMinor: row.received_minor },
      row.status,
    ),
    /** A credit note gave its jobs free for billing again. */
    jobsReleased: row.jobs_released,
    paidAt: row.paid_at,
    paidMethod: row.paid_method,
    paidReference: row.paid_reference,
    voidedAt: row.voided_at,
    voidedBy: row.voided_by,
    voidReason: row.void_reason,
  }));

/** A receipt as issued; its own amounts never change, what was credited and received does. */
export type Receipt = z.output<typeof receiptSchema>;

const COLUMNS = sql`id, number, user_name, status, cutoff_day, issued_at, issued_by, tier, accounts, currency, jobs,
  adjustments_minor, subtotal_minor, tax_label, tax_rate_micro, tax_inclusive, tax_minor, total_minor, credited_minor,
  received_minor, jobs_released, paid_at, paid_method, paid_reference, voided_at, voided_by, void_reason`;

export function findReceipt(queries: Queries, id: bigint): Promise<Receipt | undefined> {
  return queries.maybeOne(receiptSchema, sql`SELECT ${COLUMNS} FROM receipts WHERE id = ${id}`);
}

export interface ReceiptFilter {
  readonly userName?: string | undefined;
  readonly status?: ReceiptStatus | undefined;
  /** Issued from this instant on, and before that one. */
  readonly issuedFrom?: Date | undefined;
  readonly issuedBefore?: Date | undefined;
  /** Paid from this instant on, and before that one. */
  readonly paidFrom?: Date | undefined;
  readonly paidBefore?: Date | undefined;
}

function conditionsOf(filter: ReceiptFilter): Sql {
  let conditions = sql`true`;
  if (filter.userName !== undefined) conditions = sql`${conditions} AND user_name = ${filter.userName}`;
  if (filter.status !== undefined) conditions = sql`${conditions} AND status = ${filter.status}`;
  if (filter.issuedFrom !== undefined) conditions = sql`${conditions} AND issued_at >= ${filter.issuedFrom}`;
  if (filter.issuedBefore !== undefined) conditions = sql`${conditions} AND issued_at < ${filter.issuedBefore}`;
  if (filter.paidFrom !== undefined) conditions = sql`${conditions} AND paid_at >= ${filter.paidFrom}`;
  if (filter.paidBefore !== undefined) conditions = sql`${conditions} AND paid_at < ${filter.paidBefore}`;
  return conditions;
}

/** Receipts, newest first: those behind the id `before`, or the ones just in front of the id `after`. */
export async function listReceipts(
  queries: Queries,
  filter: ReceiptFilter,
  page: { readonly limit: number; readonly before?: bigint | undefined; readonly after?: bigint | undefined },
): Promise<Receipt[]> {
  const isBackwards = page.after !== undefined;
  const from = isBackwards ? sql`id > ${page.after}` : page.before === undefined ? sql`true` : sql`id < ${page.before}`;
  const order = isBackwards ? sql`id` : sql`id DESC`;
  const receipts = await queries.rows(
    receiptSchema,
    sql`SELECT ${COLUMNS} FROM receipts WHERE ${conditionsOf(filter)} AND ${from} ORDER BY ${order} LIMIT ${page.limit}`,
  );
  return isBackwards ? receipts.reverse() : receipts;
}

/** Receipts paid within [from, before), in order of payment, page by page. */
export async function* paidReceipts(queries: Queries, from: Date, before: Date): AsyncGenerator<Receipt[]> {
  const limit = 1_000;
  let last: Receipt | undefined;
  for (;;) {
    const position: Sql = last === undefined ? sql`true` : sql`(paid_at, id) > (${last.paidAt}, ${last.id})`;
    const page: Receipt[] = await queries.rows(
      receiptSchema,
      sql`SELECT ${COLUMNS} FROM receipts
          WHERE status = 'paid' AND paid_at >= ${from} AND paid_at < ${before} AND ${position}
          ORDER BY paid_at, id LIMIT ${limit}`,
    );
    if (page.length > 0) yield page;
    last = page.at(-1);
    if (page.length < limit) return;
  }
}

/** Number and sum of the receipts of a filter. */
export async function receiptTotals(
  queries: Queries,
  filter: ReceiptFilter,
): Promise<{ count: number; totalMinor: bigint }> {
  const row = await queries.one(
    z.object({ count: z.bigint(), total: z.string() }),
    sql`SELECT count(*) AS count, coalesce(sum(total_minor), 0)::text AS total FROM receipts WHERE ${conditionsOf(filter)}`,
  );
  return { count: Number(row.count), totalMinor: BigInt(row.total) };
}

/** Number of receipts of a filter that wait for payment, and what they still ask for. */
export async function receivableTotals(
  queries: Queries,
  filter: Omit<ReceiptFilter, "status"> = {},
): Promise<{ count: number; totalMinor: bigint }> {
  const row = await queries.one(
    z.object({ count: z.bigint(), total: z.string() }),
    sql`SELECT count(*) AS count, coalesce(sum(total_minor - credited_minor - received_minor), 0)::text AS total
        FROM receipts WHERE ${conditionsOf({ ...filter, status: "pending" })}`,
  );
  return { count: Number(row.count), totalMinor: BigInt(row.total) };
}

/** Receipts on which something is owed back to the payer, oldest first, and what it comes to. */
export async function overpaidReceipts(
  queries: Queries,
  limit: number,
): Promise<{ readonly receipts: readonly Receipt[]; readonly count: number; readonly totalMinor: bigint }> {
  const owing = sql`((status = 'void' AND received_minor <> 0)
                     OR (status = 'paid' AND total_minor - credited_minor - received_minor < 0))`;
  const receipts = await queries.rows(
    receiptSchema,
    sql`SELECT ${COLUMNS} FROM receipts WHERE ${owing} ORDER BY id LIMIT ${limit}`,
  );
  const row = await queries.one(
    z.object({ count: z.bigint(), total: z.string() }),
    sql`SELECT count(*) AS count,
               coalesce(sum(received_minor - CASE WHEN status = 'void' THEN 0 ELSE total_minor - credited_minor END), 0)::text AS total
        FROM receipts WHERE ${owing}`,
  );
  return { receipts, count: Number(row.count), totalMinor: BigInt(row.total) };
}

/** Number and sum of what was paid within [from, before). */
export async function paidTotals(
  queries: Queries,
  from: Date,
  before: Date,
): Promise<{ count: number; totalMinor: bigint }> {
  const row = await queries.one(
    z.object({ count: z.bigint(), total: z.string() }),
    sql`SELECT count(*) AS count, coalesce(sum(total_minor), 0)::text AS total FROM receipts
        WHERE status = 'paid' AND paid_at >= ${from} AND paid_at < ${before}`,
  );
  return { count: Number(row.count), totalMinor: BigInt(row.total) };
}

const lineSchema = z
  .object({
    tier: tierSchema,
    resource: z.enum(["cpu", "gpu", "mem"]),
    gpu_type: z.string().nullable(),
    rate_micro: z.bigint(),
    share_millionths: z.bigint(),
    quantity: z.string().transform((text) => BigInt(text)),
    base_per_hour: z.bigint(),
    amount_minor: z.bigint(),
  })
  .transform((row) => ({
    tier: row.tier,
    resource: row.resource,
    gpuType: row.gpu_type,
    rateMicro: row.rate_micro,
    shareMillionths: row.share_millionths,
    quantity: { base: row.quantity, basePerHour: row.base_per_hour } satisfies Quantity,
    amountMinor: row.amount_minor,
  }));

export type ReceiptLine = z.output<typeof lineSchema>;

export function receiptLines(queries: Queries, receiptId: bigint): Promise<ReceiptLine[]> {
  return queries.rows(
    lineSchema,
    sql`SELECT tier, resource, gpu_type, rate_micro, share_millionths, quantity::text, base_per_hour, amount_minor
        FROM receipt_lines WHERE receipt_id = ${receiptId} ORDER BY position`,
  );
}

const bigintText = z.string().transform((text) => BigInt(text));

const snapshotSchema = z
  .object({
    resource: z.enum(["cpu", "gpu", "mem"]),
    gpu_type: z.string().nullable(),
    allocated: z.number().nullable(),
    base: bigintText,
    base_per_hour: bigintText,
    rate_micro: bigintText,
    share_millionths: bigintText,
    amount_minor: bigintText,
  })
  .transform((row) => ({
    resource: row.resource,
    gpuType: row.gpu_type,
    allocated: row.allocated,
    quantity: { base: row.base, basePerHour: row.base_per_hour } satisfies Quantity,
    rateMicro: row.rate_micro,
    shareMillionths: row.share_millionths,
    amountMinor: row.amount_minor,
  }));

export const itemSchema = z
  .object({
    cluster: z.string(),
    raw_job_id: z.string(),
    submit_epoch: z.bigint().transform(Number),
    job_id: z.string(),
    job_name: z.string(),
    account: z.string(),
    partition: z.string(),
    state: z.string(),
    end_epoch: z.bigint().transform(Number),
    elapsed_seconds: z.bigint().transform(Number),
    tier: tierSchema,
    charge_kind: z.enum(["priced", "free", "nothing"]),
    free_reason: z.string().nullable(),
    rate_id: z.number().nullable(),
    rule_set_id: z.number(),
    cpu_minor: z.bigint(),
    gpu_minor: z.bigint(),
    mem_minor: z.bigint(),
    lines: z.array(snapshotSchema),
  })
  .transform((row) => ({
    cluster: row.cluster,
    rawJobId: row.raw_job_id,
    submitAt: row.submit_epoch,
    jobId: row.job_id,
    jobName: row.job_name,
    account: row.account,
    partition: row.partition,
    state: row.state,
    endAt: row.end_epoch,
    elapsedSeconds: row.elapsed_seconds,
    tier: row.tier,
    chargeKind: row.charge_kind,
    freeReason: row.free_reason,
    rateId: row.rate_id,
    ruleSetId: row.rule_set_id,
    cpuMinor: row.cpu_minor,
    gpuMinor: row.gpu_minor,
    memMinor: row.mem_minor,
    costMinor: row.cpu_minor + row.gpu_minor + row.mem_minor,
    lines: row.lines,
  }));

/** A job as its receipt has it. */
export type ReceiptItem = z.output<typeof itemSchema>;

/** Select list of `itemSchema`, of `receipt_items i`. */
export const ITEM_COLUMNS = sql`i.cluster, i.raw_job_id, extract(epoch FROM i.submit_at)::bigint AS submit_epoch, i.job_id, i.job_name,
  i.account, i.partition, i.state, extract(epoch FROM i.end_at)::bigint AS end_epoch, i.elapsed_seconds, i.tier, i.charge_kind,
  i.free_reason, i.rate_id, i.rule_set_id, i.cpu_minor, i.gpu_minor, i.mem_minor, i.lines`;

/** Items of a receipt by end of the job, behind `after`. */
export function receiptItems(
  queries: Queries,
  receiptId: bigint,
  page: {
    readonly limit: number;
    readonly after?: Pick<ReceiptItem, "endAt" | "cluster" | "rawJobId" | "submitAt"> | undefined;
  },
): Promise<ReceiptItem[]> {
  const from =
    page.after === undefined
      ? sql`true`
      : sql`(end_at, cluster, raw_job_id, submit_at) > (to_timestamp(${page.after.endAt}::bigint), ${page.after.cluster}::text,
             ${page.after.rawJobId}::text, to_timestamp(${page.after.submitAt}::bigint))`;
  return queries.rows(
    itemSchema,
    sql`SELECT ${ITEM_COLUMNS}
        FROM receipt_items i WHERE receipt_id = ${receiptId} AND ${from}
        ORDER BY end_at, cluster, raw_job_id, submit_at LIMIT ${page.limit}`,
  );
}

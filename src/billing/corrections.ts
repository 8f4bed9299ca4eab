import { z } from "zod";
import { sql, type Queries, type Sql } from "../db/database.ts";
import type { JobKey } from "./job-keys.ts";

const adjustmentSchema = z
  .object({
    position: z.number(),
    cluster: z.string(),
    raw_job_id: z.string(),
    submit_epoch: z.bigint().transform(Number),
    job_id: z.string(),
    job_name: z.string(),
    account: z.string(),
    correction_id: z.bigint(),
    original_receipt_id: z.bigint(),
    original_number: z.string(),
    billed_minor: z.bigint(),
    correct_minor: z.bigint(),
    amount_minor: z.bigint(),
  })
  .transform((row) => ({
    position: row.position,
    cluster: row.cluster,
    rawJobId: row.raw_job_id,
    submitAt: row.submit_epoch,
    jobId: row.job_id,
    jobName: row.job_name,
    account: row.account,
    correctionId: row.correction_id,
    originalReceiptId: row.original_receipt_id,
    originalNumber: row.original_number,
    billedMinor: row.billed_minor,
    correctMinor: row.correct_minor,
    amountMinor: row.amount_minor,
  }));

/** One signed line of a receipt: what a job billed earlier costs now, less what was billed for it so far, in minor units. */
export type Adjustment = z.output<typeof adjustmentSchema>;

/** Adjustments of a receipt in their order, behind the position `after`. */
export function receiptAdjustments(
  queries: Queries,
  receiptId: bigint,
  page: { readonly limit: number; readonly after?: number | undefined },
): Promise<Adjustment[]> {
  return queries.rows(
    adjustmentSchema,
    sql`SELECT a.position, a.cluster, a.raw_job_id, extract(epoch FROM a.submit_at)::bigint AS submit_epoch, a.job_id,
               a.job_name, a.account, a.correction_id, a.original_receipt_id, r.number AS original_number, a.billed_minor,
               a.correct_minor, a.amount_minor
        FROM receipt_adjustments a JOIN receipts r ON r.id = a.original_receipt_id
        WHERE a.receipt_id = ${receiptId} AND a.position > ${page.after ?? 0}
        ORDER BY a.position LIMIT ${page.limit}`,
  );
}

const correctionSchema = z
  .object({
    id: z.bigint(),
    cluster: z.string(),
    raw_job_id: z.string(),
    submit_epoch: z.bigint().transform(Number),
    user_name: z.string(),
    receipt_id: z.bigint(),
    receipt_number: z.string(),
    currency: z.string(),
    recorded_at: z.date(),
    reason: z.enum(["record_changed", "receipt_voided"]),
    before_minor: z.bigint(),
    after_minor: z.bigint(),
    status: z.enum(["open", "settled", "superseded"]),
  })
  .transform((row) => ({
    id: row.id,
    cluster: row.cluster,
    rawJobId: row.raw_job_id,
    submitAt: row.submit_epoch,
    /** Who got the receipt, and gets the adjustment. */
    userName: row.user_name,
    receiptId: row.receipt_id,
    receiptNumber: row.receipt_number,
    currency: row.currency,
    recordedAt: row.recorded_at,
    reason: row.reason,
    beforeMinor: row.before_minor,
    afterMinor: row.after_minor,
    status: row.status,
  }));

/** That a job changed after it was billed, and what that costs. */
export type Correction = z.output<typeof correctionSchema>;

const COLUMNS = sql`c.id, c.cluster, c.raw_job_id, extract(epoch FROM c.submit_at)::bigint AS submit_epoch, c.user_name,
  c.receipt_id, r.number AS receipt_number, r.currency, c.recorded_at, c.reason, c.before_minor, c.after_minor, c.status`;

const FROM = sql`corrections c JOIN receipts r ON r.id = c.receipt_id`;

export function findCorrection(queries: Queries, id: bigint): Promise<Correction | undefined> {
  return queries.maybeOne(correctionSchema, sql`SELECT ${COLUMNS} FROM ${FROM} WHERE c.id = ${id}`);
}

/** A job's corrections, oldest first; of one user, or of everybody who was billed for it. */
export function correctionsOfJob(
  queries: Queries,
  job: JobKey,
  filter: { readonly userName?: string | undefined } = {},
): Promise<Correction[]> {
  const ofUser: Sql = filter.userName === undefined ? sql`true` : sql`c.user_name = ${filter.userName}`;
  return queries.rows(
    correctionSchema,
    sql`SELECT ${COLUMNS} FROM ${FROM}
        WHERE c.cluster = ${job.cluster} AND c.raw_job_id = ${job.rawJobId}
          AND c.submit_at = to_timestamp(${job.submitAt}::bigint) AND ${ofUser}
        ORDER BY c.id`,
  );
}

/** A row of `jobs` as it was, by column; every value as text, so that large integers stay exact. */
export type RecordVersion = ReadonlyMap<string, string | null>;

const versionSchema = z
  .record(z.string(), z.string().nullable())
  .transform((row): RecordVersion => new Map(Object.entries(row)));

/** Both versions of the record of a correction. */
export function recordVersions(
  queries: Queries,
  correctionId: bigint,
): Promise<{ before: RecordVersion; after: RecordVersion }> {
  const texts = (column: Sql): Sql => sql`(SELECT jsonb_object_agg(key, value) FROM jsonb_each_text(${column}))`;
  return queries.one(
    z.object({ before: versionSchema, after: versionSchema }),
    sql`SELECT ${texts(sql`c.before`)} AS before, ${texts(sql`c.after`)} AS after FROM corrections c WHERE c.id = ${correctionId}`,
  );
}

/** A line of a receipt, or a credit note, that settled (a part of) what a job owed. */
export interface Settlement {
  readonly kind: "receipt" | "credit_note";
  readonly id: bigint;
  readonly number: string;
  readonly issuedAt: Date;
  /** Negative: given back. */
  readonly amountMinor: bigint;
}

/** What receipts and credit notes of a user that hold have settled of a job, oldest first. */
export function settlementsOf(queries: Queries, job: JobKey, userName: string): Promise<Settlement[]> {
  const ofJob = (table: Sql): Sql =>
    sql`${table}.cluster = ${job.cluster} AND ${table}.raw_job_id = ${job.rawJobId}
        AND ${table}.submit_at = to_timestamp(${job.submitAt}::bigint) AND ${table}.user_name = ${userName} AND ${table}.active`;
  return queries.rows(
    z
      .object({
        kind: z.enum(["receipt", "credit_note"]),
        id: z.bigint(),
        number: z.string(),
        issued_at: z.date(),
        amount_minor: z.bigint(),
      })
      .transform(({ issued_at, amount_minor, ...row }): Settlement => ({
        ...row,
        issuedAt: issued_at,
        amountMinor: amount_minor,
      })),
    sql`SELECT 'receipt' AS kind, r.id, r.number, r.issued_at, a.amount_minor
        FROM receipt_adjustments a JOIN receipts r ON r.id = a.receipt_id WHERE ${ofJob(sql`a`)}
        UNION ALL
        SELECT 'credit_note', n.id, n.number, n.issued_at, -c.amount_minor
        FROM credit_note_jobs c JOIN credit_notes n ON n.id = c.credit_note_id WHERE ${ofJob(sql`c`)}
        ORDER BY issued_at, id`,
  );
}

/** What a user still owes (negative: is owed) for one job billed earlier, in minor units. */
export async function owedFor(queries: Queries, job: JobKey, userName: string): Promise<bigint> {
  const { owed } = await queries.one(
    z.object({ owed: z.bigint() }),
    sql`SELECT owed_minor(${job.cluster}, ${job.rawJobId}, to_timestamp(${job.submitAt}::bigint), ${userName}) AS owed`,
  );
  return owed;
}

/** What corrections have left to settle. */
export interface OpenCorrections {
  readonly jobs: number;
  /** What they add to the next receipts or (negative) take off them, in minor units. */
  readonly owedMinor: bigint;
  /** People who owe more than they are owed: they get a receipt even without new jobs. */
  readonly peopleToPay: number;
}

/** What is still to be settled, with one user or with everybody. */
export async function openCorrections(
  queries: Queries,
  filter: { readonly userName?: string | undefined } = {},
): Promise<OpenCorrections> {
  const ofUser: Sql = filter.userName === undefined ? sql`true` : sql`user_name = ${filter.userName}`;
  const row = await queries.one(
    z.object({ jobs: z.bigint(), owed: z.bigint(), people: z.bigint() }),
    sql`SELECT coalesce(sum(jobs), 0)::bigint AS jobs, coalesce(sum(owed), 0)::bigint AS owed,
               count(*) FILTER (WHERE owed > 0) AS people
        FROM (SELECT count(*) AS jobs, sum(owed_minor(cluster, raw_job_id, submit_at, user_name)) AS owed
              FROM (SELECT DISTINCT user_name, cluster, raw_job_id, submit_at FROM corrections
                    WHERE status = 'open' AND ${ofUser}) corrected
              GROUP BY user_name) by_user`,
  );
  return { jobs: Number(row.jobs), owedMinor: row.owed, peopleToPay: Number(row.people) };
}

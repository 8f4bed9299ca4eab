/** Reads credit notes, and what of a receipt can still be credited. */
import { z } from "zod";
import { sql, type Queries } from "../db/database.ts";
import type { Creditable } from "./credit-note-amounts.ts";
import { owedBackOn, type CreditedJob } from "./credit-note-jobs.ts";

const receiptSchema = z.object({
  currency: z.string(),
  subtotal_minor: z.bigint(),
  tax_minor: z.bigint(),
  tax_label: z.string().nullable(),
  tax_rate_micro: z.bigint().nullable(),
  tax_inclusive: z.boolean(),
  credited_subtotal: z.bigint(),
  credited_tax: z.bigint(),
});

const lineSchema = z.object({ position: z.number(), amount_minor: z.bigint(), credited: z.bigint() });

/** What can still be credited of a receipt, and the jobs of which something is owed back. */
export async function creditableOf(
  queries: Queries,
  receipt: { readonly id: bigint; readonly userName: string },
  options: { readonly lock: boolean },
): Promise<{ readonly creditable: Creditable; readonly owedJobs: readonly CreditedJob[] }> {
  const row = await queries.one(
    receiptSchema,
    sql`SELECT r.currency, r.subtotal_minor, r.tax_minor, r.tax_label, r.tax_rate_micro, r.tax_inclusive,
               coalesce(sum(n.subtotal_minor), 0)::bigint AS credited_subtotal, coalesce(sum(n.tax_minor), 0)::bigint AS credited_tax
        FROM receipts r LEFT JOIN credit_notes n ON n.receipt_id = r.id
        WHERE r.id = ${receipt.id} GROUP BY r.id`,
  );
  const lines = await queries.rows(
    lineSchema,
    sql`SELECT l.position, l.amount_minor,
               (SELECT coalesce(sum(c.amount_minor), 0)::bigint FROM credit_note_lines c JOIN credit_notes n ON n.id = c.credit_note_id
                WHERE n.receipt_id = l.receipt_id AND c.receipt_position = l.position) AS credited
        FROM receipt_lines l WHERE l.receipt_id = ${receipt.id} ORDER BY l.position`,
  );
  const hasTax = row.tax_label !== null && row.tax_rate_micro !== null;
  return {
    creditable: {
      currency: row.currency,
      subtotalMinor: row.subtotal_minor,
      taxMinor: row.tax_minor,
      tax: hasTax
        ? { label: row.tax_label ?? "", rateMicro: row.tax_rate_micro ?? 0n, inclusive: row.tax_inclusive }
        : null,
      creditedSubtotalMinor: row.credited_subtotal,
      creditedTaxMinor: row.credited_tax,
      lines: lines.map((line) => ({
        position: line.position,
        amountMinor: line.amount_minor,
        creditedMinor: line.credited,
      })),
    },
    owedJobs: await owedBackOn(queries, receipt, options),
  };
}

const noteSchema = z
  .object({
    id: z.bigint(),
    number: z.string(),
    receipt_id: z.bigint(),
    receipt_number: z.string(),
    user_name: z.string(),
    issued_at: z.date(),
    issued_by: z.string(),
    reason: z.string(),
    scope: z.enum(["full", "lines", "corrections"]),
    releases_jobs: z.boolean(),
    currency: z.string(),
    subtotal_minor: z.bigint(),
    tax_minor: z.bigint(),
    tax_inclusive: z.boolean(),
    tax_label: z.string().nullable(),
    tax_rate_micro: z.bigint().nullable(),
    total_minor: z.bigint(),
  })
  .transform((row) => ({
    id: row.id,
    number: row.number,
    receiptId: row.receipt_id,
    receiptNumber: row.receipt_number,
    userName: row.user_name,
    issuedAt: row.issued_at,
    issuedBy: row.issued_by,
    reason: row.reason,
    scope: row.scope,
    releasesJobs: row.releases_jobs,
    currency: row.currency,
    subtotalMinor: row.subtotal_minor,
    taxMinor: row.tax_minor,
    taxInclusive: row.tax_inclusive,
    taxLabel: row.tax_label,
    taxRateMicro: row.tax_rate_micro,
    totalMinor: row.total_minor,
  }));

/** A credit note as issued. */
export type CreditNote = z.output<typeof noteSchema>;

const NOTES = sql`SELECT n.id, n.number, n.receipt_id, r.number AS receipt_number, n.user_name, n.issued_at, n.issued_by, n.reason,
    n.scope, n.releases_jobs, n.currency, n.subtotal_minor, n.tax_minor, n.tax_inclusive, r.tax_label, r.tax_rate_micro,
    n.total_minor
  FROM credit_notes n JOIN receipts r ON r.id = n.receipt_id`;

export function findCreditNote(queries: Queries, id: bigint): Promise<CreditNote | undefined> {
  return queries.maybeOne(noteSchema, sql`${NOTES} WHERE n.id = ${id}`);
}

/** Credit notes of a receipt, oldest first. */
export function creditNotesOf(queries: Queries, receiptId: bigint): Promise<CreditNote[]> {
  return queries.rows(noteSchema, sql`${NOTES} WHERE n.receipt_id = ${receiptId} ORDER BY n.id`);
}

const noteLineSchema = z
  .object({
    amount_minor: z.bigint(),
    resource: z.enum(["cpu", "gpu", "mem"]).nullable(),
    gpu_type: z.string().nullable(),
  })
  .transform((row) => ({
    amountMinor: row.amount_minor,
    /** Null for adjustments and corrections. */
    resource: row.resource,
    gpuType: row.gpu_type,
  }));

export type CreditNoteLine = z.output<typeof noteLineSchema>;

export function creditNoteLines(
  queries: Queries,
  note: Pick<CreditNote, "id" | "receiptId">,
): Promise<CreditNoteLine[]> {
  return queries.rows(
    noteLineSchema,
    sql`SELECT c.amount_minor, l.resource, l.gpu_type
        FROM credit_note_lines c
        LEFT JOIN receipt_lines l ON l.receipt_id = ${note.receiptId} AND l.position = c.receipt_position
        WHERE c.credit_note_id = ${note.id} ORDER BY c.position`,
  );
}

const noteJobSchema = z
  .object({
    cluster: z.string(),
    raw_job_id: z.string(),
    submit_epoch: z.bigint().transform(Number),
    job_id: z.string(),
    job_name: z.string(),
    amount_minor: z.bigint(),
  })
  .transform((row) => ({
    cluster: row.cluster,
    rawJobId: row.raw_job_id,
    submitAt: row.submit_epoch,
    jobId: row.job_id,
    jobName: row.job_name,
    amountMinor: row.amount_minor,
  }));

export type CreditNoteJob = z.output<typeof noteJobSchema>;

/** Jobs whose corrections a credit note settles; the first `limit` of them. */
export function creditNoteJobs(queries: Queries, id: bigint, limit: number): Promise<CreditNoteJob[]> {
  return queries.rows(
    noteJobSchema,
    sql`SELECT cluster, raw_job_id, extract(epoch FROM submit_at)::bigint AS submit_epoch, job_id, job_name, amount_minor
        FROM credit_note_jobs WHERE credit_note_id = ${id} ORDER BY position LIMIT ${limit}`,
  );
}

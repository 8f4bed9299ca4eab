/** Credit notes: documents that correct a receipt, which itself is never edited. */
import { z } from "zod";
import { sql, type Actor, type Transaction } from "../db/database.ts";
import { ConflictError } from "../errors.ts";
import { readPricing } from "../usage/prices/book.ts";
import {
  correctionCredit,
  fullCredit,
  lineCredit,
  remainingSubtotal,
  type CreditAmounts,
} from "./credit-note-amounts.ts";
import { settleCorrections, type CreditedJob } from "./credit-note-jobs.ts";
import { creditableOf } from "./credit-note-queries.ts";
import type { BillingContext } from "./issue.ts";
import { requireReceipt, type LockedReceipt } from "./locked-receipt.ts";
import { settle } from "./money-movements.ts";
import { lockJobsOf, releaseAdjustments, releaseJobs } from "./release.ts";
import { requireReason } from "./settle.ts";

/** What is to be given back. */
export type CreditRequest =
  /** All that is left; with `releaseJobs` its jobs are offered for billing again. */
  | { readonly scope: "full"; readonly releaseJobs: boolean }
  /** Amounts in minor units, by position of the receipt's line, before tax that comes on top. */
  | { readonly scope: "lines"; readonly amounts: ReadonlyMap<number, bigint> }
  /** What its jobs turned out to cost less, which else waits for the person's next receipt. */
  | { readonly scope: "corrections" };

export interface IssuedCreditNote {
  readonly id: bigint;
  readonly number: string;
  readonly totalMinor: bigint;
}

/**
 * Issues a credit note for a receipt that is not void. What was paid beyond the rest is owed back from then on: by a
 * refund, or by paying another receipt with it.
 *
 * @throws {UserError} for amounts that the receipt does not have.
 * @throws {ConflictError} when nothing is left to be credited.
 */
export async function issueCreditNote(
  context: BillingContext,
  receiptId: bigint,
  request: CreditRequest,
  reason: string,
  by: Actor,
): Promise<IssuedCreditNote> {
  const text = requireReason(reason);
  return context.db.transaction(async (tx) => {
    const pricing = await readPricing(tx, context.currency, { hold: true });
    const receipt = await requireReceipt(tx, receiptId);
    if (receipt.status === "void") throw new ConflictError(`receipt ${receipt.number} is void: it asks for nothing`);
    const { credit, jobs } = await amountsOf(tx, receipt, request);
    const at = context.clock.now();
    const releasesJobs = request.scope === "full" && request.releaseJobs;
    if (releasesJobs) {
      await lockJobsOf(tx, receipt.id);
      await tx.run(sql`UPDATE receipts SET jobs_released = true WHERE id = ${receipt.id}`);
      await tx.run(
        sql`UPDATE credit_note_jobs SET active = false
            WHERE active AND credit_note_id IN (SELECT id FROM credit_notes WHERE receipt_id = ${receipt.id})`,
      );
      await releaseJobs(tx, receipt.id, pricing);
      await releaseAdjustments(tx, receipt, at, by);
    }
    // Last, and short: from here to the commit every other credit note waits for this number.
    const number = await nextNumber(tx, context.days.dayOf(Math.floor(at.getTime() / 1000)));
    const { id } = await tx.one(
      z.object({ id: z.bigint() }),
      sql`INSERT INTO credit_notes (number, receipt_id, user_name, issued_at, issued_by, reason, scope, releases_jobs, currency,
                                    subtotal_minor, tax_minor, tax_inclusive, total_minor)
          SELECT ${number}, id, user_name, ${at}, ${by.actor}, ${text}, ${request.scope}, ${releasesJobs}, currency,
                 ${credit.subtotalMinor}, ${credit.taxMinor}, tax_inclusive, ${credit.totalMinor}
          FROM receipts WHERE id = ${receipt.id} RETURNING id`,
    );
    await writeLines(tx, id, credit);
    await settleCorrections(tx, { id, userName: receipt.userName }, jobs);
    tx.audit({
      ...by,
      action: "credit_note.issued",
      subject: `credit_note:${number}`,
      details: {
        receipt: receipt.number,
        scope: request.scope,
        releases_jobs: releasesJobs,
        reason: text,
        subtotal_minor: credit.subtotalMinor,
        tax_minor: credit.taxMinor,
        total_minor: credit.totalMinor,
        currency: receipt.currency,
      },
    });
    const after = { ...receipt, creditedMinor: receipt.creditedMinor + credit.totalMinor };
    await settle(tx, receipt, after, { at, method: "credit_note", reference: number }, by);
    return { id, number, totalMinor: credit.totalMinor };
  });
}

async function amountsOf(
  tx: Transaction,
  receipt: LockedReceipt,
  request: CreditRequest,
): Promise<{ readonly credit: CreditAmounts; readonly jobs: readonly CreditedJob[] }> {
  const { creditable, owedJobs } = await creditableOf(tx, receipt, { lock: request.scope !== "lines" });
  const left = remainingSubtotal(creditable);
  if (left <= 0n || receipt.totalMinor === receipt.creditedMinor)
    throw new ConflictError(`nothing is left of receipt ${receipt.number} to be credited`);
  switch (request.scope) {
    case "full":
      // What its jobs turned out to cost less is in it, and is not given back a second time on the next receipt.
      return { credit: fullCredit(creditable), jobs: request.releaseJobs ? [] : upTo(owedJobs, left) };
    case "lines":
      return { credit: lineCredit(creditable, request.amounts), jobs: [] };
    case "corrections": {
      const jobs = upTo(owedJobs, left);
      const sum = jobs.reduce((total, job) => total + job.amountMinor, 0n);
      if (sum === 0n) throw new ConflictError(`no job of receipt ${receipt.number} turned out to cost less`);
      return { credit: correctionCredit(creditable, sum), jobs };
    }
  }
}

/** The first of them in full, the last one as far as something is left. */
function upTo(jobs: readonly CreditedJob[], limitMinor: bigint): CreditedJob[] {
  let left = limitMinor;
  return jobs.flatMap((job) => {
    const amountMinor = job.amountMinor < left ? job.amountMinor : left;
    left -= amountMinor;
    return amountMinor === 0n ? [] : [{ ...job, amountMinor, isWhole: amountMinor === job.amountMinor }];
  });
}

async function writeLines(tx: Transaction, creditNoteId: bigint, { lines }: CreditAmounts): Promise<void> {
  for (const [index, line] of lines.entries()) {
    await tx.run(
      sql`INSERT INTO credit_note_lines (credit_note_id, position, receipt_position, amount_minor)
          VALUES (${creditNoteId}, ${index + 1}, ${line.receiptPosition}, ${line.amountMinor})`,
    );
  }
}

/** `CN-YYYY-NNNNNN`, without gaps, as receipts are numbered. */
async function nextNumber(tx: Transaction, today: string): Promise<string> {
  const year = Number(today.slice(0, 4));
  const { last } = await tx.one(
    z.object({ last: z.number() }),
    sql`INSERT INTO credit_note_counters (year, last) VALUES (${year}, 1)
        ON CONFLICT (year) DO UPDATE SET last = credit_note_counters.last + 1 RETURNING last`,
  );
  return `CN-${year}-${String(last).padStart(6, "0")}`;
}

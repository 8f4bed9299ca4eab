import { z } from "zod";
import { sql, type Queries } from "../db/database.ts";

const disputeSchema = z
  .object({
    id: z.bigint(),
    provider: z.string(),
    external_dispute_id: z.string(),
    status: z.enum(["open", "won", "lost"]),
    amount_minor: z.bigint(),
    opened_at: z.date(),
    ended_at: z.date().nullable(),
    receipt_id: z.bigint(),
    number: z.string(),
    user_name: z.string(),
    currency: z.string(),
  })
  .transform((row) => ({
    id: row.id,
    provider: row.provider,
    externalDisputeId: row.external_dispute_id,
    status: row.status,
    amountMinor: row.amount_minor,
    openedAt: row.opened_at,
    endedAt: row.ended_at,
    receiptId: row.receipt_id,
    receiptNumber: row.number,
    userName: row.user_name,
    currency: row.currency,
  }));

/** A payment that the payer's bank takes back, or tries to. */
export type Dispute = z.output<typeof disputeSchema>;

const DISPUTES = sql`SELECT d.id, d.provider, d.external_dispute_id, d.status, d.amount_minor, d.opened_at, d.ended_at, d.receipt_id,
    r.number, r.user_name, d.currency
  FROM disputes d JOIN receipts r ON r.id = d.receipt_id`;

/** Disputes of a receipt's payments, oldest first. */
export function disputesOf(queries: Queries, receiptId: bigint): Promise<Dispute[]> {
  return queries.rows(disputeSchema, sql`${DISPUTES} WHERE d.receipt_id = ${receiptId} ORDER BY d.id`);
}

/** Disputes that the banks have not decided, oldest first. */
export function openDisputes(queries: Queries, limit: number): Promise<Dispute[]> {
  return queries.rows(disputeSchema, sql`${DISPUTES} WHERE d.status = 'open' ORDER BY d.id LIMIT ${limit}`);
}

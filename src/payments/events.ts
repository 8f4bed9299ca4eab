import { z } from "zod";
import { sql, type Queries } from "../db/database.ts";

const eventSchema = z
  .object({
    id: z.bigint(),
    provider: z.string(),
    event_type: z.string().nullable(),
    external_payment_id: z.string().nullable(),
    amount_minor: z.bigint().nullable(),
    currency: z.string().nullable(),
    received_at: z.date(),
    verdict: z.enum(["applied", "replay", "ignored", "refused"]),
    reason: z.string(),
  })
  .transform((row) => ({
    id: row.id,
    provider: row.provider,
    eventType: row.event_type,
    externalPaymentId: row.external_payment_id,
    amountMinor: row.amount_minor,
    currency: row.currency,
    receivedAt: row.received_at,
    verdict: row.verdict,
    reason: row.reason,
  }));

/** One call of the webhook and what was made of it. */
export type RecordedEvent = z.output<typeof eventSchema>;

/** Calls of the webhook about a receipt's payments, oldest first. */
export function eventsOfReceipt(queries: Queries, receiptId: bigint, limit: number): Promise<RecordedEvent[]> {
  return queries.rows(
    eventSchema,
    sql`SELECT e.id, e.provider, e.event_type, e.external_payment_id, e.amount_minor, e.currency, e.received_at, e.verdict, e.reason
        FROM payments p JOIN payment_events e ON e.payment_id = p.id
        WHERE p.receipt_id = ${receiptId} ORDER BY e.id LIMIT ${limit}`,
  );
}

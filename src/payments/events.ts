/** The record of what providers reported, with what was made of it each time; rows are never changed. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { sql, type Queries, type Transaction } from "../db/database.ts";
import type { PaymentContext } from "./context.ts";
import type { PaymentEvent } from "./provider.ts";
import type { Verdict } from "./verdict.ts";

/** Whether the event took effect before. */
export async function wasApplied(queries: Queries, provider: string, eventId: string): Promise<boolean> {
  const seen = await queries.maybeOne(
    z.object({ id: z.bigint() }),
    sql`SELECT id FROM payment_events WHERE provider = ${provider} AND event_id = ${eventId} AND verdict = 'applied'`,
  );
  return seen !== undefined;
}

export interface EventRecord extends Omit<Verdict, "next"> {
  readonly provider: string;
  /** Undefined where nothing could be read, or was believed. */
  readonly event?: PaymentEvent | undefined;
  readonly deliveryId: bigint | null;
  readonly paymentId?: bigint | undefined;
  /** What was sent, where no delivery keeps it. */
  readonly rawBody?: Buffer | undefined;
}

/** Keeps a verdict; one that an earlier attempt at the same delivery came to already is not written again. */
export async function recordEvent(context: PaymentContext, tx: Transaction, record: EventRecord): Promise<void> {
  const { provider, event, verdict, reason, deliveryId } = record;
  const body = record.rawBody ?? Buffer.from(JSON.stringify({ event_id: event?.eventId ?? null }));
  await tx.run(
    sql`INSERT INTO payment_events (provider, event_id, event_type, external_payment_id, amount_minor, currency, received_at,
                                    verdict, reason, body_sha256, payment_id, delivery_id)
        SELECT ${provider}, ${event?.eventId ?? null}, ${event?.eventType ?? null}, ${event?.externalPaymentId ?? null},
               ${event?.amountMinor ?? null}::bigint, ${event?.currency ?? null}, ${context.clock.now()}::timestamptz, ${verdict}::text,
               ${reason}::text, coalesce((SELECT sha256(body) FROM webhook_deliveries WHERE id = ${deliveryId}::bigint),
                                         ${createHash("sha256").update(body).digest()}::bytea),
               ${record.paymentId ?? null}::bigint, ${deliveryId}::bigint
        WHERE NOT EXISTS (
          SELECT FROM (SELECT verdict, reason FROM payment_events WHERE delivery_id = ${deliveryId}::bigint ORDER BY id DESC LIMIT 1) last
          WHERE last.verdict = ${verdict} AND last.reason = ${reason})`,
  );
}

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
    delivery_id: z.bigint().nullable(),
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
    deliveryId: row.delivery_id,
  }));

/** Something a provider reported, and what was made of it. */
export type RecordedEvent = z.output<typeof eventSchema>;

const COLUMNS = sql`e.id, e.provider, e.event_type, e.external_payment_id, e.amount_minor, e.currency, e.received_at, e.verdict,
  e.reason, e.delivery_id`;

/** What was reported about a receipt's payments, oldest first. */
export function eventsOfReceipt(queries: Queries, receiptId: bigint, limit: number): Promise<RecordedEvent[]> {
  return queries.rows(
    eventSchema,
    sql`SELECT ${COLUMNS} FROM payments p JOIN payment_events e ON e.payment_id = p.id
        WHERE p.receipt_id = ${receiptId} ORDER BY e.id LIMIT ${limit}`,
  );
}

/** What was made of a delivery, attempt by attempt. */
export function eventsOfDelivery(queries: Queries, deliveryId: bigint): Promise<RecordedEvent[]> {
  return queries.rows(
    eventSchema,
    sql`SELECT ${COLUMNS} FROM payment_events e WHERE e.delivery_id = ${deliveryId} ORDER BY e.id`,
  );
}

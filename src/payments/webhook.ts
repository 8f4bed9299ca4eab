import { createHash } from "node:crypto";
import { z } from "zod";
import { lockReceipt, settleReceipt, type LockedReceipt } from "../billing/settle.ts";
import { sql, violates, type Transaction } from "../db/database.ts";
import type { PaymentContext } from "./checkout.ts";
import type { PaymentEvent } from "./provider.ts";

/** What was made of a webhook call; `reason` is for the log and the event record, never for the sender. */
export interface WebhookVerdict {
  readonly verdict: "applied" | "replay" | "ignored" | "refused";
  readonly reason: string;
}

const paymentSchema = z.object({
  id: z.bigint(),
  receipt_id: z.bigint(),
  status: z.enum(["pending", "succeeded", "failed", "canceled"]),
  amount_minor: z.bigint(),
  currency: z.string(),
});

type PaymentRow = z.output<typeof paymentSchema>;

/**
 * Takes one webhook call: verifies, matches, settles payment and receipt in one transaction, and records the attempt
 * with its verdict. Safe to call with the same event any number of times, also at once on several replicas.
 */
export async function receiveWebhook(
  context: PaymentContext,
  rawBody: Buffer,
  header: (name: string) => string | undefined,
  requestId: string,
): Promise<WebhookVerdict> {
  const parsed = context.provider.parseEvent(rawBody, header);
  if (parsed.kind !== "event") {
    const isForged = parsed.kind === "bad_signature";
    const reason = parsed.kind === "bad_signature" ? "the signature does not match the body" : parsed.reason;
    const verdict: WebhookVerdict = { verdict: isForged ? "refused" : "ignored", reason };
    await context.db.transaction((tx) => recordAttempt(context, tx, rawBody, { ...verdict, keepBody: !isForged }));
    return verdict;
  }
  try {
    return await context.db.transaction((tx) => applyEvent(context, tx, rawBody, parsed.event, requestId));
  } catch (error) {
    // Another replica applied the same event between our look and our insert.
    if (!violates(error, "payment_events_applied_once")) throw error;
    return context.db.transaction((tx) => applyEvent(context, tx, rawBody, parsed.event, requestId));
  }
}

async function applyEvent(
  context: PaymentContext,
  tx: Transaction,
  rawBody: Buffer,
  event: PaymentEvent,
  requestId: string,
): Promise<WebhookVerdict> {
  const payment = await findPayment(context, tx, event);
  // The receipt is locked before the payment, as everywhere, so that no two paths wait for each other.
  const receipt = payment === undefined ? undefined : await lockReceipt(tx, payment.receipt_id);
  const current = payment === undefined ? undefined : await lockPayment(tx, payment.id);
  const verdict = await judge(context, tx, event, current, receipt, requestId);
  await recordAttempt(context, tx, rawBody, { ...verdict, keepBody: true, event, paymentId: current?.id });
  return verdict;
}

async function judge(
  context: PaymentContext,
  tx: Transaction,
  event: PaymentEvent,
  payment: PaymentRow | undefined,
  receipt: LockedReceipt | undefined,
  requestId: string,
): Promise<WebhookVerdict> {
  const seen = await tx.maybeOne(
    z.object({ id: z.bigint() }),
    sql`SELECT id FROM payment_events WHERE provider = ${context.provider.name} AND event_id = ${event.eventId} AND verdict = 'applied'`,
  );
  if (seen !== undefined) return { verdict: "replay", reason: `event ${event.eventId} was applied before` };
  if (payment === undefined || receipt === undefined)
    return ignored(`no payment ${event.externalPaymentId} is known here`);
  if (event.outcome === "other") return ignored(`events of type ${event.eventType} change nothing here`);
  if (event.currency !== payment.currency)
    return ignored(`currency ${event.currency} where ${payment.currency} was asked for`);
  if (event.amountMinor !== payment.amount_minor) {
    return ignored(`amount ${event.amountMinor} where ${payment.amount_minor} was asked for`);
  }
  if (payment.status === "succeeded") return ignored("the payment has succeeded already");
  if (event.outcome === "succeeded") return succeed(context, tx, event, payment, receipt, requestId);
  if (payment.status !== "pending") return ignored(`the payment is ${payment.status} already`);
  await tx.run(sql`UPDATE payments SET status = ${event.outcome} WHERE id = ${payment.id}`);
  auditPayment(context, tx, event, payment, receipt, requestId);
  return { verdict: "applied", reason: `payment ${event.outcome}` };
}

async function succeed(
  context: PaymentContext,
  tx: Transaction,
  event: PaymentEvent,
  payment: PaymentRow,
  receipt: LockedReceipt,
  requestId: string,
): Promise<WebhookVerdict> {
  if (receipt.status !== "pending")
    return ignored(`receipt ${receipt.number} is ${receipt.status} already; the payer may have to be paid back`);
  const now = context.clock.now();
  // A newer open checkout of the same receipt must not be paid as well.
  await tx.run(
    sql`UPDATE payments SET status = 'canceled' WHERE receipt_id = ${receipt.id} AND status = 'pending' AND id <> ${payment.id}`,
  );
  await tx.run(sql`UPDATE payments SET status = 'succeeded', settled_at = ${now} WHERE id = ${payment.id}`);
  auditPayment(context, tx, event, payment, receipt, requestId);
  const settlement = { at: now, method: context.provider.name, reference: event.externalPaymentId };
  await settleReceipt(tx, receipt, settlement, { actor: `provider:${context.provider.name}`, requestId });
  return { verdict: "applied", reason: `receipt ${receipt.number} paid` };
}

function auditPayment(
  context: PaymentContext,
  tx: Transaction,
  event: PaymentEvent,
  payment: PaymentRow,
  receipt: LockedReceipt,
  requestId: string,
): void {
  tx.audit({
    actor: `provider:${context.provider.name}`,
    requestId,
    action: `payment.${event.outcome}`,
    subject: `payment:${event.externalPaymentId}`,
    details: {
      receipt: receipt.number,
      event_id: event.eventId,
      amount_minor: event.amountMinor,
      currency: event.currency,
      before: payment.status,
      after: event.outcome,
    },
  });
}

function ignored(reason: string): WebhookVerdict {
  return { verdict: "ignored", reason };
}

const PAYMENT_COLUMNS = sql`id, receipt_id, status, amount_minor, currency`;

function findPayment(context: PaymentContext, tx: Transaction, event: PaymentEvent): Promise<PaymentRow | undefined> {
  return tx.maybeOne(
    paymentSchema,
    sql`SELECT ${PAYMENT_COLUMNS} FROM payments
        WHERE provider = ${context.provider.name} AND external_payment_id = ${event.externalPaymentId}`,
  );
}

function lockPayment(tx: Transaction, id: bigint): Promise<PaymentRow | undefined> {
  return tx.maybeOne(paymentSchema, sql`SELECT ${PAYMENT_COLUMNS} FROM payments WHERE id = ${id} FOR UPDATE`);
}

async function recordAttempt(
  context: PaymentContext,
  tx: Transaction,
  rawBody: Buffer,
  attempt: WebhookVerdict & { keepBody: boolean; event?: PaymentEvent; paymentId?: bigint | undefined },
): Promise<void> {
  const { event } = attempt;
  await tx.run(
    sql`INSERT INTO payment_events (provider, event_id, event_type, external_payment_id, amount_minor, currency, received_at,
                                    verdict, reason, body_sha256, body, payment_id)
        VALUES (${context.provider.name}, ${event?.eventId ?? null}, ${event?.eventType ?? null},
                ${event?.externalPaymentId ?? null}, ${event?.amountMinor ?? null}, ${event?.currency ?? null},
                ${context.clock.now()}, ${attempt.verdict}, ${attempt.reason},
                ${createHash("sha256").update(rawBody).digest()}, ${attempt.keepBody ? rawBody : null},
                ${attempt.paymentId ?? null})`,
  );
}

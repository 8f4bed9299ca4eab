import { createHash } from "node:crypto";
import { z } from "zod";
import { lockReceipt, settleReceipt, type LockedReceipt } from "../billing/settle.ts";
import { sql, type Transaction } from "../db/database.ts";
import type { PaymentContext } from "./context.ts";
import type { PaymentEvent } from "./provider.ts";

/** What was made of an event; `reason` is for the log and the event record, never for the sender. */
export interface WebhookVerdict {
  readonly verdict: "applied" | "replay" | "ignored" | "refused";
  readonly reason: string;
}

/** An event as it came: from whom, in which bytes, in which request. */
export interface Reported {
  /** The provider's name. */
  readonly provider: string;
  readonly rawBody: Buffer;
  readonly event: PaymentEvent;
  readonly requestId: string | undefined;
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
 * Settles what an event says in the caller's transaction, and records the event with its verdict. An event that was
 * applied before is a replay; one that fits no payment, amount or currency changes nothing.
 */
export async function applyEvent(
  context: PaymentContext,
  tx: Transaction,
  { provider, rawBody, event, requestId }: Reported,
): Promise<WebhookVerdict> {
  const payment = await findPayment(tx, provider, event);
  // The receipt is locked before the payment, as everywhere, so that no two paths wait for each other.
  const receipt = payment === undefined ? undefined : await lockReceipt(tx, payment.receipt_id);
  const current = payment === undefined ? undefined : await lockPayment(tx, payment.id);
  const verdict = await judge(context, tx, { provider, event, requestId, payment: current, receipt });
  await recordAttempt(
    context,
    tx,
    { provider, rawBody },
    { ...verdict, keepBody: true, event, paymentId: current?.id },
  );
  return verdict;
}

interface Question {
  readonly provider: string;
  readonly event: PaymentEvent;
  readonly requestId: string | undefined;
  readonly payment: PaymentRow | undefined;
  readonly receipt: LockedReceipt | undefined;
}

/** A question whose payment and receipt are known. */
interface Matched extends Question {
  readonly payment: PaymentRow;
  readonly receipt: LockedReceipt;
}

async function judge(context: PaymentContext, tx: Transaction, question: Question): Promise<WebhookVerdict> {
  const { provider, event, payment, receipt } = question;
  const seen = await tx.maybeOne(
    z.object({ id: z.bigint() }),
    sql`SELECT id FROM payment_events WHERE provider = ${provider} AND event_id = ${event.eventId} AND verdict = 'applied'`,
  );
  if (seen !== undefined) return { verdict: "replay", reason: `event ${event.eventId} was applied before` };
  if (payment === undefined || receipt === undefined)
    return ignored(`no payment ${event.externalPaymentId} is known here`);
  const matched = { ...question, payment, receipt };
  if (event.outcome === "other") return ignored(`events of type ${event.eventType} change nothing here`);
  if (event.currency !== payment.currency)
    return ignored(`currency ${event.currency} where ${payment.currency} was asked for`);
  if (event.amountMinor !== payment.amount_minor) {
    return ignored(`amount ${event.amountMinor} where ${payment.amount_minor} was asked for`);
  }
  if (payment.status === "succeeded") return ignored("the payment has succeeded already");
  if (event.outcome === "succeeded") return succeed(context, tx, matched);
  if (payment.status !== "pending") return ignored(`the payment is ${payment.status} already`);
  await tx.run(sql`UPDATE payments SET status = ${event.outcome} WHERE id = ${payment.id}`);
  auditPayment(tx, matched);
  return { verdict: "applied", reason: `payment ${event.outcome}` };
}

async function succeed(context: PaymentContext, tx: Transaction, matched: Matched): Promise<WebhookVerdict> {
  const { provider, event, payment, receipt, requestId } = matched;
  if (receipt.status !== "pending")
    return ignored(`receipt ${receipt.number} is ${receipt.status} already; the payer may have to be paid back`);
  const now = context.clock.now();
  // A newer open checkout of the same receipt must not be paid as well.
  await tx.run(
    sql`UPDATE payments SET status = 'canceled' WHERE receipt_id = ${receipt.id} AND status = 'pending' AND id <> ${payment.id}`,
  );
  await tx.run(sql`UPDATE payments SET status = 'succeeded', settled_at = ${now} WHERE id = ${payment.id}`);
  auditPayment(tx, matched);
  const settlement = { at: now, method: provider, reference: event.externalPaymentId };
  await settleReceipt(tx, receipt, settlement, { actor: `provider:${provider}`, requestId });
  return { verdict: "applied", reason: `receipt ${receipt.number} paid` };
}

function auditPayment(tx: Transaction, { provider, event, payment, receipt, requestId }: Matched): void {
  tx.audit({
    actor: `provider:${provider}`,
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

function findPayment(tx: Transaction, provider: string, event: PaymentEvent): Promise<PaymentRow | undefined> {
  return tx.maybeOne(
    paymentSchema,
    sql`SELECT ${PAYMENT_COLUMNS} FROM payments
        WHERE provider = ${provider} AND external_payment_id = ${event.externalPaymentId}`,
  );
}

function lockPayment(tx: Transaction, id: bigint): Promise<PaymentRow | undefined> {
  return tx.maybeOne(paymentSchema, sql`SELECT ${PAYMENT_COLUMNS} FROM payments WHERE id = ${id} FOR UPDATE`);
}

/** Keeps one call with its verdict. */
export async function recordAttempt(
  context: PaymentContext,
  tx: Transaction,
  { provider, rawBody }: Pick<Reported, "provider" | "rawBody">,
  attempt: WebhookVerdict & { keepBody: boolean; event?: PaymentEvent; paymentId?: bigint | undefined },
): Promise<void> {
  const { event } = attempt;
  await tx.run(
    sql`INSERT INTO payment_events (provider, event_id, event_type, external_payment_id, amount_minor, currency, received_at,
                                    verdict, reason, body_sha256, body, payment_id)
        VALUES (${provider}, ${event?.eventId ?? null}, ${event?.eventType ?? null},
                ${event?.externalPaymentId ?? null}, ${event?.amountMinor ?? null}, ${event?.currency ?? null},
                ${context.clock.now()}, ${attempt.verdict}, ${attempt.reason},
                ${createHash("sha256").update(rawBody).digest()}, ${attempt.keepBody ? rawBody : null},
                ${attempt.paymentId ?? null})`,
  );
}

/** Lets what a provider reports of a payment take effect: once, whoever reports it how often. */
import { mayMove, type PaymentMove, type PaymentStatus } from "../billing/states.ts";
import { moveMoney } from "../billing/money-movements.ts";
import { sql, violates, type Transaction } from "../db/database.ts";
import type { PaymentContext } from "./context.ts";
import { recordEvent, wasApplied } from "./events.ts";
import { findPayment, lockPayment, type LockedPayment, type PaymentRow } from "./payment-row.ts";
import type { PaymentEvent } from "./provider.ts";
import { applied, ignored, type Verdict } from "./verdict.ts";

/** An event as it came: from whom, in which request, and where it is kept. */
export interface Reported {
  /** The provider's name. */
  readonly provider: string;
  readonly event: PaymentEvent;
  readonly requestId: string | undefined;
  /** Null for what we asked the provider ourselves. */
  readonly deliveryId: bigint | null;
}

/** Applies an event once, whoever else applies it at the same moment, and records it with its verdict. */
export async function settleEvent(context: PaymentContext, reported: Reported): Promise<Verdict> {
  try {
    return await context.db.transaction((tx) => applyEvent(context, tx, reported));
  } catch (error) {
    // Another replica applied the same event between our look and our insert.
    if (!violates(error, "payment_events_applied_once")) throw error;
    return context.db.transaction((tx) => applyEvent(context, tx, reported));
  }
}

async function applyEvent(context: PaymentContext, tx: Transaction, reported: Reported): Promise<Verdict> {
  const { provider, event } = reported;
  const known = await findPayment(tx, provider, event.externalPaymentId);
  const locked = known === undefined ? undefined : await lockPayment(tx, known);
  const verdict = await judge(context, tx, reported, locked);
  await recordEvent(context, tx, { ...reported, ...verdict, paymentId: locked?.payment.id });
  return verdict;
}

async function judge(
  context: PaymentContext,
  tx: Transaction,
  reported: Reported,
  locked: LockedPayment | undefined,
): Promise<Verdict> {
  const { provider, event } = reported;
  if (await wasApplied(tx, provider, event.eventId))
    return { verdict: "replay", reason: `event ${event.eventId} was applied before`, next: "done" };
  // It may be faster than our own commit; events of others who use the same account stay unknown.
  if (locked === undefined) return ignored(`no payment ${event.externalPaymentId} is known here`, "wait");
  const { outcome } = event;
  if (outcome === "other" || outcome === "changed")
    return ignored(`events of type ${event.eventType} change nothing here`);
  const { payment } = locked;
  const look = outcome === "succeeded" ? "look" : "done";
  if (event.currency !== payment.currency)
    return ignored(`currency ${event.currency} where ${payment.currency} was asked for`, look);
  if (event.amountMinor !== payment.amountMinor)
    return ignored(`amount ${event.amountMinor} where ${payment.amountMinor} was asked for`, look);
  if (payment.status === "succeeded") return ignored("the payment has succeeded already");
  if (!mayMove(payment.status, outcome)) return ignored(`the payment is ${payment.status} already`);
  const reason = await movePayment(context, tx, locked, outcome, { event, requestId: reported.requestId });
  return applied(reason);
}

/** What a move of a payment is about, for the trail. */
export interface MoveCause {
  readonly event: Pick<PaymentEvent, "eventId" | "reference">;
  readonly requestId: string | undefined;
}

/**
 * Moves a locked payment to another state; when it succeeds, its money comes in. Says what happened, for the record.
 */
export async function movePayment<From extends PaymentStatus>(
  context: PaymentContext,
  tx: Transaction,
  {
    payment,
    receipt,
  }: { readonly payment: PaymentRow & { readonly status: From }; readonly receipt: LockedPayment["receipt"] },
  to: PaymentMove<From>,
  { event, requestId }: MoveCause,
): Promise<string> {
  const now = context.clock.now();
  const by = { actor: `provider:${payment.provider}`, requestId };
  await tx.run(
    sql`UPDATE payments SET status = ${to}, settled_at = ${to === "succeeded" ? now : null},
          reference = coalesce(${event.reference ?? null}, reference),
          closed_at = CASE WHEN ${to} IN ('canceled', 'expired') THEN ${now} ELSE closed_at END
        WHERE id = ${payment.id}`,
  );
  tx.audit({
    ...by,
    action: `payment.${to}`,
    subject: `payment:${payment.externalPaymentId}`,
    details: {
      receipt: receipt.number,
      event_id: event.eventId,
      amount_minor: payment.amountMinor,
      currency: payment.currency,
      before: payment.status,
      after: to,
    },
  });
  if (to !== "succeeded") return `payment ${to}`;
  const source = { kind: "payment", paymentId: payment.id, provider: payment.provider } as const;
  const { amountMinor, currency, externalPaymentId } = payment;
  await moveMoney(tx, receipt, { source, amountMinor, currency, at: now, reference: externalPaymentId }, by);
  return receipt.status === "pending"
    ? `receipt ${receipt.number} paid`
    : `receipt ${receipt.number} was ${receipt.status} already: the money is owed back to the payer`;
}

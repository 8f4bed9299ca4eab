/** Paying back what is owed on a receipt: through the provider that took the money, or by hand. */
import { z } from "zod";
import { requireReceipt } from "../billing/locked-receipt.ts";
import { moveMoney } from "../billing/money-movements.ts";
import { freeCredit, requireReason, requireReference } from "../billing/settle.ts";
import { sql, type Actor, type Queries, type Transaction } from "../db/database.ts";
import { ConflictError, messageOf, UpstreamError, UserError } from "../errors.ts";
import { amountText, currencyOf } from "../rating/money.ts";
import type { PaymentContext } from "./context.ts";
import { findPaymentById, lockPayment } from "./payment-row.ts";
import { PaymentBooks } from "./sync-payment.ts";

/** What an admin asks for. */
export interface RefundOrder {
  readonly receiptId: bigint;
  /** Undefined: by hand, with the reference under which finance finds it. */
  readonly paymentId?: bigint | undefined;
  readonly amountMinor: bigint;
  /** Why; or of one by hand, its reference. */
  readonly text: string;
}

/**
 * Orders a refund. What goes through a provider is only written down here: `sendRefunds` asks the provider, again and
 * again until it answers.
 *
 * @throws {UserError} for an amount that is not owed back, or was not paid with this payment.
 */
export async function orderRefund(context: PaymentContext, order: RefundOrder, by: Actor): Promise<bigint> {
  const text = order.paymentId === undefined ? requireReference(order.text) : requireReason(order.text);
  if (order.amountMinor <= 0n) throw new UserError("the amount to pay back must be more than zero");
  return context.db.transaction(async (tx) => {
    const receipt = await requireReceipt(tx, order.receiptId);
    const credit = await freeCredit(tx, receipt);
    if (order.amountMinor > credit) {
      throw new ConflictError(
        credit <= 0n
          ? `nothing is owed back on receipt ${receipt.number}: issue a credit note first`
          : `${amountText(order.amountMinor, receipt.currency)} is more than the ${amountText(credit, receipt.currency)} that is owed back on receipt ${receipt.number}`,
      );
    }
    const provider = order.paymentId === undefined ? "manual" : await providerOf(context, tx, order);
    const now = context.clock.now();
    const isByHand = order.paymentId === undefined;
    const { id } = await tx.one(
      z.object({ id: z.bigint() }),
      sql`INSERT INTO refunds (receipt_id, payment_id, provider, status, amount_minor, currency, reason, requested_at, requested_by,
                               ended_at, next_attempt_at)
          VALUES (${receipt.id}, ${order.paymentId ?? null}, ${provider}, ${isByHand ? "succeeded" : "requested"},
                  ${order.amountMinor}, ${receipt.currency}, ${text}, ${now}, ${by.actor}, ${isByHand ? now : null},
                  ${isByHand ? null : now})
          RETURNING id`,
    );
    tx.audit({
      ...by,
      action: "refund.ordered",
      subject: `refund:${id}`,
      details: { receipt: receipt.number, provider, amount_minor: order.amountMinor, currency: receipt.currency, text },
    });
    if (isByHand) {
      const movement = { amountMinor: -order.amountMinor, currency: receipt.currency, at: now, reference: text };
      await moveMoney(tx, receipt, { source: { kind: "refund", refundId: id }, ...movement }, by);
    }
    return id;
  });
}

async function providerOf(context: PaymentContext, tx: Transaction, order: RefundOrder): Promise<string> {
  const payment = await findPaymentById(tx, order.paymentId ?? 0n);
  if (payment === undefined || payment.receiptId !== order.receiptId || payment.status !== "succeeded")
    throw new UserError("the receipt was not paid with this payment");
  if (context.providers.get(payment.provider)?.refund === undefined)
    throw new UserError(`${payment.provider} cannot pay back: pay back by hand and write down the reference`);
  const left = await refundable(tx, payment.id, payment.amountMinor);
  if (order.amountMinor > left)
    throw new UserError(
      `only ${amountText(left, payment.currency)} of this payment is left to be paid back; the rest came in another way`,
    );
  return payment.provider;
}

/** What of a payment was neither paid back, nor taken back by the payer's bank, nor is on its way back. */
async function refundable(queries: Queries, paymentId: bigint, amountMinor: bigint): Promise<bigint> {
  const { back } = await queries.one(
    z.object({ back: z.bigint() }),
    sql`SELECT ((SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE payment_id = ${paymentId} AND status <> 'failed')
              + (SELECT coalesce(sum(amount_minor), 0) FROM disputes WHERE payment_id = ${paymentId} AND status <> 'won'))::bigint AS back`,
  );
  return amountMinor - back;
}

/**
 * Whoever asks a provider has so long before another asks again: longer than the slowest answer, for where there are no
 * idempotency keys two who ask at once would pay back twice.
 */
const LEASE_SECONDS = 300;
const FIRST_DELAY_SECONDS = 10;
const LONGEST_DELAY_SECONDS = 3_600;

const dueSchema = z.object({
  id: z.bigint(),
  payment_id: z.bigint(),
  amount_minor: z.bigint(),
  currency: z.string(),
  attempts: z.number(),
  number: z.string(),
});

/** Asks the providers for all refunds that are due; any number of processes may do so at once. */
export async function sendRefunds(context: PaymentContext, signal?: AbortSignal): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const due = await claim(context);
    if (due === undefined) return;
    await sendRefund(context, due);
  }
}

/** Takes the next one, and puts its next attempt off, so that a process that dies leaves it to another. */
function claim({ db, clock, providers }: PaymentContext): Promise<z.output<typeof dueSchema> | undefined> {
  const now = clock.now();
  return db.maybeOne(
    dueSchema,
    sql`UPDATE refunds f
        SET attempts = f.attempts + 1,
            next_attempt_at = ${now}::timestamptz + make_interval(secs => ${LEASE_SECONDS})
        FROM receipts r
        WHERE r.id = f.receipt_id AND f.id = (
          SELECT id FROM refunds WHERE status = 'requested' AND next_attempt_at <= ${now} AND provider = ANY(${[...providers.keys()]}::text[])
          ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING f.id, f.payment_id, f.amount_minor, f.currency, f.attempts, r.number`,
  );
}

async function sendRefund(context: PaymentContext, due: z.output<typeof dueSchema>): Promise<void> {
  const payment = await findPaymentById(context.db, due.payment_id);
  const provider = payment === undefined ? undefined : context.providers.get(payment.provider);
  if (payment === undefined || provider?.refund === undefined) {
    await keepFailure(context, due.id, `${payment?.provider ?? "the provider"} cannot pay back any more`);
    return;
  }
  try {
    const answer = await provider.refund({
      externalPaymentId: payment.externalPaymentId,
      refundId: due.id,
      amountMinor: due.amount_minor,
      currency: currencyOf(due.currency) ?? context.currency,
      idempotencyKey: `refund-${due.number}-${due.id}`,
      receiptNumber: due.number,
    });
    await context.db.transaction(async (tx) => {
      const locked = await lockPayment(tx, payment);
      const by = { actor: `provider:${payment.provider}`, requestId: undefined };
      await new PaymentBooks(context, tx, locked.payment, locked.receipt.id, by).refund({
        ...answer,
        refundId: due.id,
      });
    });
  } catch (error) {
    if (error instanceof UserError) await refuse(context, due.id, error.message);
    else if (error instanceof UpstreamError) await keepFailure(context, due.id, messageOf(error));
    else throw error;
  }
}

/** Why it did not work so far; it is tried again. */
async function keepFailure({ db, clock }: PaymentContext, id: bigint, reason: string): Promise<void> {
  await db.run(
    sql`UPDATE refunds
        SET failure = ${reason},
            next_attempt_at = ${clock.now()}::timestamptz
              + make_interval(secs => least(${FIRST_DELAY_SECONDS} * 2 ^ least(attempts - 1, 10), ${LONGEST_DELAY_SECONDS}))
        WHERE id = ${id} AND status = 'requested'`,
  );
}

async function refuse(context: PaymentContext, id: bigint, reason: string): Promise<void> {
  await context.db.transaction(async (tx) => {
    const row = await tx.one(
      z.object({ payment_id: z.bigint() }),
      sql`SELECT payment_id FROM refunds WHERE id = ${id}`,
    );
    const payment = await findPaymentById(tx, row.payment_id);
    if (payment === undefined) throw new Error(`refund ${id} is of no payment`);
    const locked = await lockPayment(tx, payment);
    const refund = await tx.one(
      z.object({
        id: z.bigint(),
        amount_minor: z.bigint(),
        status: z.enum(["requested", "pending", "succeeded", "failed"]),
      }),
      sql`SELECT id, amount_minor, status FROM refunds WHERE id = ${id} FOR UPDATE`,
    );
    if (refund.status !== "requested") return;
    const by = { actor: `provider:${payment.provider}`, requestId: undefined };
    await new PaymentBooks(context, tx, locked.payment, locked.receipt.id, by).endRefund(refund, "failed", reason);
  });
}

const refundSchema = z
  .object({
    id: z.bigint(),
    provider: z.string(),
    status: z.enum(["requested", "pending", "succeeded", "failed"]),
    amount_minor: z.bigint(),
    reason: z.string(),
    requested_at: z.date(),
    requested_by: z.string(),
    ended_at: z.date().nullable(),
    failure: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    provider: row.provider,
    status: row.status,
    amountMinor: row.amount_minor,
    reason: row.reason,
    requestedAt: row.requested_at,
    requestedBy: row.requested_by,
    endedAt: row.ended_at,
    failure: row.failure,
  }));

/** Money paid back, or on its way back. */
export type Refund = z.output<typeof refundSchema>;

/** Refunds of a receipt, oldest first. */
export function refundsOf(queries: Queries, receiptId: bigint): Promise<Refund[]> {
  return queries.rows(
    refundSchema,
    sql`SELECT id, provider, status, amount_minor, reason, requested_at, requested_by, ended_at, failure
        FROM refunds WHERE receipt_id = ${receiptId} ORDER BY id`,
  );
}

/** A payment of a receipt through which something can still be paid back. */
export interface RefundablePayment {
  readonly id: bigint;
  readonly provider: string;
  readonly externalPaymentId: string;
  readonly leftMinor: bigint;
}

/** Payments of a receipt that their providers can pay back, with what is left of them. */
export async function refundablePayments(context: PaymentContext, receiptId: bigint): Promise<RefundablePayment[]> {
  const able = [...context.providers.values()].filter(({ refund }) => refund !== undefined).map(({ name }) => name);
  const rows = await context.db.rows(
    z.object({ id: z.bigint(), provider: z.string(), external_payment_id: z.string(), amount_minor: z.bigint() }),
    sql`SELECT id, provider, external_payment_id, amount_minor FROM payments
        WHERE receipt_id = ${receiptId} AND status = 'succeeded' AND provider = ANY(${able}::text[]) ORDER BY id`,
  );
  const all: RefundablePayment[] = [];
  for (const row of rows) {
    const leftMinor = await refundable(context.db, row.id, row.amount_minor);
    const { id, provider, external_payment_id: externalPaymentId } = row;
    if (leftMinor > 0n) all.push({ id, provider, externalPaymentId, leftMinor });
  }
  return all;
}

/** Brings a payment's books to what its provider says of it: how it stands, what was paid back, what is disputed. */
import { z } from "zod";
import { mayMove, mayRefundMove, type DisputeStatus, type RefundStatus } from "../billing/states.ts";
import { lockReceipt } from "../billing/locked-receipt.ts";
import { moveMoney, type MovementSource } from "../billing/money-movements.ts";
import { sql, type Actor, type Transaction } from "../db/database.ts";
import { ConflictError } from "../errors.ts";
import { movePayment } from "./apply.ts";
import type { PaymentContext } from "./context.ts";
import { lockPayment, type PaymentRow } from "./payment-row.ts";
import type { ProviderDispute, ProviderPayment, ProviderRefund } from "./provider.ts";

/** What the provider was asked, and what for. */
export interface Asked {
  readonly eventId: string;
  readonly requestId: string | undefined;
}

/**
 * Applies a provider's answer in one transaction; asking again changes nothing.
 *
 * @returns what changed, in words; empty when nothing did.
 * @throws {ConflictError} when the provider speaks of another amount than was asked for: nothing is taken over then.
 */
export function syncPayment(
  context: PaymentContext,
  known: PaymentRow,
  found: ProviderPayment,
  asked: Asked,
): Promise<string[]> {
  return context.db.transaction((tx) => syncIn(context, tx, known, found, asked));
}

async function syncIn(
  context: PaymentContext,
  tx: Transaction,
  known: PaymentRow,
  found: ProviderPayment,
  { eventId, requestId }: Asked,
): Promise<string[]> {
  const locked = await lockPayment(tx, known);
  const { payment, receipt } = locked;
  if (found.amountMinor !== payment.amountMinor || found.currency !== payment.currency) {
    throw new ConflictError(
      `the provider says ${found.amountMinor} ${found.currency} where ${payment.amountMinor} ${payment.currency} was asked for`,
    );
  }
  const changes: string[] = [];
  if (found.status !== "pending" && mayMove(payment.status, found.status)) {
    const cause = { event: { eventId, reference: found.reference }, requestId };
    changes.push(await movePayment(context, tx, locked, found.status, cause));
  }
  if (payment.reference === null && found.reference !== undefined)
    await tx.run(sql`UPDATE payments SET reference = ${found.reference} WHERE id = ${payment.id}`);
  const by = { actor: `provider:${payment.provider}`, requestId };
  const books = new PaymentBooks(context, tx, payment, receipt.id, by);
  for (const refund of found.refunds) changes.push(...(await books.refund(refund)));
  for (const dispute of found.disputes) changes.push(...(await books.dispute(dispute)));
  return changes;
}

const refundSchema = z.object({
  id: z.bigint(),
  status: z.enum(["requested", "pending", "succeeded", "failed"]),
  amount_minor: z.bigint(),
  external_refund_id: z.string().nullable(),
});

type RefundRow = z.output<typeof refundSchema>;

const disputeSchema = z.object({ id: z.bigint(), status: z.enum(["open", "won", "lost"]), amount_minor: z.bigint() });

/** Refunds and disputes of one locked payment. */
export class PaymentBooks {
  readonly #context: PaymentContext;
  readonly #tx: Transaction;
  readonly #payment: PaymentRow;
  readonly #receiptId: bigint;
  readonly #by: Actor;

  constructor(context: PaymentContext, tx: Transaction, payment: PaymentRow, receiptId: bigint, by: Actor) {
    this.#context = context;
    this.#tx = tx;
    this.#payment = payment;
    this.#receiptId = receiptId;
    this.#by = by;
  }

  /** A refund that we asked for, or that somebody made in the provider's dashboard. Says what changed. */
  async refund(found: ProviderRefund): Promise<string[]> {
    const row = (await this.#knownRefund(found)) ?? (await this.#foreignRefund(found));
    if (row.external_refund_id === null)
      await this.#tx.run(sql`UPDATE refunds SET external_refund_id = ${found.externalRefundId} WHERE id = ${row.id}`);
    if (row.status === found.status || !mayRefundMove(row.status, found.status)) return [];
    await this.endRefund(row, found.status, null);
    return [`refund ${found.externalRefundId} ${found.status}`];
  }

  async #knownRefund({ externalRefundId, refundId }: ProviderRefund): Promise<RefundRow | undefined> {
    return this.#tx.maybeOne(
      refundSchema,
      sql`SELECT id, status, amount_minor, external_refund_id FROM refunds
          WHERE payment_id = ${this.#payment.id}
            AND (external_refund_id = ${externalRefundId} OR (external_refund_id IS NULL AND id = ${refundId}::bigint))
          FOR UPDATE`,
    );
  }

  #foreignRefund({ externalRefundId, amountMinor }: ProviderRefund): Promise<RefundRow> {
    const { id, provider, currency } = this.#payment;
    return this.#tx.one(
      refundSchema,
      sql`INSERT INTO refunds (receipt_id, payment_id, provider, external_refund_id, status, amount_minor, currency, reason,
                               requested_at, requested_by)
          VALUES (${this.#receiptId}, ${id}, ${provider}, ${externalRefundId}, 'pending', ${amountMinor}, ${currency},
                  'made at the provider', ${this.#context.clock.now()}, ${this.#by.actor})
          RETURNING id, status, amount_minor, external_refund_id`,
    );
  }

  /** Moves a refund, and with it the money it pays back, or that came back to us. */
  async endRefund(
    row: Pick<RefundRow, "id" | "status" | "amount_minor">,
    to: RefundStatus,
    failure: string | null,
  ): Promise<void> {
    const now = this.#context.clock.now();
    const isOver = to === "succeeded" || to === "failed";
    await this.#tx.run(
      sql`UPDATE refunds SET status = ${to}, failure = ${failure}, ended_at = ${isOver ? now : null}, next_attempt_at = NULL
          WHERE id = ${row.id}`,
    );
    this.#tx.audit({
      ...this.#by,
      action: `refund.${to}`,
      subject: `refund:${row.id}`,
      details: { amount_minor: row.amount_minor, before: row.status, after: to, failure: failure ?? undefined },
    });
    if (to === "succeeded")
      await this.#move({ kind: "refund", refundId: row.id }, -row.amount_minor, `refund ${row.id}`);
    if (to === "failed" && row.status === "succeeded")
      await this.#move({ kind: "refund_returned", refundId: row.id }, row.amount_minor, `refund ${row.id}`);
  }

  /** A dispute moves money once it is lost: until then the payer's bank has not decided. Says what changed. */
  async dispute(found: ProviderDispute): Promise<string[]> {
    const now = this.#context.clock.now();
    const { id, provider, currency } = this.#payment;
    await this.#tx.run(
      sql`INSERT INTO disputes (receipt_id, payment_id, provider, external_dispute_id, status, amount_minor, currency, opened_at)
          VALUES (${this.#receiptId}, ${id}, ${provider}, ${found.externalDisputeId}, 'open', ${found.amountMinor}, ${currency}, ${now})
          ON CONFLICT (provider, external_dispute_id) DO NOTHING`,
    );
    const row = await this.#tx.one(
      disputeSchema,
      sql`SELECT id, status, amount_minor FROM disputes
          WHERE provider = ${provider} AND external_dispute_id = ${found.externalDisputeId} FOR UPDATE`,
    );
    if (row.status === found.status) return [];
    await this.#moveDispute(row, found.status, now);
    return [`dispute ${found.externalDisputeId} ${found.status}`];
  }

  async #moveDispute(row: z.output<typeof disputeSchema>, to: DisputeStatus, now: Date): Promise<void> {
    await this.#tx.run(
      sql`UPDATE disputes SET status = ${to}, ended_at = ${to === "open" ? null : now} WHERE id = ${row.id}`,
    );
    this.#tx.audit({
      ...this.#by,
      action: `dispute.${to}`,
      subject: `dispute:${row.id}`,
      details: { amount_minor: row.amount_minor, before: row.status, after: to },
    });
    if (to === "lost")
      await this.#move({ kind: "chargeback", disputeId: row.id }, -row.amount_minor, `dispute ${row.id}`);
    if (row.status === "lost")
      await this.#move({ kind: "chargeback_returned", disputeId: row.id }, row.amount_minor, `dispute ${row.id}`);
  }

  /** The receipt is locked already; its sums are read anew, as something may have moved before. */
  async #move(source: MovementSource, amountMinor: bigint, reference: string): Promise<void> {
    const receipt = await lockReceipt(this.#tx, this.#receiptId);
    if (receipt === undefined) throw new Error(`payment ${this.#payment.id} is of no receipt`);
    const { currency } = this.#payment;
    await moveMoney(
      this.#tx,
      receipt,
      { source, amountMinor, currency, at: this.#context.clock.now(), reference },
      this.#by,
    );
  }
}

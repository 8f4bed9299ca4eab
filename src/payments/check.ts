/** Asks providers how payments stand of which no event came: it may have been lost, or may never come. */
import { z } from "zod";
import { sql, type Sql } from "../db/database.ts";
import { ConflictError, UpstreamError } from "../errors.ts";
import { mayMove, type PaymentStatus } from "../billing/states.ts";
import { movePayment } from "./apply.ts";
import type { PaymentContext } from "./context.ts";
import { recordEvent } from "./events.ts";
import { findPaymentById, lockPayment, type PaymentRow } from "./payment-row.ts";
import { syncPayment } from "./sync-payment.ts";

/** A payment that was started a moment ago is not asked about: its event is on the way. */
const FRESH_SECONDS = 120;
/** A checkout that nobody has paid for so long is called off. */
const ABANDONED_SECONDS = 24 * 3_600;
/** Payments that succeeded are looked at once a day for so long: an event of a refund or a dispute may be lost as well. */
const RECHECK_SECONDS = 24 * 3_600;
const RECHECK_DAYS = 120;
const PAGE = 50;

const idSchema = z.object({ id: z.bigint() });
const dueSchema = idSchema.extend({ provider: z.string() });

/**
 * Asks about all payments that wait for an event, about those with refunds that are on their way, and once a day about
 * those that were paid, the longest unasked first. Stops when the signal aborts.
 *
 * @returns how many were asked about and how many of those that waited have ended.
 */
export async function checkPayments(
  context: PaymentContext,
  signal?: AbortSignal,
): Promise<{ asked: number; ended: number }> {
  const round = new Round(context, signal);
  await round.checkAll();
  await expireUnasked(context);
  round.throwTrouble();
  return { asked: round.asked, ended: round.ended };
}

/** One round of questions; a provider that does not answer is not asked again in it, and the others are. */
class Round {
  asked = 0;
  ended = 0;
  readonly #context: PaymentContext;
  readonly #signal: AbortSignal | undefined;
  readonly #startedAt: Date;
  readonly #away = new Map<string, UpstreamError>();

  constructor(context: PaymentContext, signal: AbortSignal | undefined) {
    this.#context = context;
    this.#signal = signal;
    this.#startedAt = context.clock.now();
  }

  async checkAll(): Promise<void> {
    for (;;) {
      const page = await this.#context.db.rows(dueSchema, dueForCheck(this.#startedAt, this.#answering()));
      for (const due of page) {
        const status = await this.#check(due);
        if (status !== undefined) this.asked++;
        if (status !== undefined && isOver(status)) this.ended++;
      }
      if (page.length < PAGE) break;
    }
    for (const query of [withOpenRefunds, settledBefore])
      for (const due of await this.#context.db.rows(dueSchema, query(this.#context, this.#answering())))
        await this.#check(due);
  }

  /** Providers that can be asked and have not failed to answer. */
  #answering(): string[] {
    return askable(this.#context).filter((name) => !this.#away.has(name));
  }

  /** Undefined when the provider did not answer. */
  async #check({ id, provider }: z.output<typeof dueSchema>): Promise<PaymentStatus | undefined> {
    this.#signal?.throwIfAborted();
    if (this.#away.has(provider)) return undefined;
    try {
      return await checkPayment(this.#context, id);
    } catch (error) {
      if (error instanceof UpstreamError) {
        this.#away.set(provider, error);
        return undefined;
      }
      // One of which the provider tells another amount must not keep the others from being asked about.
      if (!(error instanceof ConflictError)) throw error;
      this.#context.onTrouble(error, { id, provider });
      return "pending";
    }
  }

  /** @throws {UpstreamError} of the first provider that did not answer. */
  throwTrouble(): void {
    for (const error of this.#away.values()) throw error;
  }
}

function isOver(status: PaymentStatus): boolean {
  return status !== "pending" && status !== "processing";
}

function dueForCheck(startedAt: Date, providers: readonly string[]): Sql {
  const fresh = new Date(startedAt.getTime() - FRESH_SECONDS * 1000);
  return sql`SELECT id, provider FROM payments
             WHERE status IN ('pending', 'processing') AND created_at <= ${fresh}
               AND (checked_at IS NULL OR checked_at < ${startedAt}) AND provider = ANY(${providers}::text[])
             ORDER BY checked_at NULLS FIRST, id LIMIT ${PAGE}`;
}

function withOpenRefunds(_context: PaymentContext, providers: readonly string[]): Sql {
  return sql`SELECT DISTINCT payment_id AS id, provider FROM refunds
             WHERE status = 'pending' AND provider = ANY(${providers}::text[]) ORDER BY 1 LIMIT ${PAGE}`;
}

/** A page of those that succeeded, each once a day. */
function settledBefore({ clock }: PaymentContext, providers: readonly string[]): Sql {
  const now = clock.now().getTime();
  return sql`SELECT id, provider FROM payments
             WHERE status = 'succeeded' AND settled_at >= ${new Date(now - RECHECK_DAYS * 86_400_000)}
               AND (checked_at IS NULL OR checked_at < ${new Date(now - RECHECK_SECONDS * 1000)})
               AND provider = ANY(${providers}::text[])
             ORDER BY checked_at NULLS FIRST, id LIMIT ${PAGE}`;
}

/** Providers that can be asked: the built-in one keeps no payments. */
function askable({ providers }: PaymentContext): string[] {
  return [...providers.values()].filter(({ keepsPayments }) => keepsPayments).map(({ name }) => name);
}

/** Abandoned checkouts of providers that cannot be asked. */
async function expireUnasked(context: PaymentContext): Promise<void> {
  const old = await context.db.rows(
    idSchema,
    sql`SELECT id FROM payments
        WHERE status = 'pending' AND created_at <= ${abandonedBefore(context)} AND provider <> ALL(${askable(context)}::text[])
        ORDER BY id LIMIT ${PAGE}`,
  );
  for (const { id } of old) await expire(context, id);
}

function abandonedBefore({ clock }: PaymentContext): Date {
  return new Date(clock.now().getTime() - ABANDONED_SECONDS * 1000);
}

/**
 * Asks the provider how one payment stands and settles what it says. Returns how the payment stands now.
 * @throws {UpstreamError} when the provider does not answer.
 * @throws {ConflictError} when it speaks of another amount than was asked for.
 */
export async function checkPayment(context: PaymentContext, id: bigint): Promise<PaymentStatus> {
  const { db, clock } = context;
  const payment = await findPaymentById(db, id);
  if (payment === undefined) throw new Error(`there is no payment ${id}`);
  const provider = context.providers.get(payment.provider);
  if (provider === undefined || !provider.keepsPayments) return payment.status;
  const found = await provider.fetchPayment(payment.externalPaymentId);
  await db.run(sql`UPDATE payments SET checked_at = ${clock.now()} WHERE id = ${id}`);
  const outcome = found === null ? "canceled" : found.status;
  const eventId = `asked:${payment.externalPaymentId}:${outcome}`;
  if (found === null) await giveUp(context, payment, eventId);
  else {
    const changes = await syncPayment(context, payment, found, { eventId, requestId: undefined });
    if (changes.length > 0) await recordAnswer(context, payment, eventId, found.status, changes.join("; "));
    else if (found.status === "pending" && payment.status === "pending") await expireIfAbandoned(context, id);
  }
  return (await findPaymentById(db, id))?.status ?? payment.status;
}

/** The provider knows no such payment: nobody can have paid it. */
async function giveUp(context: PaymentContext, payment: PaymentRow, eventId: string): Promise<void> {
  const reason = await context.db.transaction(async (tx) => {
    const locked = await lockPayment(tx, payment);
    if (!mayMove(locked.payment.status, "canceled")) return null;
    return movePayment(context, tx, locked, "canceled", { event: { eventId }, requestId: undefined });
  });
  if (reason !== null) await recordAnswer(context, payment, eventId, "unknown", reason);
}

async function expireIfAbandoned(context: PaymentContext, id: bigint): Promise<void> {
  const { is_old } = await context.db.one(
    z.object({ is_old: z.boolean() }),
    sql`SELECT created_at <= ${abandonedBefore(context)} AS is_old FROM payments WHERE id = ${id}`,
  );
  if (is_old) await expire(context, id);
}

/** We stop waiting; the provider is told by `closeCheckouts`, and if somebody has paid after all, that counts. */
async function expire(context: PaymentContext, id: bigint): Promise<void> {
  await context.db.transaction(async (tx) => {
    const payment = await tx.maybeOne(
      z.object({ external_payment_id: z.string(), number: z.string() }),
      sql`UPDATE payments p SET status = 'expired' FROM receipts r
          WHERE p.id = ${id} AND p.status = 'pending' AND r.id = p.receipt_id
          RETURNING p.external_payment_id, r.number`,
    );
    if (payment === undefined) return;
    tx.audit({
      actor: "system",
      action: "payment.expired",
      subject: `payment:${payment.external_payment_id}`,
      details: { receipt: payment.number, before: "pending", after: "expired" },
    });
  });
}

/** What the provider said when it was asked stands among its events. */
async function recordAnswer(
  context: PaymentContext,
  payment: PaymentRow,
  eventId: string,
  answer: string,
  reason: string,
): Promise<void> {
  const { provider, externalPaymentId, amountMinor, currency } = payment;
  await context.db.transaction((tx) =>
    recordEvent(context, tx, {
      verdict: "applied",
      reason,
      provider,
      event: {
        eventId: `${eventId}:${context.clock.now().toISOString()}`,
        eventType: `asked.${answer}`,
        outcome: "other",
        externalPaymentId,
        amountMinor,
        currency,
      },
      deliveryId: null,
      paymentId: payment.id,
    }),
  );
}

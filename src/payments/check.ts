import { z } from "zod";
import { sql } from "../db/database.ts";
import type { PaymentContext } from "./context.ts";
import { settle } from "./webhook.ts";

const pendingSchema = z.object({ id: z.bigint(), provider: z.string(), external_payment_id: z.string() });

type PendingPayment = z.output<typeof pendingSchema>;

/** A payment that was started a moment ago is not asked about: its event is on the way. */
const FRESH_SECONDS = 120;
const PAGE = 50;

/**
 * Asks the providers about all payments that wait for an event, the longest unasked first: an event that was lost, or
 * came before we knew the payment, must not leave a receipt waiting. Stops when the signal aborts.
 *
 * @returns how many were asked about and how many of them have ended.
 */
export async function checkPayments(
  context: PaymentContext,
  signal?: AbortSignal,
): Promise<{ asked: number; ended: number }> {
  const { db, clock } = context;
  const startedBefore = new Date(clock.now().getTime() - FRESH_SECONDS * 1000);
  let asked = 0;
  let ended = 0;
  for (;;) {
    const page = await db.rows(
      pendingSchema,
      sql`SELECT id, provider, external_payment_id FROM payments
          WHERE status = 'pending' AND created_at <= ${startedBefore}
            AND (checked_at IS NULL OR checked_at < ${clock.now()}) AND provider = ANY(${askable(context)}::text[])
          ORDER BY checked_at NULLS FIRST, id LIMIT ${PAGE}`,
    );
    for (const payment of page) {
      signal?.throwIfAborted();
      asked++;
      if ((await check(context, payment)) !== "pending") ended++;
    }
    if (page.length < PAGE) return { asked, ended };
  }
}

/** Providers that can be asked: the built-in one keeps no payments. */
function askable({ providers }: PaymentContext): string[] {
  return [...providers.values()].filter(({ keepsPayments }) => keepsPayments).map(({ name }) => name);
}

export type PaymentStatus = "pending" | "succeeded" | "failed" | "canceled";

/**
 * Asks the provider how one payment stands and settles what it says. Returns how the payment stands now.
 * @throws {UpstreamError} when the provider does not answer.
 */
export async function checkPayment(context: PaymentContext, id: bigint): Promise<PaymentStatus> {
  const payment = await context.db.maybeOne(
    pendingSchema,
    sql`SELECT id, provider, external_payment_id FROM payments WHERE id = ${id} AND status = 'pending'`,
  );
  if (payment !== undefined && askable(context).includes(payment.provider)) return check(context, payment);
  return statusOf(context, id);
}

async function check(context: PaymentContext, payment: PendingPayment): Promise<PaymentStatus> {
  const { db, clock, providers } = context;
  const found = await providers.get(payment.provider)?.fetchPayment(payment.external_payment_id);
  await db.run(sql`UPDATE payments SET checked_at = ${clock.now()} WHERE id = ${payment.id}`);
  if (found === undefined || found?.status === "pending") return "pending";
  const outcome = found?.status ?? "canceled";
  const row = await db.one(
    z.object({ amount_minor: z.bigint(), currency: z.string() }),
    sql`SELECT amount_minor, currency FROM payments WHERE id = ${payment.id}`,
  );
  await settle(context, {
    provider: payment.provider,
    rawBody: Buffer.from(JSON.stringify({ asked: payment.external_payment_id, answer: found?.status ?? "unknown" })),
    event: {
      eventId: `asked:${payment.external_payment_id}:${outcome}`,
      eventType: `asked.${found === null ? "unknown" : outcome}`,
      outcome,
      externalPaymentId: payment.external_payment_id,
      amountMinor: found?.amountMinor ?? row.amount_minor,
      currency: found?.currency ?? row.currency,
    },
    requestId: undefined,
  });
  return statusOf(context, payment.id);
}

async function statusOf({ db }: PaymentContext, id: bigint): Promise<PaymentStatus> {
  const { status } = await db.one(
    z.object({ status: z.enum(["pending", "succeeded", "failed", "canceled"]) }),
    sql`SELECT status FROM payments WHERE id = ${id}`,
  );
  return status;
}

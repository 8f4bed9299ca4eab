import { z } from "zod";
import type { Clock } from "../clock.ts";
import { sql, type Database, type Actor } from "../db/database.ts";
import { ConflictError, UserError } from "../errors.ts";
import type { Currency } from "../rating/money.ts";
import { currencyOf } from "../rating/money.ts";
import { lockReceipt } from "../billing/settle.ts";
import type { PaymentProvider } from "./provider.ts";

export interface PaymentContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly currency: Currency;
  readonly provider: PaymentProvider;
}

/**
 * Opens a checkout for a pending receipt, or gives back the one that is open: a double click or a second tab ends at the
 * same payment. The provider is asked outside of any transaction; when two asked at once, the first to commit wins.
 *
 * @throws {ConflictError} when the receipt is paid or void.
 */
export async function startCheckout(context: PaymentContext, receiptId: bigint, by: Actor): Promise<{ url: string }> {
  const receipt = await context.db.maybeOne(
    z.object({ number: z.string(), status: z.string(), total_minor: z.bigint(), currency: z.string() }),
    sql`SELECT number, status, total_minor, currency FROM receipts WHERE id = ${receiptId}`,
  );
  if (receipt === undefined) throw new UserError("there is no such receipt", { status: 404 });
  if (receipt.status !== "pending") throw new ConflictError(`receipt ${receipt.number} is ${receipt.status} already`);
  const open = await openCheckout(context.db, context.provider.name, receiptId);
  if (open !== undefined) return open;
  const currency = currencyOf(receipt.currency) ?? context.currency;
  const checkout = await context.provider.createCheckout({
    receiptId,
    receiptNumber: receipt.number,
    amountMinor: receipt.total_minor,
    currency,
  });
  return context.db.transaction(async (tx) => {
    const locked = await lockReceipt(tx, receiptId);
    if (locked?.status !== "pending")
      throw new ConflictError(`receipt ${receipt.number} is ${locked?.status ?? "gone"} already`);
    const faster = await openCheckout(tx, context.provider.name, receiptId);
    if (faster !== undefined) return faster;
    // One left open by another provider makes way.
    await tx.run(sql`UPDATE payments SET status = 'canceled' WHERE receipt_id = ${receiptId} AND status = 'pending'`);
    await tx.run(
      sql`INSERT INTO payments (receipt_id, provider, external_payment_id, status, amount_minor, currency, checkout_url,
                                created_at, created_by)
          VALUES (${receiptId}, ${context.provider.name}, ${checkout.externalPaymentId}, 'pending', ${receipt.total_minor},
                  ${receipt.currency}, ${checkout.url}, ${context.clock.now()}, ${by.actor})`,
    );
    tx.audit({
      ...by,
      action: "payment.started",
      subject: `payment:${checkout.externalPaymentId}`,
      details: {
        receipt: receipt.number,
        provider: context.provider.name,
        amount_minor: receipt.total_minor,
        currency: receipt.currency,
      },
    });
    return { url: checkout.url };
  });
}

async function openCheckout(
  queries: Pick<Database, "maybeOne">,
  provider: string,
  receiptId: bigint,
): Promise<{ url: string } | undefined> {
  return queries.maybeOne(
    z.object({ url: z.string() }),
    sql`SELECT checkout_url AS url FROM payments
        WHERE receipt_id = ${receiptId} AND status = 'pending' AND provider = ${provider}`,
  );
}

const paymentSchema = z
  .object({
    external_payment_id: z.string(),
    provider: z.string(),
    status: z.enum(["pending", "succeeded", "failed", "canceled"]),
    amount_minor: z.bigint(),
    currency: z.string(),
    created_at: z.date(),
    settled_at: z.date().nullable(),
    checkout_url: z.string(),
  })
  .transform((row) => ({
    externalPaymentId: row.external_payment_id,
    provider: row.provider,
    status: row.status,
    amountMinor: row.amount_minor,
    currency: row.currency,
    createdAt: row.created_at,
    settledAt: row.settled_at,
    checkoutUrl: row.checkout_url,
  }));

export type Payment = z.output<typeof paymentSchema>;

/** All payments of a receipt, oldest first. */
export function paymentsOf(db: Database, receiptId: bigint): Promise<Payment[]> {
  return db.rows(
    paymentSchema,
    sql`SELECT external_payment_id, provider, status, amount_minor, currency, created_at, settled_at, checkout_url
        FROM payments WHERE receipt_id = ${receiptId} ORDER BY id`,
  );
}

import { z } from "zod";
import { sql, type Actor, type Database, type Queries } from "../db/database.ts";
import { ConflictError, UserError } from "../errors.ts";
import { currencyOf } from "../rating/money.ts";
import { requireReceipt } from "../billing/locked-receipt.ts";
import { cancelOpenCheckouts } from "../billing/open-checkouts.ts";
import { dueMinor } from "../billing/states.ts";
import { checkPayment } from "./check.ts";
import type { PaymentContext } from "./context.ts";

/** How somebody wants to pay. */
export interface PaymentChoice {
  /** Undefined: the default provider. */
  readonly provider?: string | undefined;
  readonly lang: "en" | "th";
}

/** An open checkout that is older than this may have run out at the provider, so it is looked at before it is reused. */
const TRUSTED_FOR_MS = 10 * 60_000;

/**
 * Opens a checkout for what is due on a receipt, or gives back the one that is open: a double click or a second tab ends at the
 * same payment. The provider is asked outside of any transaction; when two asked at once, the first to commit wins, and
 * since both asked with the same key, both have the same checkout.
 *
 * @throws {ConflictError} when the receipt is paid or void, or the bank works on a payment of it.
 * @throws {UserError} for a provider that is not enabled.
 * @throws {UpstreamError} when the provider cannot open a checkout; nothing was changed then.
 */
export async function startCheckout(
  context: PaymentContext,
  receiptId: bigint,
  by: Actor,
  choice: PaymentChoice = { lang: "en" },
): Promise<{ url: string }> {
  const provider = choice.provider === undefined ? context.provider : context.providers.get(choice.provider);
  if (provider === undefined) {
    throw new UserError(
      `there is no provider "${choice.provider}"; enabled are: ${[...context.providers.keys()].join(", ")}`,
    );
  }
  let receipt = await payableReceipt(context.db, receiptId);
  const open = await openCheckout(context.db, provider.name, receiptId);
  if (open !== undefined) {
    if (context.clock.now().getTime() - open.created_at.getTime() < TRUSTED_FOR_MS) return open;
    if ((await checkPayment(context, open.id)) === "pending") return open;
    receipt = await payableReceipt(context.db, receiptId);
  }
  const checkout = await provider.createCheckout({
    receiptId,
    receiptNumber: receipt.number,
    amountMinor: receipt.due,
    currency: currencyOf(receipt.currency) ?? context.currency,
    idempotencyKey: keyOf(receipt, choice.lang, context.clock.now()),
    returnUrl: `${context.siteBaseUrl}/payments/thanks?rid=${receiptId}`,
    lang: choice.lang,
  });
  return context.db.transaction(async (tx) => {
    const locked = await requireReceipt(tx, receiptId);
    await payableReceipt(tx, receiptId);
    if (dueMinor(locked, locked.status) !== receipt.due)
      throw new ConflictError(`what is due on receipt ${receipt.number} has changed; look at it again`);
    const faster = await openCheckout(tx, provider.name, receiptId);
    if (faster !== undefined) return faster;
    // One left open by another provider makes way.
    await cancelOpenCheckouts(tx, locked, by);
    await tx.run(
      sql`INSERT INTO payments (receipt_id, provider, external_payment_id, status, amount_minor, currency, checkout_url,
                                created_at, created_by)
          VALUES (${receiptId}, ${provider.name}, ${checkout.externalPaymentId}, 'pending', ${receipt.due},
                  ${receipt.currency}, ${checkout.url}, ${context.clock.now()}, ${by.actor})`,
    );
    tx.audit({
      ...by,
      action: "payment.started",
      subject: `payment:${checkout.externalPaymentId}`,
      details: {
        receipt: receipt.number,
        provider: provider.name,
        amount_minor: receipt.due,
        currency: receipt.currency,
      },
    });
    return { url: checkout.url };
  });
}

/** Providers keep what they answered to a key, refusals too: after this time another try is another question. */
const KEY_HOLDS_MS = 10 * 60_000;

/**
 * One key for one attempt at one receipt. The time of issue is in it because a number alone could come again after a
 * backup was restored; the amount and the language because the same key must always ask for the same.
 */
function keyOf(receipt: z.output<typeof payableSchema>, lang: string, now: Date): string {
  const { number, issued_epoch, attempts, due } = receipt;
  return [number, issued_epoch, attempts + 1n, due, lang, Math.floor(now.getTime() / KEY_HOLDS_MS)].join("-");
}

const payableSchema = z.object({
  number: z.string(),
  status: z.string(),
  /** In minor units. */
  due: z.bigint(),
  currency: z.string(),
  attempts: z.bigint(),
  issued_epoch: z.bigint(),
  is_processing: z.boolean(),
});

async function payableReceipt(queries: Queries, receiptId: bigint): Promise<z.output<typeof payableSchema>> {
  const receipt = await queries.maybeOne(
    payableSchema,
    sql`SELECT number, status, total_minor - credited_minor - received_minor AS due, currency,
               extract(epoch FROM issued_at)::bigint AS issued_epoch,
               (SELECT count(*) FROM payments p WHERE p.receipt_id = r.id) AS attempts,
               EXISTS (SELECT FROM payments p WHERE p.receipt_id = r.id AND p.status = 'processing') AS is_processing
        FROM receipts r WHERE id = ${receiptId}`,
  );
  if (receipt === undefined) throw new UserError("there is no such receipt", { status: 404 });
  if (receipt.status !== "pending") throw new ConflictError(`receipt ${receipt.number} is ${receipt.status} already`);
  if (receipt.is_processing)
    throw new ConflictError(`a payment of receipt ${receipt.number} is with the bank; wait for its end`);
  return receipt;
}

function openCheckout(
  queries: Queries,
  provider: string,
  receiptId: bigint,
): Promise<{ id: bigint; url: string; created_at: Date } | undefined> {
  return queries.maybeOne(
    z.object({ id: z.bigint(), url: z.string(), created_at: z.date() }),
    sql`SELECT id, checkout_url AS url, created_at FROM payments
        WHERE receipt_id = ${receiptId} AND status = 'pending' AND provider = ${provider}`,
  );
}

const paymentSchema = z
  .object({
    id: z.bigint(),
    external_payment_id: z.string(),
    provider: z.string(),
    status: z.enum(["pending", "processing", "succeeded", "failed", "canceled", "expired"]),
    amount_minor: z.bigint(),
    currency: z.string(),
    created_at: z.date(),
    settled_at: z.date().nullable(),
    checkout_url: z.string(),
  })
  .transform((row) => ({
    id: row.id,
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
    sql`SELECT id, external_payment_id, provider, status, amount_minor, currency, created_at, settled_at, checkout_url
        FROM payments WHERE receipt_id = ${receiptId} ORDER BY id`,
  );
}

/** Which of some receipts have a payment that the bank works on. */
export async function beingProcessed(queries: Queries, receiptIds: readonly bigint[]): Promise<ReadonlySet<bigint>> {
  const rows = await queries.rows(
    z.object({ receipt_id: z.bigint() }),
    sql`SELECT receipt_id FROM payments
        WHERE receipt_id = ANY(${receiptIds.map(String)}::bigint[]) AND status = 'processing'`,
  );
  return new Set(rows.map(({ receipt_id }) => receipt_id));
}

import { z } from "zod";
import { sql, type Queries, type Transaction } from "../db/database.ts";
import { lockReceipt, type LockedReceipt } from "../billing/locked-receipt.ts";

const paymentSchema = z
  .object({
    id: z.bigint(),
    receipt_id: z.bigint(),
    provider: z.string(),
    external_payment_id: z.string(),
    reference: z.string().nullable(),
    status: z.enum(["pending", "processing", "succeeded", "failed", "canceled", "expired"]),
    amount_minor: z.bigint(),
    currency: z.string(),
  })
  .transform((row) => ({
    id: row.id,
    receiptId: row.receipt_id,
    provider: row.provider,
    externalPaymentId: row.external_payment_id,
    reference: row.reference,
    status: row.status,
    amountMinor: row.amount_minor,
    currency: row.currency,
  }));

/** A payment as the books have it. */
export type PaymentRow = z.output<typeof paymentSchema>;

const COLUMNS = sql`id, receipt_id, provider, external_payment_id, reference, status, amount_minor, currency`;

/** A payment by the id that its checkout got, or by the reference that its provider gave it later. */
export async function findPayment(queries: Queries, provider: string, id: string): Promise<PaymentRow | undefined> {
  const byId = await queries.maybeOne(
    paymentSchema,
    sql`SELECT ${COLUMNS} FROM payments WHERE provider = ${provider} AND external_payment_id = ${id}`,
  );
  if (byId !== undefined) return byId;
  return queries.maybeOne(
    paymentSchema,
    sql`SELECT ${COLUMNS} FROM payments WHERE provider = ${provider} AND reference = ${id} ORDER BY id LIMIT 1`,
  );
}

/** A payment and its receipt, both held until the transaction ends. */
export interface LockedPayment {
  readonly payment: PaymentRow;
  readonly receipt: LockedReceipt;
}

/** The receipt is locked before the payment, as everywhere, so that no two paths wait for each other. */
export async function lockPayment(tx: Transaction, { id, receiptId }: PaymentRow): Promise<LockedPayment> {
  const receipt = await lockReceipt(tx, receiptId);
  if (receipt === undefined) throw new Error(`payment ${id} is of no receipt`);
  const payment = await tx.one(paymentSchema, sql`SELECT ${COLUMNS} FROM payments WHERE id = ${id} FOR UPDATE`);
  return { payment, receipt };
}

export function findPaymentById(queries: Queries, id: bigint): Promise<PaymentRow | undefined> {
  return queries.maybeOne(paymentSchema, sql`SELECT ${COLUMNS} FROM payments WHERE id = ${id}`);
}

import { z } from "zod";
import { sql, type Queries, type Transaction } from "../db/database.ts";
import { UserError } from "../errors.ts";

const lockedReceiptSchema = z
  .object({
    id: z.bigint(),
    number: z.string(),
    user_name: z.string(),
    status: z.enum(["pending", "paid", "void"]),
    total_minor: z.bigint(),
    credited_minor: z.bigint(),
    received_minor: z.bigint(),
    currency: z.string(),
  })
  .transform((row) => ({
    id: row.id,
    number: row.number,
    userName: row.user_name,
    status: row.status,
    totalMinor: row.total_minor,
    creditedMinor: row.credited_minor,
    receivedMinor: row.received_minor,
    currency: row.currency,
  }));

/** A receipt whose money nobody else can move until the transaction ends. */
export type LockedReceipt = z.output<typeof lockedReceiptSchema>;

/**
 * Reads a receipt and holds it until the transaction ends: every change of its money or status goes through this row. A
 * new receipt may refer to it meanwhile.
 */
export function lockReceipt(tx: Transaction, id: bigint): Promise<LockedReceipt | undefined> {
  return tx.maybeOne(
    lockedReceiptSchema,
    sql`SELECT id, number, user_name, status, total_minor, credited_minor, received_minor, currency
        FROM receipts WHERE id = ${id} FOR NO KEY UPDATE`,
  );
}

/** @throws {UserError} when there is no such receipt. */
export async function requireReceipt(tx: Transaction, id: bigint): Promise<LockedReceipt> {
  const receipt = await lockReceipt(tx, id);
  if (receipt === undefined) throw new UserError("there is no such receipt", { status: 404 });
  return receipt;
}

/** The id of a receipt by its number; undefined when there is none. */
export async function receiptIdOf(queries: Queries, number: string): Promise<bigint | undefined> {
  const row = await queries.maybeOne(
    z.object({ id: z.bigint() }),
    sql`SELECT id FROM receipts WHERE number = ${number.trim().toUpperCase()}`,
  );
  return row?.id;
}

import { z } from "zod";
import { sql, type Actor, type Transaction } from "../db/database.ts";

/**
 * Calls off the checkouts of a locked receipt that nobody has paid yet: they ask for an amount that is not due any more.
 * One that the bank works on is left alone. The providers are told later.
 */
export async function cancelOpenCheckouts(
  tx: Transaction,
  receipt: { readonly id: bigint; readonly number: string },
  by: Actor,
): Promise<void> {
  const canceled = await tx.rows(
    z.object({ external_payment_id: z.string() }),
    sql`UPDATE payments SET status = 'canceled' WHERE receipt_id = ${receipt.id} AND status = 'pending' RETURNING external_payment_id`,
  );
  for (const payment of canceled) {
    tx.audit({
      ...by,
      action: "payment.canceled",
      subject: `payment:${payment.external_payment_id}`,
      details: { receipt: receipt.number, before: "pending", after: "canceled" },
    });
  }
}

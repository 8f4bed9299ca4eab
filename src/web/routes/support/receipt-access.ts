/** Who may see a receipt, and where its payment stands. */
import type { FastifyRequest } from "fastify";
import { findReceipt, type Receipt } from "../../../billing/queries.ts";
import type { Queries } from "../../../db/database.ts";
import type { Payment } from "../../../payments/checkout.ts";
import { MessageError } from "../../plugins/message-error.ts";
import { requireUser } from "../../route-kit.ts";

/** An id as it stands in an address; undefined for anything that is none. */
export function parseReceiptId(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d{1,18}$/u.test(text) ? BigInt(text) : undefined;
}

/**
 * A receipt for whoever asks: its owner, or where `admins` are let in, an admin. To anybody else it is as unknown as one
 * that never was.
 */
export async function receiptFor(
  request: FastifyRequest,
  queries: Queries,
  id: string | undefined,
  { admins }: { readonly admins: "may" | "mayNot" },
): Promise<Receipt> {
  const user = requireUser(request);
  const parsed = parseReceiptId(id);
  const receipt = parsed === undefined ? undefined : await findReceipt(queries, parsed);
  const isAllowed =
    receipt !== undefined && (receipt.userName === user.username || (admins === "may" && user.role === "admin"));
  if (!isAllowed) throw new MessageError("error.text.notFound", { status: 404 });
  return receipt;
}

/**
 * Where the payment of a receipt stands: `open` nothing was tried yet, `waiting` a checkout is under way, `processing` the
 * payer has paid and the bank takes its time, `failed`, `canceled` and `expired` how the last one ended, else how the
 * receipt itself ended.
 */
export const PAYMENT_STATES = [
  "open",
  "waiting",
  "processing",
  "failed",
  "canceled",
  "expired",
  "paid",
  "void",
] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

export function paymentStateOf(
  { status }: Pick<Receipt, "status">,
  payments: readonly Pick<Payment, "status">[],
): PaymentState {
  if (status !== "pending") return status;
  const last = payments.at(-1)?.status;
  if (last === "pending") return "waiting";
  return last === undefined || last === "succeeded" ? "open" : last;
}

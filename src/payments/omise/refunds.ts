import { UpstreamError, UserError } from "../../errors.ts";
import { formatMinor } from "../../rating/money.ts";
import type { ProviderRefund, RefundRequest } from "../provider.ts";
import { refundSchema, refundsSchema, type OmiseCharge, type OmiseRefund } from "./api.ts";
import { askOmise, OmiseRefusal, type OmiseAccount } from "./client.ts";
import { chargesOf, findLink, paidCharge } from "./link.ts";

/** A charge takes no more than fifteen refunds (https://docs.omise.co/refunds-api): they fit on one page. */
const PAGE = "100";

const STATUSES: ReadonlyMap<string, ProviderRefund["status"]> = new Map([
  ["closed", "succeeded"],
  ["failed", "failed"],
]);

/** All refunds of a charge, oldest first. */
export async function refundsOf(account: OmiseAccount, charge: OmiseCharge): Promise<ProviderRefund[]> {
  const question = {
    what: `list the refunds of ${charge.id}`,
    method: "GET",
    path: `/charges/${charge.id}/refunds`,
    fields: { order: "chronological", limit: PAGE },
  } as const;
  const { data } = await askOmise(account, question, refundsSchema);
  return data.map((refund) => toRefund(refund, charge));
}

function toRefund({ id, refundId, status, amountMinor, currency }: OmiseRefund, charge: OmiseCharge): ProviderRefund {
  if (currency !== charge.currency)
    throw new UpstreamError(`Omise tells of a refund ${id} in ${currency}, and of its charge in ${charge.currency}`);
  return { externalRefundId: id, refundId, status: STATUSES.get(status ?? "") ?? "pending", amountMinor };
}

/**
 * Pays back. Omise publishes no idempotency key for this, so our id stands in the refund's metadata, and one that was made
 * before is given back. What remains: two that ask at the same moment both find nothing, and both pay back; whoever calls
 * this sees to it that one does at a time.
 *
 * @throws {UserError} when Omise refuses for good, or the link was never paid.
 * @throws {UpstreamError} when Omise does not answer, or cannot do it now.
 */
export async function payBack(account: OmiseAccount, request: RefundRequest): Promise<ProviderRefund> {
  const { amountMinor, currency, receiptNumber, refundId } = request;
  const charge = await chargeToPayBack(account, request);
  const earlier = (await refundsOf(account, charge)).find((refund) => refund.refundId === refundId);
  if (earlier !== undefined) return earlier;
  const fields = {
    amount: amountMinor.toString(),
    "metadata[receipt]": receiptNumber,
    "metadata[refund]": refundId.toString(),
  };
  const what = `pay back ${formatMinor(amountMinor, currency)} ${currency.code} of receipt ${receiptNumber}`;
  const question = { what, method: "POST", path: `/charges/${charge.id}/refunds`, fields } as const;
  try {
    return toRefund(await askOmise(account, question, refundSchema), charge);
  } catch (error) {
    if (error instanceof OmiseRefusal && error.isForGood)
      throw new UserError(error.message, { status: 422, cause: error });
    throw error;
  }
}

async function chargeToPayBack(
  account: OmiseAccount,
  { externalPaymentId, currency }: RefundRequest,
): Promise<OmiseCharge> {
  const link = await findLink(account, externalPaymentId);
  const charge = link === null ? undefined : paidCharge(await chargesOf(account, link));
  if (charge !== undefined && charge.currency === currency.code) return charge;
  throw new UserError(`Omise cannot pay back: ${externalPaymentId} took no ${currency.code}`, { status: 422 });
}

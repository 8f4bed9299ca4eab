import { UpstreamError } from "../../errors.ts";
import type { PaymentStatus, ProviderDispute, ProviderPayment } from "../provider.ts";
import { disputedChargeSchema, type OmiseCharge, type OmiseLink } from "./api.ts";
import { askOmise, type OmiseAccount } from "./client.ts";
import { chargesOf, findLink, paidCharge } from "./link.ts";
import { refundsOf } from "./refunds.ts";

/** Statuses of a charge that nobody will pay any more. */
const OVER: ReadonlySet<string> = new Set(["failed", "expired", "reversed"]);

/**
 * Asks Omise how a link stands; null when it is no link's id, or Omise knows no such link.
 * @throws {UpstreamError} when Omise does not answer.
 */
export async function standingOfLink(account: OmiseAccount, id: string): Promise<ProviderPayment | null> {
  const link = await findLink(account, id);
  if (link === null) return null;
  const charges = await chargesOf(account, link);
  const paid = paidCharge(charges);
  if (paid === undefined) {
    const { amountMinor, currency } = link;
    return { status: unpaidStatus(link, charges), amountMinor, currency, refunds: [], disputes: [] };
  }
  const [refunds, disputes] = await Promise.all([refundsOf(account, paid), disputesOf(account, paid)]);
  const { id: reference, amountMinor, currency } = paid;
  return { status: "succeeded", amountMinor, currency, reference, refunds, disputes };
}

/** As long as a link is neither used nor deleted, a declined payer can try again. */
function unpaidStatus(link: OmiseLink, charges: readonly OmiseCharge[]): PaymentStatus {
  if (charges.some(({ status }) => !OVER.has(status))) return "pending";
  if (link.isDeleted) return "canceled";
  if (!link.isUsed || charges.length === 0) return "pending";
  return charges.every(({ status }) => status === "expired") ? "expired" : "failed";
}

/** A charge shows one dispute, as a whole: asked for by itself, since a link may show its charges in short. */
async function disputesOf(account: OmiseAccount, charge: OmiseCharge): Promise<ProviderDispute[]> {
  const question = { what: `show ${charge.id}`, method: "GET", path: `/charges/${charge.id}` } as const;
  const { dispute } = await askOmise(account, question, disputedChargeSchema);
  if (!dispute) return [];
  const { id, status, amount, currency } = dispute;
  if (currency !== charge.currency)
    throw new UpstreamError(`Omise tells of a dispute ${id} in ${currency}, and of its charge in ${charge.currency}`);
  return [
    { externalDisputeId: id, status: status === "won" || status === "lost" ? status : "open", amountMinor: amount },
  ];
}

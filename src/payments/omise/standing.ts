import type { ProviderPayment } from "../provider.ts";
import { chargesSchema, linkSchema, type OmiseCharge, type OmiseLink } from "./api.ts";
import { askOmise, OmiseRefusal, type OmiseAccount } from "./client.ts";

/** Statuses of a charge that nobody will pay any more. */
const OVER: ReadonlySet<string> = new Set(["failed", "expired", "reversed"]);

/**
 * Asks Omise how a link stands; null when it is no link's id, or Omise knows no such link.
 * @throws {UpstreamError} when Omise does not answer.
 */
export async function standingOfLink(account: OmiseAccount, id: string): Promise<ProviderPayment | null> {
  // Ids come from events too, whose signature may not have been checked: nothing else may get into the address.
  if (!/^link_[0-9a-z_]{1,100}$/u.test(id)) return null;
  const link = await findById(account, id);
  return link === null ? null : standingOf(link, await chargesOf(account, link));
}

async function findById(account: OmiseAccount, id: string): Promise<OmiseLink | null> {
  try {
    return await askOmise(account, { what: `show ${id}`, method: "GET", path: `/links/${id}` }, linkSchema);
  } catch (error) {
    if (error instanceof OmiseRefusal && error.httpStatus === 404) return null;
    throw error;
  }
}

/** A link holds its first charges only: whoever was declined often and then paid, paid with one of the last. */
async function chargesOf(account: OmiseAccount, link: OmiseLink): Promise<readonly OmiseCharge[]> {
  if (link.charges.length >= link.chargesInAll) return link.charges;
  const question = {
    what: `list the charges of ${link.id}`,
    method: "GET",
    path: `/links/${link.id}/charges`,
    fields: { order: "reverse_chronological", limit: "100" },
  } as const;
  const { data } = await askOmise(account, question, chargesSchema);
  return [...link.charges, ...data];
}

/** How a link with these charges stands: as long as it is neither used nor deleted, a declined payer can try again. */
export function standingOf(link: OmiseLink, charges: readonly OmiseCharge[]): ProviderPayment {
  const paid = charges.find(({ status }) => status === "successful");
  if (paid !== undefined) return { status: "succeeded", amountMinor: paid.amountMinor, currency: paid.currency };
  return { status: unpaidStatus(link, charges), amountMinor: link.amountMinor, currency: link.currency };
}

function unpaidStatus(link: OmiseLink, charges: readonly OmiseCharge[]): "pending" | "failed" | "canceled" {
  if (charges.some(({ status }) => !OVER.has(status))) return "pending";
  if (link.isDeleted) return "canceled";
  if (!link.isUsed || charges.length === 0) return "pending";
  return charges.every(({ status }) => status === "expired") ? "canceled" : "failed";
}

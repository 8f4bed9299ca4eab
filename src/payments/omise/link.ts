import { UpstreamError } from "../../errors.ts";
import { otherModeOfAnswer } from "../event-body.ts";
import { chargesSchema, linkSchema, type OmiseCharge, type OmiseLink } from "./api.ts";
import { askOmise, isLiveKey, OmiseRefusal, type OmiseAccount } from "./client.ts";

/**
 * A link as it is now; null when it is no link's id, or Omise knows no such link.
 * @throws {UpstreamError} when Omise does not answer, or shows a link of the other mode than the secret key's.
 */
export async function findLink(account: OmiseAccount, id: string): Promise<OmiseLink | null> {
  // Ids come from events too, whose signature may not have been checked: nothing else may get into the address.
  if (!/^link_[0-9a-z_]{1,100}$/u.test(id)) return null;
  const what = `show ${id}`;
  try {
    const link = await askOmise(account, { what, method: "GET", path: `/links/${id}` }, linkSchema);
    const problem = otherModeOfAnswer({ isLive: link.isLive, isLiveKey: isLiveKey(account.secretKey) });
    if (problem !== undefined) throw new UpstreamError(`Omise was asked to ${what}: ${problem}`);
    return link;
  } catch (error) {
    if (error instanceof OmiseRefusal && error.httpStatus === 404) return null;
    throw error;
  }
}

/** A link holds its first charges only: whoever was declined often and then paid, paid with one of the last. */
export async function chargesOf(account: OmiseAccount, link: OmiseLink): Promise<readonly OmiseCharge[]> {
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

/** The charge that paid a link; undefined while there is none. */
export function paidCharge(charges: readonly OmiseCharge[]): OmiseCharge | undefined {
  return charges.find(({ status }) => status === "successful");
}

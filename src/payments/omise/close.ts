import { deletedSchema, type OmiseLink } from "./api.ts";
import { askOmise, OmiseRefusal, type OmiseAccount } from "./client.ts";
import { findLink } from "./link.ts";

/**
 * Deletes a link, so that nobody can begin to pay it any more; one that is used, deleted or unknown is left as it is. A
 * QR code that a payer has on the screen can be paid until it expires: Omise has no way to call it off.
 */
export async function closeLink(account: OmiseAccount, id: string): Promise<void> {
  if (!isOpen(await findLink(account, id))) return;
  try {
    await askOmise(account, { what: `delete the link ${id}`, method: "DELETE", path: `/links/${id}` }, deletedSchema);
  } catch (error) {
    // It may have been paid or deleted since we looked.
    const mayBeOver = error instanceof OmiseRefusal && error.isForGood;
    if (!mayBeOver || isOpen(await findLink(account, id))) throw error;
  }
}

function isOpen(link: OmiseLink | null): boolean {
  return link !== null && !link.isUsed && !link.isDeleted;
}

/** The corrections on a receipt, page by page. */
import { receiptAdjustments } from "../../../billing/corrections.ts";
import type { Queries } from "../../../db/database.ts";
import type { ReceiptAdjustments } from "../../pages/receipts/adjustments.tsx";

const PER_PAGE = 100;

/** @param cursor the position behind which to go on, as the address says it; anything else begins at the first. */
export async function adjustmentsOn(
  queries: Queries,
  receiptId: bigint,
  { path, cursor }: { readonly path: "/me/receipts" | "/admin/receipts"; readonly cursor: string | undefined },
): Promise<ReceiptAdjustments> {
  const after = cursor !== undefined && /^\d{1,9}$/u.test(cursor) ? Number(cursor) : undefined;
  const items = await receiptAdjustments(queries, receiptId, { limit: PER_PAGE + 1, after });
  const shown = items.slice(0, PER_PAGE);
  const last = shown.at(-1);
  const isCut = items.length > PER_PAGE && last !== undefined;
  return { items: shown, nextHref: isCut ? `${path}/${receiptId}?corrections=${last.position}#corrections` : null };
}

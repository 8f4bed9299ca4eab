/** One receipt, as those who run the centre see it. */
import { z } from "zod";
import { receiptLines } from "../../../billing/queries.ts";
import { paymentsOf } from "../../../payments/checkout.ts";
import { eventsOfReceipt } from "../../../payments/events.ts";
import { ReceiptPage, type ReceiptNotice } from "../../pages/admin/receipt.tsx";
import { renderPage, type App } from "../../route-kit.ts";
import { adjustmentsOn } from "../support/receipt-adjustments.ts";
import { moneyOf, optionsOf } from "../support/receipt-money.ts";
import { idParam, type AdminContext } from "./context.ts";
import { receiptActionRoutes, receiptOf, receiptView } from "./receipt-actions.tsx";
import type { Receipt } from "../../../billing/queries.ts";

const SHOWN_EVENTS = 200;

const oneQuery = z.object({
  notice: z.enum(["created", "paid", "void", "revert", "credit", "refund", "move"]).optional(),
  corrections: z.string().max(30).optional(),
});

export function receiptRoutes(app: App, context: AdminContext): void {
  const { db, payments } = context;

  app.get(
    "/admin/receipts/:id",
    {
      config: { access: "admin" },
      schema: { params: idParam, querystring: oneQuery },
    },
    async (request, reply) => {
      const receipt = await receiptOf(context, request.params.id);
      const { notice, corrections } = request.query;
      const [lines, adjustments, checkouts, events, money] = await Promise.all([
        receiptLines(db, receipt.id),
        adjustmentsOn(db, receipt.id, { path: "/admin/receipts", cursor: corrections }),
        paymentsOf(db, receipt.id),
        eventsOfReceipt(db, receipt.id, SHOWN_EVENTS),
        moneyOf(db, receipt),
      ]);
      return renderPage(
        reply,
        <ReceiptPage
          view={receiptView(context, request, receipt)}
          receipt={receipt}
          lines={lines}
          adjustments={adjustments}
          payments={checkouts}
          events={events}
          money={money}
          options={await optionsOf(payments, receipt, money)}
          notice={noticeOf(receipt, notice)}
        />,
      );
    },
  );

  receiptActionRoutes(app, context);
}

/** What is said to be done must be so: an old address must not claim it. */
function noticeOf(receipt: Receipt, notice: z.output<typeof oneQuery>["notice"]): ReceiptNotice | undefined {
  if (notice === "paid" && receipt.status === "pending") return receipt.receivedMinor > 0n ? "part" : undefined;
  if (notice === "paid" || notice === "void") return notice === receipt.status ? notice : undefined;
  return notice;
}

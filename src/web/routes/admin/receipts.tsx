/** One receipt: looked at, settled by hand, voided. */
import { z } from "zod";
import { findReceipt, receiptLines, type Receipt } from "../../../billing/queries.ts";
import { markPaid, voidReceipt } from "../../../billing/settle.ts";
import { UserError } from "../../../errors.ts";
import { paymentsOf } from "../../../payments/checkout.ts";
import { eventsOfReceipt } from "../../../payments/events.ts";
import { MarkPaidPage, VoidPage, type ReceiptConfirmProps } from "../../pages/admin/receipt-confirm.tsx";
import { ReceiptPage } from "../../pages/admin/receipt.tsx";
import type { AdminView } from "../../pages/admin/view.ts";
import { wantsJson } from "../../plugins/wants-json.ts";
import { renderPage, type App } from "../../route-kit.ts";
import { readerOf } from "../support/reader.ts";
import { adjustmentsOn } from "../support/receipt-adjustments.ts";
import { actorOf, adminView, idParam, parseId, text, type AdminContext } from "./context.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { VNode } from "preact";

const SHOWN_EVENTS = 200;

const typed = text(4_000).default("");

const oneQuery = z.object({
  notice: z.enum(["created", "paid", "void"]).optional(),
  corrections: z.string().max(30).optional(),
});

/** A change of a receipt that asks first: one text goes with it, within its length. */
interface Action {
  readonly name: "paid" | "void";
  readonly field: "reference" | "reason";
  readonly longest: number;
  readonly page: (props: ReceiptConfirmProps) => VNode;
  readonly act: (id: bigint, text: string, by: { actor: string; requestId: string }) => Promise<void>;
}

export function receiptRoutes(app: App, context: AdminContext): void {
  const { db, billing } = context;
  const config = { access: "admin" } as const;

  async function receiptOf(idText: string): Promise<Receipt> {
    const receipt = await findReceipt(db, parseId(idText));
    if (receipt === undefined) throw new UserError("there is no such receipt", { status: 404 });
    return receipt;
  }

  /** Amounts are in the receipt's own currency, whatever the site's is today. */
  function viewOf(request: FastifyRequest, receipt: Receipt): AdminView {
    return { ...adminView(request, context, "billing"), ...readerOf(request, receipt.currency) };
  }

  app.get(
    "/admin/receipts/:id",
    {
      config,
      schema: { params: idParam, querystring: oneQuery },
    },
    async (request, reply) => {
      const receipt = await receiptOf(request.params.id);
      const { notice, corrections } = request.query;
      const [lines, adjustments, payments, events] = await Promise.all([
        receiptLines(db, receipt.id),
        adjustmentsOn(db, receipt.id, { path: "/admin/receipts", cursor: corrections }),
        paymentsOf(db, receipt.id),
        eventsOfReceipt(db, receipt.id, SHOWN_EVENTS),
      ]);
      // What is said to be done must be so: an old address must not claim it.
      const isSo = notice === "created" || notice === receipt.status;
      return renderPage(
        reply,
        <ReceiptPage
          view={viewOf(request, receipt)}
          receipt={receipt}
          lines={lines}
          adjustments={adjustments}
          payments={payments}
          events={events}
          notice={isSo ? notice : undefined}
        />,
      );
    },
  );

  const actions: readonly Action[] = [
    {
      name: "paid",
      field: "reference",
      longest: 200,
      page: MarkPaidPage,
      act: (id, text, by) => markPaid(billing, id, text, by),
    },
    {
      name: "void",
      field: "reason",
      longest: 500,
      page: VoidPage,
      act: (id, text, by) => voidReceipt(billing, id, text, by),
    },
  ];
  for (const action of actions) addAction(action);

  function addAction({ name, field, longest, page: Page, act }: Action): void {
    const path = `/admin/receipts/:id/${name}`;

    app.get(path, { config, schema: { params: idParam } }, async (request, reply) => {
      const receipt = await receiptOf(request.params.id);
      if (receipt.status !== "pending") return reply.redirect(`/admin/receipts/${receipt.id}`);
      return renderPage(reply, <Page view={viewOf(request, receipt)} receipt={receipt} />);
    });

    app.post(
      path,
      { config, schema: { params: idParam, body: z.object({ [field]: typed }) } },
      async (request, reply): Promise<FastifyReply> => {
        const given = (request.body[field] ?? "").trim();
        const receipt = await receiptOf(request.params.id);
        const isWrong = given === "" || given.length > longest;
        if (isWrong && receipt.status === "pending" && !wantsJson(request)) {
          return renderPage(
            reply.code(400),
            <Page view={viewOf(request, receipt)} receipt={receipt} value={given} isWrong />,
          );
        }
        await act(receipt.id, given, actorOf(request));
        return reply.redirect(`/admin/receipts/${receipt.id}?notice=${name}`, 303);
      },
    );
  }
}

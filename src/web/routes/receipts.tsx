import { z } from "zod";
import {
  listReceipts,
  receiptItems,
  receiptLines,
  receiptTotals,
  type Receipt,
  type ReceiptLine,
} from "../../billing/queries.ts";
import { paymentsOf } from "../../payments/checkout.ts";
import { lineAmount } from "../../rating/charge.ts";
import { currencyOf } from "../../rating/money.ts";
import { decodeJobCursor, encodeJobCursor } from "../../usage/queries/job-list.ts";
import { ReceiptListPage } from "../pages/receipts/list.tsx";
import { ReceiptPage, type ReceiptJobs } from "../pages/receipts/receipt.tsx";
import { storyOf } from "../pages/receipts/story.tsx";
import type { WebContext } from "../plugins/context.ts";
import { renderPage, requireUser, userFrame, type RouteModule } from "../route-kit.ts";
import { correctionRoute } from "./corrections.tsx";
import { jobPath } from "./support/job-view.ts";
import { readerOf } from "./support/reader.ts";
import { adjustmentsOn } from "./support/receipt-adjustments.ts";
import { parseReceiptId, paymentStateOf, receiptFor } from "./support/receipt-access.ts";

const RECEIPTS_PER_PAGE = 50;
const JOBS_PER_PAGE = 100;

const listQuery = z.object({ status: z.string().max(20).optional(), before: z.string().max(30).optional() });
const oneQuery = z.object({ after: z.string().max(1_000).optional(), corrections: z.string().max(30).optional() });

/** A researcher's receipts. */
/** @param options.takesPayments false where nobody can be sent anywhere to pay. */
export function receiptRoutes({ takesPayments }: { readonly takesPayments: boolean }): RouteModule {
  return (app, { db }) => {
    correctionRoute(app, db);

    app.get(
      "/me/receipts",
      { config: { access: "user" }, schema: { querystring: listQuery } },
      async (request, reply) => {
        const { username } = requireUser(request);
        const status = (["pending", "paid", "void"] as const).find((one) => one === request.query.status);
        const before = parseReceiptId(request.query.before);
        const [rows, open, paid, pending] = await Promise.all([
          listReceipts(db, { userName: username, status }, { limit: RECEIPTS_PER_PAGE + 1, before }),
          receiptTotals(db, { userName: username, status: "pending" }),
          receiptTotals(db, { userName: username, status: "paid" }),
          listReceipts(db, { userName: username, status: "pending" }, { limit: 2 }),
        ]);
        const row = (receipt: Receipt) => ({
          receipt,
          total: readerOf(request, receipt.currency).fmt.money(receipt.totalMinor),
        });
        const shown = rows.slice(0, RECEIPTS_PER_PAGE);
        const [only, another] = pending;
        return renderPage(
          reply,
          <ReceiptListPage
            frame={userFrame(request, "receipts")}
            fmt={readerOf(request).fmt}
            receipts={shown.map(row)}
            open={open}
            paid={paid}
            toPay={only === undefined || another !== undefined || !takesPayments ? null : row(only)}
            takesPayments={takesPayments}
            status={status ?? ""}
            isFirstPage={before === undefined}
            olderThan={rows.length > RECEIPTS_PER_PAGE ? (shown.at(-1)?.id ?? null) : null}
          />,
        );
      },
    );

    app.get(
      "/me/receipts/:id",
      { config: { access: "user" }, schema: { params: z.object({ id: z.string() }), querystring: oneQuery } },
      async (request, reply) => {
        const receipt = await receiptFor(request, db, request.params.id, { admins: "may" });
        const { username } = requireUser(request);
        const { t, fmt } = readerOf(request, receipt.currency);
        const { after, corrections } = request.query;
        const [lines, adjustments, payments, jobs] = await Promise.all([
          receiptLines(db, receipt.id),
          adjustmentsOn(db, receipt.id, { path: "/me/receipts", cursor: corrections }),
          paymentsOf(db, receipt.id),
          jobsOf(db, receipt, after),
        ]);
        const state = paymentStateOf(receipt, payments);
        const isOwn = receipt.status === "pending" && receipt.userName === username;
        const isPayable = isOwn && takesPayments;
        return renderPage(
          reply,
          <ReceiptPage
            frame={userFrame(request, "receipts")}
            fmt={fmt}
            receipt={receipt}
            lines={lines}
            adjustments={adjustments}
            hasRoundingNote={lines.some((line) => !isProduct(line, receipt.currency))}
            steps={storyOf({ t, fmt, receipt, payments, reader: username })}
            jobs={jobs}
            paysElsewhere={isOwn && !takesPayments}
            payHref={isPayable ? `/payments/receipt/${receipt.id}/start` : null}
            poll={
              state === "waiting" && isPayable ? { url: `/payments/status?rid=${receipt.id}`, status: state } : null
            }
          />,
        );
      },
    );
  };
}

/** Whether a line's amount is its quantity × rate, rounded once; the sum of its jobs' amounts need not be. */
function isProduct({ quantity, rateMicro, shareMillionths, amountMinor }: ReceiptLine, currency: string): boolean {
  return lineAmount(quantity, rateMicro, shareMillionths, currencyOf(currency)?.minorDigits ?? 2) === amountMinor;
}

async function jobsOf(db: WebContext["db"], receipt: Receipt, cursor: string | undefined): Promise<ReceiptJobs> {
  const after = decodeJobCursor(cursor);
  const items = await receiptItems(db, receipt.id, { limit: JOBS_PER_PAGE + 1, after });
  const shown = items.slice(0, JOBS_PER_PAGE);
  const last = shown.at(-1);
  const next =
    items.length > JOBS_PER_PAGE && last !== undefined
      ? `/me/receipts/${receipt.id}?after=${encodeJobCursor(last)}#jobs`
      : null;
  return {
    items: shown.map((item) => ({ ...item, href: jobPath(item) })),
    nextHref: next,
    isOpen: after !== undefined,
  };
}

import { z } from "zod";
import {
  listReceipts,
  receiptItems,
  receiptLines,
  receiptTotals,
  receivableTotals,
  type Receipt,
} from "../../billing/queries.ts";
import { beingProcessed, paymentsOf } from "../../payments/checkout.ts";
import { receiptQr, type PromptPaySite } from "../../payments/promptpay/receipt-qr.ts";
import { decodeJobCursor, encodeJobCursor } from "../../usage/queries/job-list.ts";
import { ReceiptListPage } from "../pages/receipts/list.tsx";
import { ReceiptPage, type ReceiptJobs } from "../pages/receipts/receipt.tsx";
import { storyOf } from "../pages/receipts/story.tsx";
import type { WebContext } from "../plugins/context.ts";
import { renderPage, requireUser, userFrame, type RouteModule } from "../route-kit.ts";
import { correctionRoute } from "./corrections.tsx";
import { jobPath } from "./support/job-view.ts";
import { isRounded } from "./support/line-rounding.ts";
import { moneyOf } from "./support/receipt-money.ts";
import { readerOf } from "./support/reader.ts";
import { adjustmentsOn } from "./support/receipt-adjustments.ts";
import { parseReceiptId, paymentStateOf, receiptFor } from "./support/receipt-access.ts";

const RECEIPTS_PER_PAGE = 50;
const JOBS_PER_PAGE = 100;

const listQuery = z.object({ status: z.string().max(20).optional(), before: z.string().max(30).optional() });
const oneQuery = z.object({ after: z.string().max(1_000).optional(), corrections: z.string().max(30).optional() });

export interface ReceiptDeps {
  /** False where nobody can be sent anywhere to pay. */
  readonly takesPayments: boolean;
  /** Null where receipts carry no PromptPay code. */
  readonly promptPay: PromptPaySite | null;
}

/** A researcher's receipts. */
export function receiptRoutes({ takesPayments, promptPay }: ReceiptDeps): RouteModule {
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
          receivableTotals(db, { userName: username }),
          receiptTotals(db, { userName: username, status: "paid" }),
          listReceipts(db, { userName: username, status: "pending" }, { limit: 2 }),
        ]);
        const processing = await beingProcessed(
          db,
          [...rows, ...pending].map(({ id }) => id),
        );
        const row = (receipt: Receipt) => ({
          receipt,
          canPay: receipt.status === "pending" && !processing.has(receipt.id),
          total: readerOf(request, receipt.currency).fmt.money(receipt.totalMinor),
          due: readerOf(request, receipt.currency).fmt.money(receipt.dueMinor),
        });
        const shown = rows.slice(0, RECEIPTS_PER_PAGE);
        const [only, another] = pending;
        const onlyOne = only === undefined || another !== undefined ? null : row(only);
        return renderPage(
          reply,
          <ReceiptListPage
            frame={userFrame(request, "receipts")}
            fmt={readerOf(request).fmt}
            receipts={shown.map(row)}
            open={open}
            paid={paid}
            toPay={onlyOne !== null && onlyOne.canPay && takesPayments ? onlyOne : null}
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
        const [lines, adjustments, payments, jobs, money] = await Promise.all([
          receiptLines(db, receipt.id),
          adjustmentsOn(db, receipt.id, { path: "/me/receipts", cursor: corrections }),
          paymentsOf(db, receipt.id),
          jobsOf(db, receipt, after),
          moneyOf(db, receipt),
        ]);
        const state = paymentStateOf(receipt, payments);
        const isOwn = receipt.status === "pending" && receipt.userName === username;
        // While the bank works on a payment, another one would be one too many.
        const canPay = isOwn && state !== "processing";
        const isPayable = canPay && takesPayments;
        return renderPage(
          reply,
          <ReceiptPage
            frame={userFrame(request, "receipts")}
            fmt={fmt}
            receipt={receipt}
            lines={lines}
            adjustments={adjustments}
            hasRoundingNote={lines.some((line) => isRounded(line, receipt.currency))}
            qr={canPay ? receiptQr(promptPay, receipt) : null}
            steps={storyOf({ t, fmt, receipt, payments, money, reader: username })}
            jobs={jobs}
            paysElsewhere={isOwn && !takesPayments && promptPay === null}
            payHref={isPayable ? `/payments/receipt/${receipt.id}/start` : null}
            poll={
              (state === "waiting" || state === "processing") && isOwn
                ? { url: `/payments/status?rid=${receipt.id}`, status: state }
                : null
            }
          />,
        );
      },
    );
  };
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

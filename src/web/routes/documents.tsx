/** Credit notes, and receipts and credit notes as PDF files in English and Thai. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { receiptAdjustments } from "../../billing/corrections.ts";
import { creditNoteJobs, creditNoteLines, findCreditNote, type CreditNote } from "../../billing/credit-note-queries.ts";
import { receiptLines } from "../../billing/queries.ts";
import { renderDocument } from "../../documents/pdf/render.ts";
import type { PaymentDocument } from "../../documents/pdf/payment-document.ts";
import { receiptQr, type PromptPaySite } from "../../payments/promptpay/receipt-qr.ts";
import type { SiteDays } from "../../usage/site-day.ts";
import { formatter } from "../format.ts";
import { translator, type Lang } from "../i18n/index.ts";
import { CreditNotePage } from "../pages/receipts/credit-note.tsx";
import { MessageError } from "../plugins/message-error.ts";
import { renderPage, requireUser, userFrame, type RouteModule, type WebContext } from "../route-kit.ts";
import { jobPath } from "./support/job-view.ts";
import { isRounded } from "./support/line-rounding.ts";
import { creditNoteDocument, receiptDocument, type DocumentReader } from "./support/payment-documents.ts";
import { readerOf } from "./support/reader.ts";
import { parseReceiptId, receiptFor } from "./support/receipt-access.ts";

const SHOWN_JOBS = 500;
/** A document is not a job list: what has more corrections has them on its page. */
const SHOWN_ADJUSTMENTS = 200;

const params = z.object({ id: z.string() });

export interface DocumentDeps {
  readonly days: SiteDays;
  readonly promptPay: PromptPaySite | null;
}

export function documentRoutes({ days, promptPay }: DocumentDeps): RouteModule {
  return (app, { db, config }) => {
    const access = { config: { access: "user" }, schema: { params } } as const;

    app.get("/me/credit-notes/:id", access, async (request, reply) => {
      const note = await creditNoteFor(request, db, request.params.id);
      const { fmt } = readerOf(request, note.currency);
      const [lines, jobs] = await Promise.all([creditNoteLines(db, note), creditNoteJobs(db, note.id, SHOWN_JOBS)]);
      return renderPage(
        reply,
        <CreditNotePage
          frame={userFrame(request, "receipts")}
          fmt={fmt}
          note={note}
          lines={lines}
          jobs={jobs.map((job) => ({ ...job, href: jobPath(job) }))}
        />,
      );
    });

    for (const [ending, lang] of [
      ["pdf", "en"],
      ["th.pdf", "th"],
    ] as const) {
      app.get(`/me/receipts/:id(^\\d+).${ending}`, access, async (request, reply) => {
        const receipt = await receiptFor(request, db, request.params.id, { admins: "may" });
        const [lines, adjustments] = await Promise.all([
          receiptLines(db, receipt.id),
          receiptAdjustments(db, receipt.id, { limit: SHOWN_ADJUSTMENTS + 1 }),
        ]);
        const document = receiptDocument(documentReader(lang, receipt.currency), {
          receipt,
          lines,
          adjustments: adjustments.slice(0, SHOWN_ADJUSTMENTS),
          hasMoreAdjustments: adjustments.length > SHOWN_ADJUSTMENTS,
          hasRoundingNote: lines.some((line) => isRounded(line, receipt.currency)),
          qr: receiptQr(promptPay, receipt),
        });
        return sendPdf(reply, document);
      });

      app.get(`/me/credit-notes/:id(^\\d+).${ending}`, access, async (request, reply) => {
        const note = await creditNoteFor(request, db, request.params.id);
        return sendPdf(
          reply,
          creditNoteDocument(documentReader(lang, note.currency), note, await creditNoteLines(db, note)),
        );
      });
    }

    function documentReader(lang: Lang, currency: string): DocumentReader {
      return {
        lang,
        t: translator(lang),
        fmt: formatter({ lang, timeZone: config.siteTz, currency }),
        siteName: config.siteName,
        days,
      };
    }
  };
}

/** A credit note for its owner or an admin; to anybody else it is as unknown as one that never was. */
async function creditNoteFor(request: FastifyRequest, db: WebContext["db"], idText: string): Promise<CreditNote> {
  const user = requireUser(request);
  const id = parseReceiptId(idText);
  const note = id === undefined ? undefined : await findCreditNote(db, id);
  if (note === undefined || (note.userName !== user.username && user.role !== "admin"))
    throw new MessageError("error.text.notFound", { status: 404 });
  return note;
}

async function sendPdf(reply: FastifyReply, document: PaymentDocument): Promise<FastifyReply> {
  const bytes = await renderDocument(document);
  const name = `${document.number}${document.lang === "th" ? ".th" : ""}.pdf`;
  return reply
    .type("application/pdf")
    .header("content-disposition", `inline; filename="${name}"`)
    .header("cache-control", "private, no-store")
    .send(Buffer.from(bytes));
}

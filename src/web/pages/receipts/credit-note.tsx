/** One credit note: what it gives back of which receipt, and why. */
import type { CreditNote, CreditNoteJob, CreditNoteLine } from "../../../billing/credit-note-queries.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { UserShell, type SignedInFrame } from "../layout.tsx";
import { resourceText, taxText } from "../me/words.ts";
import { DataTable, LinkButton, Notice, Pill, Terms, TwoLines, type FootRow } from "../ui/index.ts";

export interface CreditNotePageProps {
  readonly frame: SignedInFrame;
  readonly fmt: Formatter;
  readonly note: CreditNote;
  readonly lines: readonly CreditNoteLine[];
  readonly jobs: readonly (CreditNoteJob & { readonly href: string })[];
}

export function CreditNotePage({ frame, fmt, note, lines, jobs }: CreditNotePageProps) {
  const { t } = frame;
  const { number, receiptNumber, receiptId } = note;
  return (
    <UserShell
      frame={frame}
      title={t("creditNote.title", { number })}
      badge={<Pill tone="neutral">{t("creditNote.pill")}</Pill>}
      subtitle={t("creditNote.subtitle", { receipt: receiptNumber, time: fmt.dateTime(note.issuedAt) })}
      actions={
        <>
          <PdfLinks t={t} path={`/me/credit-notes/${note.id}`} />
          <LinkButton href={`/me/receipts/${receiptId}`} icon="back">
            {t("creditNote.back")}
          </LinkButton>
        </>
      }
    >
      {note.releasesJobs ? (
        <Notice kind="info" t={t}>
          {t("creditNote.released")}
        </Notice>
      ) : null}
      <section class="panel receipt" aria-label={t("creditNote.title", { number })}>
        <Terms
          terms={[
            { term: t("receipts.billedTo"), value: note.userName },
            {
              term: t("creditNote.of"),
              value: <a href={`/me/receipts/${receiptId}`}>{receiptNumber}</a>,
            },
            { term: t("creditNote.reason"), value: note.reason },
          ]}
        />
        <DataTable<CreditNoteLine>
          caption={t("creditNote.line")}
          rows={lines}
          columns={[
            { key: "what", header: t("creditNote.line"), cell: (line) => creditLineText(t, line) },
            {
              key: "amount",
              header: t("receipts.amount"),
              align: "end",
              nowrap: true,
              cell: ({ amountMinor }) => fmt.money(-amountMinor),
            },
          ]}
          foot={footOf(t, fmt, note)}
        />
        {jobs.length === 0 ? null : (
          <DataTable<CreditNotePageProps["jobs"][number]>
            caption={t("creditNote.jobs")}
            rows={jobs}
            columns={[
              {
                key: "job",
                header: t("creditNote.jobs"),
                cell: ({ href, jobId, jobName }) => <TwoLines main={<a href={href}>{jobId}</a>} note={jobName} />,
              },
              {
                key: "amount",
                header: t("receipts.amount"),
                align: "end",
                nowrap: true,
                cell: ({ amountMinor }) => fmt.money(-amountMinor),
              },
            ]}
          />
        )}
      </section>
    </UserShell>
  );
}

/** A line of a credit note by the name of the receipt's line. */
export function creditLineText(t: Translator, { resource, gpuType }: CreditNoteLine): string {
  return resource === null ? t("creditNote.other") : resourceText(t, resource, gpuType);
}

/** A document as a file, in the reader's language and in the other one. */
export function PdfLinks({ t, path }: { readonly t: Translator; readonly path: string }) {
  return (
    <>
      <LinkButton href={`${path}.pdf`} icon="download">
        {t("document.pdf")}
      </LinkButton>
      <LinkButton href={`${path}.th.pdf`} icon="download">
        {t("document.pdfThai")}
      </LinkButton>
    </>
  );
}

function footOf(t: Translator, fmt: Formatter, note: CreditNote): FootRow[] {
  const total: FootRow = {
    look: "total",
    cells: { what: t("creditNote.total"), amount: fmt.money(-note.totalMinor) },
  };
  if (note.taxLabel === null || note.taxRateMicro === null) return [total];
  const tax = taxText(fmt, note.taxLabel, note.taxRateMicro);
  const row = (what: string, minor: bigint): FootRow => ({ look: "plain", cells: { what, amount: fmt.money(-minor) } });
  return note.taxInclusive
    ? [total, row(t("receipts.taxIncluded", { tax }), note.taxMinor)]
    : [row(t("receipts.subtotal"), note.subtotalMinor), row(tax, note.taxMinor), total];
}

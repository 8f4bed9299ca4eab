/** Receipts and credit notes as documents: the words and numbers that their pages show. */
import type { CreditNote, CreditNoteLine } from "../../../billing/credit-note-queries.ts";
import type { Adjustment } from "../../../billing/corrections.ts";
import type { Receipt, ReceiptLine } from "../../../billing/queries.ts";
import type {
  DocumentSum,
  DocumentTable,
  PaymentDocument,
  StateLook,
} from "../../../documents/pdf/payment-document.ts";
import { qrPath } from "../../../payments/promptpay/qr-svg.ts";
import type { ReceiptQr } from "../../../payments/promptpay/receipt-qr.ts";
import type { SiteDays } from "../../../usage/site-day.ts";
import type { Lang } from "../../i18n/index.ts";
import { quantityText, rateText, resourceText, taxText, tierLongText, tierText } from "../../pages/me/words.ts";
import { creditLineText } from "../../pages/receipts/credit-note.tsx";
import { receiptSubtitle } from "../../pages/receipts/receipt.tsx";
import type { Reader } from "./reader.ts";

export interface DocumentReader extends Reader {
  readonly lang: Lang;
  readonly siteName: string;
  readonly days: SiteDays;
}

const STATES = {
  pending: ["receiptState.pending", "waiting"],
  paid: ["receiptState.paid", "good"],
  void: ["receiptState.void", "bad"],
} as const satisfies Readonly<Record<Receipt["status"], readonly [string, StateLook]>>;

export interface ReceiptContent {
  readonly receipt: Receipt;
  readonly lines: readonly ReceiptLine[];
  /** The first of them, at most as many as a document shows. */
  readonly adjustments: readonly Adjustment[];
  readonly hasMoreAdjustments: boolean;
  readonly hasRoundingNote: boolean;
  readonly qr: ReceiptQr | null;
}

export function receiptDocument(reader: DocumentReader, content: ReceiptContent): PaymentDocument {
  const { t, fmt, lang, siteName } = reader;
  const { receipt, qr } = content;
  const [word, look] = STATES[receipt.status];
  return {
    lang,
    site: siteName,
    number: receipt.number,
    title: t("receipts.titleOne", { number: receipt.number }),
    subtitle: receiptSubtitle(t, fmt, receipt),
    state: { word: t(word), look },
    issuedOn: dayOf(reader, receipt.issuedAt),
    facts: [
      { label: t("receipts.billedTo"), value: receipt.userName, note: receipt.accounts },
      {
        label: t("receipts.tier"),
        value: tierLongText(t, receipt.tier),
        note: t("receipts.ratesKept", { day: fmt.dateLong(receipt.issuedAt) }),
      },
    ],
    tables: [...adjustmentTables(reader, content), lineTable(reader, content)],
    sums: [...receiptSums(reader, receipt), ...settlementSums(reader, receipt)],
    ...(qr !== null && { payment: paymentBox(reader, qr) }),
    notes: [
      ...(content.hasRoundingNote ? [t("receipts.roundingNote")] : []),
      ...(content.hasMoreAdjustments ? [t("document.moreCorrections", { count: content.adjustments.length })] : []),
      ...(receipt.status === "void" ? [t("receipts.voidNoticeHint", { reason: receipt.voidReason ?? "" })] : []),
    ],
    footer: t("document.footer", { site: siteName, number: receipt.number }),
  };
}

function dayOf({ days }: DocumentReader, at: Date): string {
  return days.dayOf(Math.floor(at.getTime() / 1000));
}

function lineTable({ t, fmt }: DocumentReader, { lines, receipt }: ReceiptContent): DocumentTable {
  return {
    columns: [
      { header: t("receipts.resource"), align: "start" },
      { header: t("receipts.quantity"), align: "end" },
      { header: t("receipts.rate"), align: "end" },
      { header: t("receipts.amount"), align: "end" },
    ],
    rows: lines.map((line) => {
      const name = resourceText(t, line.resource, line.gpuType);
      return [
        line.tier === receipt.tier ? name : `${name} (${tierText(t, line.tier)})`,
        quantityText(t, fmt, line.resource, line.quantity),
        rateText(fmt, line.rateMicro, line.shareMillionths),
        fmt.money(line.amountMinor),
      ];
    }),
  };
}

function adjustmentTables({ t, fmt }: DocumentReader, { adjustments }: ReceiptContent): DocumentTable[] {
  if (adjustments.length === 0) return [];
  return [
    {
      title: t("corrections.about"),
      columns: [
        { header: t("corrections.job"), align: "start" },
        { header: t("corrections.original"), align: "start" },
        { header: t("corrections.billed"), align: "end" },
        { header: t("corrections.correct"), align: "end" },
        { header: t("corrections.amount"), align: "end" },
      ],
      rows: adjustments.map((one) => [
        [one.jobId, one.jobName].filter((part) => part !== "").join("\n"),
        one.originalNumber,
        fmt.money(one.billedMinor),
        fmt.money(one.correctMinor),
        fmt.money(one.amountMinor),
      ]),
    },
  ];
}

function receiptSums({ t, fmt }: DocumentReader, receipt: Receipt): DocumentSum[] {
  const total: DocumentSum = { label: t("receipts.total"), value: fmt.money(receipt.totalMinor), look: "total" };
  const corrections: DocumentSum[] =
    receipt.adjustmentsMinor === 0n
      ? []
      : [{ label: t("corrections.about"), value: fmt.money(receipt.adjustmentsMinor), look: "plain" }];
  if (receipt.taxLabel === null || receipt.taxRateMicro === null) return [...corrections, total];
  const tax = taxText(fmt, receipt.taxLabel, receipt.taxRateMicro);
  const amount = fmt.money(receipt.taxMinor);
  if (receipt.taxInclusive)
    return [...corrections, total, { label: t("receipts.taxIncluded", { tax }), value: amount, look: "plain" }];
  return [
    ...corrections,
    { label: t("receipts.subtotal"), value: fmt.money(receipt.subtotalMinor), look: "plain" },
    { label: tax, value: amount, look: "plain" },
    total,
  ];
}

function settlementSums({ t, fmt }: DocumentReader, receipt: Receipt): DocumentSum[] {
  const { creditedMinor, receivedMinor, dueMinor } = receipt;
  const row = (label: string, minor: bigint): DocumentSum => ({ label, value: fmt.money(minor), look: "plain" });
  if (creditedMinor === 0n && receivedMinor === 0n) return [];
  return [
    ...(creditedMinor === 0n ? [] : [row(t("receipts.creditedRow"), -creditedMinor)]),
    ...(receivedMinor === 0n ? [] : [row(t("receipts.receivedRow"), -receivedMinor)]),
    {
      label: dueMinor < 0n ? t("receipts.owedBackRow") : t("receipts.dueRow"),
      value: fmt.money(dueMinor < 0n ? -dueMinor : dueMinor),
      look: "strong",
    },
  ];
}

function paymentBox({ t, fmt }: DocumentReader, qr: ReceiptQr): NonNullable<PaymentDocument["payment"]> {
  const amount = fmt.money(qr.amountMinor);
  return {
    title: t("promptpay.title"),
    lines: [
      t("promptpay.how"),
      `${t("promptpay.to")}: ${qr.name}`,
      `${t("promptpay.amount")}: ${amount}`,
      t("promptpay.when"),
    ],
    reference: { label: t("promptpay.reference"), value: qr.reference },
    // The document adds the white border itself.
    qr: { ...qrPath(qr.payload, { quietZone: 0 }), description: t("promptpay.code", { amount }) },
  };
}

export function creditNoteDocument(
  reader: DocumentReader,
  note: CreditNote,
  lines: readonly CreditNoteLine[],
): PaymentDocument {
  const { t, fmt, lang, siteName } = reader;
  const { number, receiptNumber } = note;
  return {
    lang,
    site: siteName,
    number,
    title: t("creditNote.title", { number }),
    subtitle: t("creditNote.subtitlePlain", { receipt: receiptNumber, time: fmt.dateTime(note.issuedAt) }),
    state: { word: t("creditNote.pill"), look: "plain" },
    issuedOn: dayOf(reader, note.issuedAt),
    facts: [
      { label: t("receipts.billedTo"), value: note.userName },
      { label: t("creditNote.of"), value: receiptNumber },
      { label: t("creditNote.reason"), value: note.reason },
    ],
    tables: [
      {
        columns: [
          { header: t("creditNote.line"), align: "start" },
          { header: t("receipts.amount"), align: "end" },
        ],
        rows: lines.map((line) => [creditLineText(t, line), fmt.money(-line.amountMinor)]),
      },
    ],
    sums: creditNoteSums(reader, note),
    notes: note.releasesJobs ? [t("creditNote.released")] : [],
    footer: t("document.footer", { site: siteName, number }),
  };
}

function creditNoteSums({ t, fmt }: DocumentReader, note: CreditNote): DocumentSum[] {
  const total: DocumentSum = { label: t("creditNote.total"), value: fmt.money(-note.totalMinor), look: "total" };
  if (note.taxLabel === null || note.taxRateMicro === null) return [total];
  const tax = taxText(fmt, note.taxLabel, note.taxRateMicro);
  const row = (label: string, minor: bigint): DocumentSum => ({ label, value: fmt.money(-minor), look: "plain" });
  return note.taxInclusive
    ? [total, row(t("receipts.taxIncluded", { tax }), note.taxMinor)]
    : [row(t("receipts.subtotal"), note.subtotalMinor), row(tax, note.taxMinor), total];
}

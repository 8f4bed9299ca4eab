/** One receipt: what it asks for, line by line, and what happened to it. */
import type { ComponentChildren } from "preact";
import type { Receipt, ReceiptItem, ReceiptLine } from "../../../billing/queries.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { Adjustments, adjustmentsRow, type ReceiptAdjustments } from "./adjustments.tsx";
import type { ReceiptQr } from "../../../payments/promptpay/receipt-qr.ts";
import { UserShell, type SignedInFrame } from "../layout.tsx";
import { PdfLinks } from "./credit-note.tsx";
import { PromptPay } from "./promptpay.tsx";
import { When } from "../me/when.tsx";
import { quantityText, rateText, resourceText, taxText, tierLongText, tierText } from "../me/words.ts";
import {
  Columns,
  DataTable,
  Disclosure,
  JobStatePill,
  LinkButton,
  Notice,
  Panel,
  ReceiptPill,
  Terms,
  Timeline,
  TwoLines,
  type FootRow,
  type TimelineStep,
} from "../ui/index.ts";

export interface ReceiptJobs {
  readonly items: readonly (ReceiptItem & { readonly href: string })[];
  /** Place of the first of them, counted from 1; null when it is not known. */
  readonly nextHref: string | null;
  /** They were asked for: shown at once. */
  readonly isOpen: boolean;
}

export interface ReceiptPageProps {
  readonly frame: SignedInFrame;
  readonly fmt: Formatter;
  readonly receipt: Receipt;
  readonly lines: readonly ReceiptLine[];
  readonly adjustments: ReceiptAdjustments;
  /** Some line's amount is not its quantity × rate, to the last digit. */
  readonly hasRoundingNote: boolean;
  readonly steps: readonly TimelineStep[];
  readonly jobs: ReceiptJobs;
  /** To pay it by a bank's app; null for whoever cannot. */
  readonly qr: ReceiptQr | null;
  /** Where to pay it; null for whoever cannot. */
  readonly payHref: string | null;
  /** True for the owner of a receipt that cannot be paid on this site. */
  readonly paysElsewhere: boolean;
  /** Asked until what the page shows has changed. */
  readonly poll: { readonly url: string; readonly status: string } | null;
}

export function ReceiptPage(props: ReceiptPageProps) {
  const { frame, fmt, receipt, payHref, poll, steps } = props;
  const { t } = frame;
  return (
    <UserShell
      frame={frame}
      title={t("receipts.titleOne", { number: receipt.number })}
      badge={<ReceiptPill state={receipt.status} t={t} />}
      subtitle={receiptSubtitle(t, fmt, receipt)}
      actions={
        <>
          <PdfLinks t={t} path={`/me/receipts/${receipt.id}`} />
          <button type="button" class="button button-secondary needs-script" data-print>
            {t("receipts.print")}
          </button>
          {payHref === null ? null : (
            <LinkButton kind="primary" href={payHref}>
              {t("receipts.pay", { amount: fmt.money(receipt.dueMinor) })}
            </LinkButton>
          )}
        </>
      }
    >
      {props.paysElsewhere ? (
        <Notice kind="info" t={t} title={t("receipts.payElsewhere")}>
          {t("receipts.payElsewhereHow", { number: receipt.number })}
        </Notice>
      ) : null}
      {receipt.status === "void" ? (
        <Notice kind="warning" t={t} title={t("receipts.voidNotice")}>
          {t("receipts.voidNoticeHint", { reason: receipt.voidReason ?? "" })}
        </Notice>
      ) : null}
      <Columns
        main={
          <>
            <Document {...props} />
            {props.qr === null ? null : <PromptPay t={t} fmt={fmt} qr={props.qr} />}
          </>
        }
        aside={
          <Panel title={t("receipts.story")} id="story">
            {poll === null ? null : <div data-poll-url={poll.url} data-poll-status={poll.status} />}
            <Timeline t={t} steps={steps} />
          </Panel>
        }
      />
    </UserShell>
  );
}

/** What the receipt is about, and when it was issued. */
export function receiptSubtitle(t: Translator, fmt: Formatter, { jobs, cutoffDay, issuedAt }: Receipt): string {
  const time = fmt.dateTime(issuedAt);
  if (jobs === 0n) return t("corrections.subtitleOnly", { time });
  return t("receipts.subtitle", { count: Number(jobs), day: fmt.dateLong(cutoffDay), time });
}

function Document({ frame, fmt, receipt, lines, adjustments, hasRoundingNote, jobs }: ReceiptPageProps) {
  const { t } = frame;
  return (
    <section class="panel receipt" aria-label={t("receipts.titleOne", { number: receipt.number })}>
      <Terms
        terms={[
          { term: t("receipts.billedTo"), value: receipt.userName, note: receipt.accounts },
          {
            term: t("receipts.tier"),
            value: tierLongText(t, receipt.tier),
            note: <span class="small second">{t("receipts.ratesKept", { day: fmt.dateLong(receipt.issuedAt) })}</span>,
          },
        ]}
      />
      <Adjustments t={t} fmt={fmt} adjustments={adjustments} receiptsPath="/me/receipts" />
      <Lines t={t} fmt={fmt} receipt={receipt} lines={lines} adjustments={adjustments} />
      {hasRoundingNote ? <p class="small second receipt-note">{t("receipts.roundingNote")}</p> : null}
      {receipt.jobs === 0n ? null : (
        <div class="panel-foot no-print">
          <Jobs t={t} fmt={fmt} receipt={receipt} jobs={jobs} />
        </div>
      )}
    </section>
  );
}

function Lines({
  t,
  fmt,
  receipt,
  lines,
  adjustments,
}: {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly receipt: Receipt;
  readonly lines: readonly ReceiptLine[];
  readonly adjustments: ReceiptAdjustments;
}) {
  // Jobs on accounts of another tier stand on lines of their own.
  const resource = (line: ReceiptLine): string => {
    const name = resourceText(t, line.resource, line.gpuType);
    return line.tier === receipt.tier ? name : `${name} (${tierText(t, line.tier)})`;
  };
  return (
    <DataTable<ReceiptLine>
      caption={t("receipts.lines")}
      rows={lines}
      columns={[
        { key: "resource", header: t("receipts.resource"), cell: resource },
        {
          key: "quantity",
          header: t("receipts.quantity"),
          align: "end",
          nowrap: true,
          cell: (line) => quantityText(t, fmt, line.resource, line.quantity),
        },
        {
          key: "rate",
          header: t("receipts.rate"),
          align: "end",
          nowrap: true,
          cell: (line) => rateText(fmt, line.rateMicro, line.shareMillionths),
        },
        {
          key: "amount",
          header: t("receipts.amount"),
          align: "end",
          nowrap: true,
          cell: (line) => fmt.money(line.amountMinor),
        },
      ]}
      foot={[
        ...adjustmentsRow({ t, fmt, adjustments }, receipt),
        ...sums(t, fmt, receipt),
        ...settlement(t, fmt, receipt),
      ]}
    />
  );
}

function sums(t: Translator, fmt: Formatter, receipt: Receipt): FootRow[] {
  const total: FootRow = {
    look: "total",
    cells: { resource: t("receipts.total"), amount: fmt.money(receipt.totalMinor) },
  };
  if (receipt.taxLabel === null || receipt.taxRateMicro === null) return [total];
  const tax = taxText(fmt, receipt.taxLabel, receipt.taxRateMicro);
  if (receipt.taxInclusive) {
    return [
      total,
      { look: "plain", cells: { resource: t("receipts.taxIncluded", { tax }), amount: fmt.money(receipt.taxMinor) } },
    ];
  }
  return [
    { cells: { resource: t("receipts.subtotal"), amount: fmt.money(receipt.subtotalMinor) } },
    { look: "plain", cells: { resource: tax, amount: fmt.money(receipt.taxMinor) } },
    total,
  ];
}

/** What is left of the total, where it is not all or nothing. */
function settlement(t: Translator, fmt: Formatter, receipt: Receipt): FootRow[] {
  const { creditedMinor, receivedMinor, dueMinor, status } = receipt;
  if (creditedMinor === 0n && (status === "paid" ? dueMinor === 0n : receivedMinor === 0n)) return [];
  const row = (resource: string, minor: bigint): FootRow => ({
    look: "plain",
    cells: { resource, amount: fmt.money(minor) },
  });
  return [
    ...(creditedMinor === 0n ? [] : [row(t("receipts.creditedRow"), -creditedMinor)]),
    ...(receivedMinor === 0n ? [] : [row(t("receipts.receivedRow"), -receivedMinor)]),
    {
      look: "total",
      cells: {
        resource: dueMinor < 0n ? t("receipts.owedBackRow") : t("receipts.dueRow"),
        amount: fmt.money(dueMinor < 0n ? -dueMinor : dueMinor),
      },
    },
  ];
}

function Jobs({
  t,
  fmt,
  receipt,
  jobs,
}: {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly receipt: Receipt;
  readonly jobs: ReceiptJobs;
}) {
  type Item = ReceiptJobs["items"][number];
  return (
    <div id="jobs">
      <Disclosure
        summary={t("receipts.showJobs", { count: Number(receipt.jobs) })}
        {...(jobs.isOpen && { open: true })}
      >
        <div class="receipt-jobs">
          <DataTable<Item>
            caption={t("receipts.jobs")}
            rows={jobs.items}
            columns={[
              {
                key: "job",
                header: t("job.id"),
                cell: (item) => (
                  <TwoLines
                    main={<a href={item.href}>{item.jobId}</a>}
                    note={[item.jobName, item.account].filter((part) => part !== "").join(" · ")}
                  />
                ),
              },
              {
                key: "ended",
                header: t("job.ended"),
                nowrap: true,
                cell: (item) => <When at={new Date(item.endAt * 1000)} fmt={fmt} />,
              },
              {
                key: "state",
                header: t("job.state"),
                phone: "bare",
                cell: (item) => <JobStatePill state={item.state} t={t} />,
              },
              {
                key: "elapsed",
                header: t("job.elapsed"),
                align: "end",
                cell: (item) => fmt.duration(item.elapsedSeconds),
              },
              {
                key: "amount",
                header: t("receipts.amount"),
                align: "end",
                cell: (item) => <ItemAmount t={t} fmt={fmt} item={item} />,
              },
            ]}
          />
          {jobs.nextHref === null ? null : (
            <div class="actions">
              <LinkButton size="small" href={jobs.nextHref} rel="next">
                {t("receipts.moreJobs")}
              </LinkButton>
            </div>
          )}
        </div>
      </Disclosure>
    </div>
  );
}

function ItemAmount({ t, fmt, item }: { readonly t: Translator; readonly fmt: Formatter; readonly item: ReceiptItem }) {
  const why: ComponentChildren =
    item.chargeKind === "free"
      ? t("receipts.free", { reason: item.freeReason ?? "" })
      : item.chargeKind === "nothing"
        ? t("receipts.nothing")
        : null;
  const amount = fmt.money(item.costMinor);
  return why === null ? <>{amount}</> : <TwoLines main={amount} note={why} />;
}

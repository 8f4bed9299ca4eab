/** One receipt, as those who run the centre see it: what it is made of and what the provider said about it. */
import type { Receipt, ReceiptLine } from "../../../billing/queries.ts";
import type { Payment } from "../../../payments/checkout.ts";
import type { RecordedEvent } from "../../../payments/events.ts";
import { AdminShell } from "../layout.tsx";
import { quantityText, rateText, resourceText, taxText } from "../me/words.ts";
import { Adjustments, adjustmentsRow, type ReceiptAdjustments } from "../receipts/adjustments.tsx";
import type { MoneyOptions, ReceiptMoney } from "../receipts/money-model.ts";
import { receiptSubtitle } from "../receipts/receipt.tsx";
import {
  Columns,
  DataTable,
  LinkButton,
  Notice,
  Panel,
  Pill,
  ReceiptPill,
  Terms,
  Timeline,
  TwoLines,
  type FootRow,
  type TimelineStep,
  type Tone,
} from "../ui/index.ts";
import { Instant } from "./parts.tsx";
import { MoneyPanels } from "./receipt-money.tsx";
import { VERDICT_WORDS } from "./verdict-words.ts";
import { hrefOf, sectionHref, tierName, type AdminView } from "./view.ts";

export interface ReceiptPageProps {
  readonly view: AdminView;
  readonly receipt: Receipt;
  readonly lines: readonly ReceiptLine[];
  readonly adjustments: ReceiptAdjustments;
  readonly payments: readonly Payment[];
  readonly events: readonly RecordedEvent[];
  readonly money: ReceiptMoney;
  readonly options: MoneyOptions;
  readonly notice: ReceiptNotice | undefined;
}

const NOTICES = {
  created: "billing.doneCreated",
  paid: "billing.donePaid",
  part: "money.donePart",
  void: "billing.doneVoid",
  revert: "money.doneRevert",
  credit: "money.doneCredit",
  refund: "money.doneRefund",
  move: "money.doneMove",
} as const;

export type ReceiptNotice = keyof typeof NOTICES;

export function ReceiptPage(props: ReceiptPageProps) {
  const { view, receipt, notice } = props;
  const { t, fmt, frame } = view;
  return (
    <AdminShell
      frame={frame}
      title={t("receipts.titleOne", { number: receipt.number })}
      badge={<ReceiptPill state={receipt.status} t={t} />}
      subtitle={receiptSubtitle(t, fmt, receipt)}
      actions={<Actions {...props} />}
    >
      {notice === undefined ? null : (
        <Notice kind="good" t={t}>
          {t(NOTICES[notice])}
        </Notice>
      )}
      <Columns main={<Document {...props} />} aside={<Story {...props} />} />
      <MoneyPanels {...props} />
      <Payments {...props} />
    </AdminShell>
  );
}

function Actions({ view: { t }, receipt, options }: ReceiptPageProps) {
  const path = `/admin/receipts/${receipt.id}`;
  const owesBack = options.freeCreditMinor > 0n;
  return (
    <>
      {receipt.status === "pending" ? (
        <LinkButton kind="primary" href={`${path}/paid`}>
          {t("billing.markPaid")}
        </LinkButton>
      ) : null}
      {owesBack ? (
        <>
          <LinkButton kind="primary" href={`${path}/refund`}>
            {t("money.act.refund")}
          </LinkButton>
          <LinkButton href={`${path}/move`}>{t("money.act.move")}</LinkButton>
        </>
      ) : null}
      {options.canVoid ? <LinkButton href={`${path}/void`}>{t("billing.void")}</LinkButton> : null}
      {options.creditable === null ? null : <LinkButton href={`${path}/credit`}>{t("money.act.credit")}</LinkButton>}
      {options.revertible === undefined ? null : (
        <LinkButton href={`${path}/revert`}>{t("money.act.revert")}</LinkButton>
      )}
      <LinkButton href={`/me/receipts/${receipt.id}`}>{t("billing.openAsUser")}</LinkButton>
      <LinkButton href={sectionHref("billing")} icon="back">
        {t("billing.receiptBack")}
      </LinkButton>
    </>
  );
}

function Document({ view, receipt, lines, adjustments }: ReceiptPageProps) {
  const { t, fmt } = view;
  return (
    <section class="panel">
      <Terms
        terms={[
          {
            term: t("billing.owner"),
            value: <a href={sectionHref("billing", { user: receipt.userName })}>{receipt.userName}</a>,
            note: receipt.accounts,
          },
          {
            term: t("billing.tier"),
            value: tierName(receipt.tier, t),
            note: <span class="small second">{t("receipts.ratesKept", { day: fmt.dateLong(receipt.issuedAt) })}</span>,
          },
        ]}
      />
      <Adjustments t={t} fmt={fmt} adjustments={adjustments} receiptsPath="/admin/receipts" />
      <DataTable<ReceiptLine>
        caption={t("billing.calculation")}
        rows={lines}
        columns={[
          {
            key: "resource",
            header: t("why.resource"),
            cell: ({ resource, gpuType }) => resourceText(t, resource, gpuType),
          },
          {
            key: "quantity",
            header: t("billing.quantity"),
            align: "end",
            cell: ({ resource, quantity }) => quantityText(t, fmt, resource, quantity),
          },
          {
            key: "rate",
            header: t("billing.rate"),
            align: "end",
            cell: ({ rateMicro, shareMillionths }) => rateText(fmt, rateMicro, shareMillionths),
          },
          {
            key: "amount",
            header: t("billing.amount"),
            align: "end",
            cell: ({ amountMinor }) => fmt.money(amountMinor),
          },
        ]}
        foot={[...adjustmentsRow({ t, fmt, adjustments }, receipt), ...footOf(view, receipt)]}
      />
    </section>
  );
}

function footOf({ t, fmt }: AdminView, receipt: Receipt): FootRow[] {
  const total: FootRow = {
    look: "total",
    cells: { resource: t("billing.sum"), amount: fmt.money(receipt.totalMinor) },
  };
  if (receipt.taxLabel === null) return [total];
  const tax = taxText(fmt, receipt.taxLabel, receipt.taxRateMicro ?? 0n);
  const taxRow: FootRow = {
    look: "plain",
    cells: {
      resource: receipt.taxInclusive ? t("billing.taxIncluded", { tax }) : tax,
      amount: fmt.money(receipt.taxMinor),
    },
  };
  if (receipt.taxInclusive) return [total, taxRow];
  return [{ cells: { resource: t("billing.subtotal"), amount: fmt.money(receipt.subtotalMinor) } }, taxRow, total];
}

function Story({ view, receipt }: ReceiptPageProps) {
  const { t } = view;
  const note = (at: Date, text: string) => (
    <>
      <Instant view={view} at={at} /> {text}
    </>
  );
  const steps: TimelineStep[] = [
    {
      state: "done",
      title: t("billing.stepIssued"),
      note: note(receipt.issuedAt, t("billing.by", { who: receipt.issuedBy })),
    },
  ];
  if (receipt.paidAt !== null)
    steps.push({ state: "done", title: t("billing.stepPaid"), note: note(receipt.paidAt, paidText(view, receipt)) });
  else if (receipt.voidedAt !== null)
    steps.push({
      state: "failed",
      title: t("billing.stepVoid"),
      note: note(receipt.voidedAt, `${t("billing.by", { who: receipt.voidedBy ?? "" })}: ${receipt.voidReason ?? ""}`),
    });
  else steps.push({ state: "current", title: t("billing.stepWaiting") });
  return (
    <Panel
      id="story"
      title={t("billing.whatHappened")}
      foot={<a href={hrefOf("/admin/audit", { subject: `receipt:${receipt.number}` })}>{t("billing.auditTrail")}</a>}
    >
      <Timeline t={t} steps={steps} />
    </Panel>
  );
}

function paidText({ t }: AdminView, { paidMethod, paidReference }: Receipt): string {
  if (paidMethod === "nothing_to_pay") return t("billing.nothingToPay");
  const reference = paidReference ?? "–";
  if (paidMethod === "manual") return t("billing.methodManual", { reference });
  if (paidMethod === "credit_note") return t("billing.methodCredit", { reference });
  if (paidMethod === "transfer") return t("billing.methodTransfer", { reference });
  if (paidMethod === "moved_in") return t("billing.methodMoved", { reference });
  return t("billing.method", { method: paidMethod ?? "–", reference: paidReference ?? "–" });
}

const PAYMENT_WORDS = {
  pending: ["billing.payment.pending", "waiting"],
  processing: ["billing.payment.processing", "waiting"],
  expired: ["billing.payment.expired", "neutral"],
  succeeded: ["billing.payment.succeeded", "good"],
  failed: ["billing.payment.failed", "bad"],
  canceled: ["billing.payment.canceled", "neutral"],
} as const satisfies Record<Payment["status"], readonly [string, Tone]>;

function Payments({ view, payments, events }: ReceiptPageProps) {
  const { t, fmt } = view;
  return (
    <>
      <Panel id="payments" title={t("billing.payments")} body="flush">
        {payments.length === 0 ? (
          <p class="second panel-text">{t("billing.paymentsNone")}</p>
        ) : (
          <DataTable<Payment>
            caption={t("billing.payments")}
            rows={payments}
            columns={[
              {
                key: "id",
                header: t("billing.paymentId"),
                cell: ({ externalPaymentId, provider }) => <TwoLines main={externalPaymentId} note={provider} />,
              },
              {
                key: "started",
                header: t("billing.started"),
                nowrap: true,
                cell: ({ createdAt }) => <Instant view={view} at={createdAt} />,
              },
              {
                key: "state",
                header: t("billing.status"),
                phone: "bare",
                cell: ({ status }) => {
                  const [key, tone] = PAYMENT_WORDS[status];
                  return <Pill tone={tone}>{t(key)}</Pill>;
                },
              },
              {
                key: "amount",
                header: t("billing.amount"),
                align: "end",
                cell: ({ amountMinor }) => fmt.money(amountMinor),
              },
            ]}
          />
        )}
      </Panel>
      <Panel id="events" title={t("billing.events")} body="flush">
        {events.length === 0 ? (
          <p class="second panel-text">{t("billing.eventsNone")}</p>
        ) : (
          <DataTable<RecordedEvent>
            caption={t("billing.events")}
            rows={events}
            columns={[
              {
                key: "received",
                header: t("billing.received"),
                nowrap: true,
                cell: ({ receivedAt }) => <Instant view={view} at={receivedAt} />,
              },
              {
                key: "event",
                header: t("billing.event"),
                cell: ({ eventType, externalPaymentId }) => (
                  <TwoLines main={eventType ?? "–"} note={externalPaymentId ?? ""} />
                ),
              },
              {
                key: "verdict",
                header: t("billing.verdict"),
                cell: ({ verdict }) => {
                  const [key, tone] = VERDICT_WORDS[verdict];
                  return <Pill tone={tone}>{t(key)}</Pill>;
                },
              },
              { key: "reason", header: t("billing.reason"), phone: "bare", cell: ({ reason }) => reason },
            ]}
          />
        )}
      </Panel>
    </>
  );
}

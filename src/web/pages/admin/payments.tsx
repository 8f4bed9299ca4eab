/** Does any money need somebody? What is owed back, transfers to match, events that could not be settled. */
import type { Receipt } from "../../../billing/queries.ts";
import type { StoredBankLine, StoredStatement } from "../../../payments/bank-queries.ts";
import type { KeptDelivery } from "../../../payments/dead-letters.ts";
import type { Dispute } from "../../../payments/disputes.ts";
import type { Translator } from "../../i18n/index.ts";
import { AdminShell } from "../layout.tsx";
import {
  AnswerPanel,
  Button,
  CsrfField,
  DataTable,
  Field,
  FigureGrid,
  KeyFigure,
  Notice,
  Panel,
  Pill,
  TwoLines,
} from "../ui/index.ts";
import { Instant } from "./parts.tsx";
import { sectionHref, type AdminView } from "./view.ts";

export interface PaymentsPageProps {
  readonly view: AdminView;
  readonly overpaid: { readonly receipts: readonly Receipt[]; readonly count: number; readonly totalMinor: bigint };
  readonly lines: readonly StoredBankLine[];
  readonly openLines: number;
  readonly dead: readonly KeptDelivery[];
  readonly waiting: readonly KeptDelivery[];
  readonly counts: { readonly dead: number; readonly waiting: number };
  readonly disputes: readonly Dispute[];
  readonly statements: readonly StoredStatement[];
  /** What was just done, in words. */
  readonly notice: string | undefined;
  readonly problem: string | undefined;
}

export function PaymentsPage(props: PaymentsPageProps) {
  const { view, notice, problem } = props;
  const { t, frame } = view;
  return (
    <AdminShell frame={frame} title={t("paying.title")} subtitle={t("paying.subtitle")}>
      {notice === undefined ? null : (
        <Notice kind="good" t={t}>
          {notice}
        </Notice>
      )}
      {problem === undefined ? null : (
        <Notice kind="error" t={t}>
          {problem}
        </Notice>
      )}
      <Answer {...props} />
      {props.overpaid.receipts.length === 0 ? null : <Overpaid {...props} />}
      {props.lines.length === 0 ? null : <Lines {...props} />}
      {props.dead.length === 0 ? null : (
        <Events view={view} id="dead" title={t("paying.deadTitle")} about={t("paying.deadText")} rows={props.dead} />
      )}
      {props.waiting.length === 0 ? null : (
        <Events
          view={view}
          id="waiting"
          title={t("paying.waiting")}
          about={t("paying.waitingText")}
          rows={props.waiting}
        />
      )}
      {props.disputes.length === 0 ? null : <Disputes {...props} />}
      <Upload view={view} />
      {props.statements.length === 0 ? null : <Statements {...props} />}
    </AdminShell>
  );
}

function Answer({ view: { t, fmt }, overpaid, openLines, counts, disputes }: PaymentsPageProps) {
  const matters = overpaid.count + openLines + counts.dead + disputes.length;
  return (
    <AnswerPanel
      answer={
        <KeyFigure
          label={t("paying.toDo")}
          value={fmt.integer(matters)}
          {...(matters === 0 && { note: t("paying.allDone") })}
        />
      }
    >
      <FigureGrid
        figures={[
          {
            label: t("paying.owedBack"),
            value: fmt.money(overpaid.totalMinor),
            note: t("paying.receipts", { count: overpaid.count }),
            ...(overpaid.count > 0 && { href: "#overpaid" }),
          },
          {
            label: t("paying.openLines"),
            value: fmt.integer(openLines),
            ...(openLines > 0 && { href: "#lines" }),
          },
          { label: t("paying.dead"), value: fmt.integer(counts.dead), ...(counts.dead > 0 && { href: "#dead" }) },
          ...(disputes.length === 0
            ? []
            : [{ label: t("paying.disputes"), value: fmt.integer(disputes.length), href: "#disputes" }]),
          {
            label: t("paying.waiting"),
            value: fmt.integer(counts.waiting),
            note: t("paying.waitingNote"),
            ...(counts.waiting > 0 && { href: "#waiting" }),
          },
        ]}
      />
    </AnswerPanel>
  );
}

function Overpaid({ view: { t, fmt }, overpaid }: PaymentsPageProps) {
  return (
    <Panel id="overpaid" title={t("paying.overpaid")} body="flush">
      <DataTable<Receipt>
        caption={t("paying.overpaid")}
        rows={overpaid.receipts}
        columns={[
          {
            key: "receipt",
            header: t("paying.receipt"),
            nowrap: true,
            cell: ({ id, number }) => <a href={`/admin/receipts/${id}`}>{number}</a>,
          },
          { key: "user", header: t("paying.user"), cell: ({ userName }) => userName },
          {
            key: "amount",
            header: t("paying.owedBack"),
            align: "end",
            cell: ({ dueMinor }) => fmt.money(-dueMinor),
          },
        ]}
      />
    </Panel>
  );
}

const DOUBT_WORDS = {
  no_receipt: "paying.doubt.no_receipt",
  several_receipts: "paying.doubt.several_receipts",
  takes_back: "paying.doubt.takes_back",
} as const;

/** Why a transfer waits for somebody. */
export function doubtText(t: Translator, { doubt, doubtNumber, note }: StoredBankLine): string {
  const number = doubtNumber ?? "";
  switch (doubt) {
    case null:
      return note;
    case "other_amount":
      return t("paying.doubt.other_amount", { number });
    case "other_currency":
      return t("paying.doubt.other_currency", { number });
    case "not_open":
      return t("paying.doubt.not_open", { number });
    case "no_receipt":
    case "several_receipts":
    case "takes_back":
      return t(DOUBT_WORDS[doubt]);
  }
}

function Lines({ view, lines }: PaymentsPageProps) {
  const { t, fmt, frame } = view;
  return (
    <Panel
      id="lines"
      title={t("paying.lines")}
      body="flush"
      actions={
        <form method="post" action="/admin/bank-lines/rematch">
          <CsrfField token={frame.csrfToken} />
          <Button size="small" busyText={t("action.working")}>
            {t("paying.rematch")}
          </Button>
        </form>
      }
    >
      <p class="second panel-text">{t("paying.linesText")}</p>
      <DataTable<StoredBankLine>
        caption={t("paying.lines")}
        rows={lines}
        columns={[
          { key: "booked", header: t("paying.bookedOn"), nowrap: true, cell: ({ bookedOn }) => fmt.date(bookedOn) },
          {
            key: "text",
            header: t("paying.lineText"),
            phone: "bare",
            cell: ({ text, counterparty }) => (
              <TwoLines main={text} note={text.includes(counterparty) ? "" : counterparty} />
            ),
          },
          { key: "why", header: t("paying.why"), cell: (line) => doubtText(t, line) },
          {
            key: "amount",
            header: t("paying.amount"),
            align: "end",
            nowrap: true,
            phone: "keep",
            cell: ({ amountMinor }) => fmt.money(amountMinor),
          },
          {
            key: "decide",
            header: "",
            label: t("paying.match"),
            phone: "bare",
            cell: ({ id }) => <a href={`/admin/bank-lines/${id}`}>{t("paying.match")}</a>,
          },
        ]}
      />
    </Panel>
  );
}

interface EventsProps {
  readonly view: AdminView;
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly rows: readonly KeptDelivery[];
}

function Events({ view, id: panelId, title, about, rows }: EventsProps) {
  const { t, fmt } = view;
  return (
    <Panel id={panelId} title={title} body="flush">
      <p class="second panel-text">{about}</p>
      <DataTable<KeptDelivery>
        caption={title}
        rows={rows}
        columns={[
          {
            key: "received",
            header: t("paying.received"),
            nowrap: true,
            cell: ({ receivedAt }) => <Instant view={view} at={receivedAt} />,
          },
          { key: "provider", header: t("paying.provider"), cell: ({ provider }) => provider },
          { key: "reason", header: t("paying.reason"), phone: "bare", cell: ({ reason }) => reason },
          {
            key: "attempts",
            header: t("paying.attempts"),
            align: "end",
            cell: ({ attempts }) => fmt.integer(attempts),
          },
          {
            key: "look",
            header: "",
            label: t("paying.look"),
            cell: ({ id }) => <a href={`/admin/payment-events/${id}`}>{t("paying.look")}</a>,
          },
        ]}
      />
    </Panel>
  );
}

function Disputes({ view, disputes }: PaymentsPageProps) {
  const { t, fmt } = view;
  return (
    <Panel id="disputes" title={t("paying.disputes")} body="flush">
      <DataTable<Dispute>
        caption={t("paying.disputes")}
        rows={disputes}
        columns={[
          {
            key: "opened",
            header: t("paying.received"),
            nowrap: true,
            cell: ({ openedAt }) => <Instant view={view} at={openedAt} />,
          },
          {
            key: "receipt",
            header: t("paying.receipt"),
            cell: ({ receiptId, receiptNumber, userName }) => (
              <TwoLines main={<a href={`/admin/receipts/${receiptId}`}>{receiptNumber}</a>} note={userName} />
            ),
          },
          { key: "provider", header: t("paying.provider"), cell: ({ provider }) => provider },
          {
            key: "amount",
            header: t("paying.amount"),
            align: "end",
            cell: ({ amountMinor }) => fmt.money(amountMinor),
          },
        ]}
      />
    </Panel>
  );
}

function Upload({ view: { t, frame } }: { readonly view: AdminView }) {
  return (
    <Panel id="upload" title={t("paying.upload")}>
      <p class="second lead">{t("paying.uploadText")}</p>
      <form method="post" action="/admin/statements" enctype="multipart/form-data" class="stack-form">
        <CsrfField token={frame.csrfToken} />
        <Field id="file" label={t("paying.file")}>
          <input id="file" name="file" type="file" class="input" accept=".xml,.csv,.txt" required />
        </Field>
        <div class="actions">
          <Button kind="primary" busyText={t("action.working")}>
            {t("paying.uploadSubmit")}
          </Button>
        </div>
      </form>
    </Panel>
  );
}

function Statements({ view, statements }: PaymentsPageProps) {
  const { t, fmt } = view;
  return (
    <Panel id="statements" title={t("paying.statements")} body="flush">
      <DataTable<StoredStatement>
        caption={t("paying.statements")}
        rows={statements}
        columns={[
          {
            key: "file",
            header: t("paying.statement"),
            cell: ({ id, fileName, account }) => (
              <TwoLines main={<a href={`/admin/statements/${id}`}>{fileName}</a>} note={account} />
            ),
          },
          {
            key: "imported",
            header: t("paying.imported"),
            cell: ({ importedAt, importedBy }) => (
              <TwoLines main={<Instant view={view} at={importedAt} />} note={importedBy} />
            ),
          },
          {
            key: "lines",
            header: t("paying.linesRead"),
            align: "end",
            cell: ({ linesRead }) => fmt.integer(linesRead),
          },
          {
            key: "known",
            header: t("paying.linesKnown"),
            align: "end",
            cell: ({ linesKnown }) => fmt.integer(linesKnown),
          },
          { key: "matched", header: t("paying.matched"), align: "end", cell: ({ matched }) => fmt.integer(matched) },
          { key: "open", header: t("paying.open"), align: "end", cell: ({ open }) => fmt.integer(open) },
          {
            key: "rejects",
            header: t("paying.rejects"),
            align: "end",
            cell: ({ rejects }) =>
              rejects.length === 0 ? fmt.integer(0) : <Pill tone="bad">{fmt.integer(rejects.length)}</Pill>,
          },
        ]}
      />
    </Panel>
  );
}

/** Where the section is. */
export const PAYMENTS_HREF = sectionHref("payments");

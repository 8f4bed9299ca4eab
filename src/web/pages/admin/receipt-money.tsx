/** A receipt's money in the console: what is due, what moved, credit notes, refunds, disputes. */
import type { ComponentChildren } from "preact";
import type { CreditNote } from "../../../billing/credit-note-queries.ts";
import type { Movement } from "../../../billing/money-movements.ts";
import type { Receipt } from "../../../billing/queries.ts";
import type { Dispute } from "../../../payments/disputes.ts";
import type { Refund } from "../../../payments/refunds.ts";
import type { Translator } from "../../i18n/index.ts";
import type { ReceiptMoney } from "../receipts/money-model.ts";
import { providerText } from "../receipts/story.tsx";
import { DataTable, Panel, Pill, TwoLines, type Column, type FootRow, type Tone } from "../ui/index.ts";
import { Instant } from "./parts.tsx";
import type { AdminView } from "./view.ts";

export interface MoneyPanelsProps {
  readonly view: AdminView;
  readonly receipt: Receipt;
  readonly money: ReceiptMoney;
}

export function MoneyPanels({ view, receipt, money }: MoneyPanelsProps) {
  const { t } = view;
  const { movements, creditNotes, refunds, disputes } = money;
  return (
    <>
      <Panel id="money" title={t("money.title")} body="flush">
        <Sums view={view} receipt={receipt} />
      </Panel>
      {movements.length === 0 ? null : <Movements view={view} movements={movements} />}
      {creditNotes.length === 0 ? null : <CreditNotes view={view} creditNotes={creditNotes} />}
      {refunds.length === 0 ? null : <Refunds view={view} refunds={refunds} />}
      {disputes.length === 0 ? null : <Disputes view={view} disputes={disputes} />}
    </>
  );
}

type Part = readonly [words: string, minor: bigint];

function Sums({ view: { t, fmt }, receipt }: Omit<MoneyPanelsProps, "money">) {
  const { totalMinor, creditedMinor, receivedMinor, dueMinor, status } = receipt;
  const parts: Part[] = [
    [t("money.total"), status === "void" ? 0n : totalMinor],
    [t("money.credited"), -creditedMinor],
    [t("money.received"), -receivedMinor],
  ];
  const words = dueMinor > 0n ? t("money.due") : dueMinor < 0n ? t("money.owedBack") : t("money.settled");
  const foot: FootRow = {
    look: "total",
    cells: { part: words, amount: fmt.money(dueMinor < 0n ? -dueMinor : dueMinor) },
  };
  return (
    <DataTable<Part>
      caption={t("money.title")}
      rows={parts}
      columns={[
        { key: "part", header: t("money.part"), cell: ([name]) => name },
        { key: "amount", header: t("billing.amount"), align: "end", cell: ([, minor]) => fmt.money(minor) },
      ]}
      foot={[foot]}
    />
  );
}

const KIND_WORDS = {
  payment: "money.kind.payment",
  transfer: "money.kind.transfer",
  manual: "money.kind.manual",
  revert: "money.kind.revert",
  refund: "money.kind.refund",
  refund_returned: "money.kind.refund_returned",
  chargeback: "money.kind.chargeback",
  chargeback_returned: "money.kind.chargeback_returned",
} as const satisfies Record<Exclude<Movement["kind"], "moved_in" | "moved_out">, string>;

/** A movement in words. */
function movementText(t: Translator, { kind, otherReceipt }: Movement): string {
  const number = otherReceipt?.number ?? "";
  if (kind === "moved_in") return t("money.kind.moved_in", { number });
  return kind === "moved_out" ? t("money.kind.moved_out", { number }) : t(KIND_WORDS[kind]);
}

function whenColumn<Row>(view: AdminView, at: (row: Row) => Date): Column<Row> {
  return {
    key: "when",
    header: view.t("money.when"),
    nowrap: true,
    cell: (row) => <Instant view={view} at={at(row)} />,
  };
}

function amountColumn<Row>({ t, fmt }: AdminView, minor: (row: Row) => bigint): Column<Row> {
  return { key: "amount", header: t("billing.amount"), align: "end", cell: (row) => fmt.money(minor(row)) };
}

function Movements({ view, movements }: { readonly view: AdminView; readonly movements: readonly Movement[] }) {
  const { t } = view;
  return (
    <Panel id="movements" title={t("money.movements")} body="flush">
      <DataTable<Movement>
        caption={t("money.movements")}
        rows={movements}
        columns={[
          whenColumn(view, ({ at }) => at),
          {
            key: "what",
            header: t("money.what"),
            phone: "bare",
            cell: (movement) => (
              <TwoLines main={whatMoved(t, movement)} note={movement.isReverted ? t("money.reverted") : ""} />
            ),
          },
          { key: "reference", header: t("money.reference"), phone: "bare", cell: ({ reference }) => reference },
          { key: "who", header: t("money.who"), cell: ({ recordedBy }) => recordedBy },
          amountColumn(view, ({ amountMinor }) => amountMinor),
        ]}
      />
    </Panel>
  );
}

function whatMoved(t: Translator, movement: Movement): ComponentChildren {
  const words = movementText(t, movement);
  const other = movement.otherReceipt;
  return other === null ? words : <a href={`/admin/receipts/${other.id}`}>{words}</a>;
}

function CreditNotes({ view, creditNotes }: { readonly view: AdminView; readonly creditNotes: readonly CreditNote[] }) {
  const { t } = view;
  return (
    <Panel id="credit-notes" title={t("money.creditNotes")} body="flush">
      <DataTable<CreditNote>
        caption={t("money.creditNotes")}
        rows={creditNotes}
        columns={[
          {
            key: "number",
            header: t("money.creditNote"),
            nowrap: true,
            cell: ({ id, number }) => <a href={`/me/credit-notes/${id}`}>{number}</a>,
          },
          whenColumn(view, ({ issuedAt }) => issuedAt),
          { key: "reason", header: t("billing.reason"), phone: "bare", cell: ({ reason }) => reason },
          { key: "who", header: t("money.who"), cell: ({ issuedBy }) => issuedBy },
          amountColumn(view, ({ totalMinor }) => -totalMinor),
        ]}
      />
    </Panel>
  );
}

const REFUND_WORDS = {
  requested: ["money.refundState.requested", "waiting"],
  pending: ["money.refundState.pending", "waiting"],
  succeeded: ["money.refundState.succeeded", "good"],
  failed: ["money.refundState.failed", "bad"],
} as const satisfies Record<Refund["status"], readonly [string, Tone]>;

function Refunds({ view, refunds }: { readonly view: AdminView; readonly refunds: readonly Refund[] }) {
  const { t } = view;
  return (
    <Panel id="refunds" title={t("money.refunds")} body="flush">
      <DataTable<Refund>
        caption={t("money.refunds")}
        rows={refunds}
        columns={[
          whenColumn(view, ({ requestedAt }) => requestedAt),
          {
            key: "what",
            header: t("money.refund"),
            phone: "bare",
            cell: ({ provider, reason }) => (
              <TwoLines main={provider === "manual" ? t("money.byHand") : providerText(t, provider)} note={reason} />
            ),
          },
          {
            key: "status",
            header: t("billing.status"),
            phone: "bare",
            cell: ({ status, failure }) => (
              <TwoLines
                main={<Pill tone={REFUND_WORDS[status][1]}>{t(REFUND_WORDS[status][0])}</Pill>}
                note={status === "succeeded" ? "" : (failure ?? "")}
              />
            ),
          },
          { key: "who", header: t("money.who"), cell: ({ requestedBy }) => requestedBy },
          amountColumn(view, ({ amountMinor }) => amountMinor),
        ]}
      />
    </Panel>
  );
}

const DISPUTE_WORDS = {
  open: ["money.disputeState.open", "waiting"],
  won: ["money.disputeState.won", "good"],
  lost: ["money.disputeState.lost", "bad"],
} as const satisfies Record<Dispute["status"], readonly [string, Tone]>;

function Disputes({ view, disputes }: { readonly view: AdminView; readonly disputes: readonly Dispute[] }) {
  const { t } = view;
  return (
    <Panel id="disputes" title={t("money.disputes")} body="flush">
      <DataTable<Dispute>
        caption={t("money.disputes")}
        rows={disputes}
        columns={[
          whenColumn(view, ({ openedAt }) => openedAt),
          {
            key: "what",
            header: t("money.dispute"),
            phone: "bare",
            cell: ({ externalDisputeId, provider }) => (
              <TwoLines main={externalDisputeId} note={providerText(t, provider)} />
            ),
          },
          {
            key: "status",
            header: t("billing.status"),
            phone: "bare",
            cell: ({ status }) => <Pill tone={DISPUTE_WORDS[status][1]}>{t(DISPUTE_WORDS[status][0])}</Pill>,
          },
          amountColumn(view, ({ amountMinor }) => amountMinor),
        ]}
      />
    </Panel>
  );
}

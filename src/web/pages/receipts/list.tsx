/** What is open, and what was paid? */
import type { Receipt } from "../../../billing/queries.ts";
import type { ReceiptStatus } from "../../../billing/states.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { UserShell, type SignedInFrame } from "../layout.tsx";
import { address } from "../me/address.ts";
import { When } from "../me/when.tsx";
import {
  AnswerPanel,
  DataTable,
  EmptyState,
  FigureGrid,
  FilterForm,
  KeyFigure,
  LinkButton,
  Panel,
  ReceiptPill,
  Select,
  type Column,
} from "../ui/index.ts";

export interface ReceiptListProps {
  readonly frame: SignedInFrame;
  readonly fmt: Formatter;
  /** Newest first. */
  readonly receipts: readonly ReceiptRow[];
  readonly open: { readonly count: number; readonly totalMinor: bigint };
  readonly paid: { readonly count: number; readonly totalMinor: bigint };
  /** The only receipt to pay, if there is just one. */
  readonly toPay: ReceiptRow | null;
  /** False where nothing can be paid on this site. */
  readonly takesPayments: boolean;
  readonly status: ReceiptStatus | "";
  readonly isFirstPage: boolean;
  /** Id to continue behind; null at the end. */
  readonly olderThan: bigint | null;
}

/** A receipt with its amount in the currency it was issued in. */
export interface ReceiptRow {
  readonly receipt: Receipt;
  readonly total: string;
  /** What it still asks for. */
  readonly due: string;
  /** It waits for payment, and no bank works on one already. */
  readonly canPay: boolean;
}

export function ReceiptListPage(props: ReceiptListProps) {
  const { frame, fmt, receipts, open, paid, toPay, status, isFirstPage, olderThan } = props;
  const { t } = frame;
  const hasAny = open.count + paid.count + receipts.length > 0 || status !== "" || !isFirstPage;
  if (!hasAny) {
    return (
      <UserShell frame={frame} title={t("receipts.title")}>
        <Panel>
          <EmptyState
            title={t("receipts.empty")}
            action={
              <LinkButton kind="primary" href="/me">
                {t("me.title")}
              </LinkButton>
            }
          >
            {t("receipts.emptyHint")}
          </EmptyState>
        </Panel>
      </UserShell>
    );
  }
  return (
    <UserShell frame={frame} title={t("receipts.title")} actions={<StatusFilter t={t} status={status} />}>
      <AnswerPanel
        answer={
          <>
            <KeyFigure
              label={t("receipts.open")}
              value={fmt.moneyParts(open.totalMinor)}
              note={open.count === 0 ? t("receipts.allPaid") : t("receipts.openCount", { count: open.count })}
            />
            {toPay === null ? null : (
              <div class="actions">
                <LinkButton kind="primary" href={payPath(toPay.receipt)}>
                  {t("receipts.pay", { amount: toPay.due })}
                </LinkButton>
              </div>
            )}
          </>
        }
      >
        <FigureGrid
          figures={[
            {
              label: t("receipts.paid"),
              value: fmt.money(paid.totalMinor),
              note: t("receipts.count", { count: paid.count }),
            },
          ]}
        />
      </AnswerPanel>
      <Panel body="flush">
        <DataTable<ReceiptRow>
          caption={t("receipts.title")}
          rows={receipts}
          columns={columnsOf(t, fmt, props.takesPayments && toPay === null)}
        />
      </Panel>
      {isFirstPage && olderThan === null ? null : (
        <div class="pager">
          <span />
          <nav aria-label={t("pager.label")} class="pager-links">
            {isFirstPage ? null : (
              <LinkButton href={address("/me/receipts", { status })}>{t("receipts.backToNewest")}</LinkButton>
            )}
            {olderThan === null ? null : (
              <LinkButton href={address("/me/receipts", { status, before: String(olderThan) })} rel="next">
                {t("pager.older")}
              </LinkButton>
            )}
          </nav>
        </div>
      )}
    </UserShell>
  );
}

function payPath({ id }: Receipt): string {
  return `/payments/receipt/${id}/start`;
}

function columnsOf(t: Translator, fmt: Formatter, withPay: boolean): Column<ReceiptRow>[] {
  return [
    {
      key: "number",
      header: t("receipts.number"),
      nowrap: true,
      cell: ({ receipt }) => <a href={`/me/receipts/${receipt.id}`}>{receipt.number}</a>,
    },
    {
      key: "issued",
      header: t("receipts.issued"),
      nowrap: true,
      cell: ({ receipt }) => <When at={receipt.issuedAt} fmt={fmt} look="long" />,
    },
    { key: "upTo", header: t("receipts.upTo"), nowrap: true, cell: ({ receipt }) => fmt.date(receipt.cutoffDay) },
    {
      key: "status",
      header: t("receipts.status"),
      phone: "bare",
      cell: ({ receipt }) => <ReceiptPill state={receipt.status} t={t} />,
    },
    { key: "jobs", header: t("receipts.jobs"), align: "end", cell: ({ receipt }) => fmt.integer(receipt.jobs) },
    {
      key: "total",
      header: t("receipts.total"),
      align: "end",
      nowrap: true,
      phone: "keep",
      cell: ({ total }) => total,
    },
    ...(withPay
      ? [
          {
            key: "pay",
            header: "",
            label: t("receipts.payShort"),
            align: "end",
            phone: "bare",
            cell: ({ receipt, due, canPay }: ReceiptRow) =>
              canPay ? (
                <LinkButton size="small" href={payPath(receipt)}>
                  {t("receipts.pay", { amount: due })}
                </LinkButton>
              ) : null,
          } satisfies Column<ReceiptRow>,
        ]
      : []),
  ];
}

function StatusFilter({ t, status }: { readonly t: Translator; readonly status: string }) {
  return (
    <FilterForm t={t} action="/me/receipts">
      <Select
        id="status"
        name="status"
        label={t("receipts.status")}
        labelLook="hidden"
        value={status}
        options={[
          { value: "", label: t("receipts.filterAny") },
          { value: "pending", label: t("receiptState.pending") },
          { value: "paid", label: t("receiptState.paid") },
          { value: "void", label: t("receiptState.void") },
        ]}
      />
    </FilterForm>
  );
}

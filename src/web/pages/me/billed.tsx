/** What was billed in which receipt? */
import type { Receipt } from "../../../billing/queries.ts";
import {
  AnswerPanel,
  DataTable,
  EmptyState,
  FigureGrid,
  KeyFigure,
  LinkButton,
  Panel,
  ReceiptPill,
} from "../ui/index.ts";
import { address } from "./address.ts";
import { ToSettle } from "./overview.tsx";
import { MeShell, type MeCommon } from "./shell.tsx";
import { When } from "./when.tsx";

export interface BilledProps {
  readonly common: MeCommon;
  /** Issued in the window, newest first. */
  readonly receipts: readonly Receipt[];
  /** Of all receipts of the window that are not void. */
  readonly totals: { readonly count: number; readonly totalMinor: bigint };
  /** What jobs billed earlier add to the next receipt, or (negative) take off it. */
  readonly toSettleMinor: bigint;
  /** Of the jobs that ended in the window. */
  readonly jobs: { readonly billedMinor: bigint; readonly openMinor: bigint };
  /** Id to continue behind; null at the end. */
  readonly olderThan: bigint | null;
}

export function BilledPage({ common, receipts, totals, toSettleMinor, jobs, olderThan }: BilledProps) {
  const { frame, fmt, window } = common;
  const { t } = frame;
  const detail = (billed: string): string => address("/me", { view: "detail", ...window.params, billed });
  return (
    <MeShell common={common} view="billed" about={t("receipts.count", { count: totals.count })}>
      <AnswerPanel
        answer={
          <>
            <KeyFigure
              label={t("me.billed.title")}
              value={fmt.moneyParts(totals.totalMinor)}
              note={t("me.billed.about")}
            />
            <ToSettle common={common} minor={toSettleMinor} />
          </>
        }
      >
        <FigureGrid
          figures={[
            { label: t("me.billed.jobsBilled"), value: fmt.money(jobs.billedMinor), href: detail("yes") },
            { label: t("me.billed.jobsOpen"), value: fmt.money(jobs.openMinor), href: detail("no") },
          ]}
        />
      </AnswerPanel>
      {receipts.length === 0 ? (
        <Panel>
          <EmptyState
            title={t("me.billed.empty")}
            action={<LinkButton href="/me/receipts">{t("me.receiptsLink")}</LinkButton>}
          >
            {t("me.billed.emptyHint")}
          </EmptyState>
        </Panel>
      ) : (
        <Panel body="flush">
          <DataTable<Receipt>
            caption={t("me.billed.title")}
            rows={receipts}
            columns={[
              {
                key: "number",
                header: t("receipts.number"),
                nowrap: true,
                cell: ({ id, number }) => <a href={`/me/receipts/${id}`}>{number}</a>,
              },
              {
                key: "issued",
                header: t("receipts.issued"),
                nowrap: true,
                cell: ({ issuedAt }) => <When at={issuedAt} fmt={fmt} />,
              },
              { key: "upTo", header: t("receipts.upTo"), nowrap: true, cell: ({ cutoffDay }) => fmt.date(cutoffDay) },
              {
                key: "status",
                header: t("receipts.status"),
                phone: "bare",
                cell: ({ status }) => <ReceiptPill state={status} t={t} />,
              },
              { key: "jobs", header: t("me.jobs"), align: "end", cell: (receipt) => fmt.integer(receipt.jobs) },
              {
                key: "subtotal",
                header: t("receipts.subtotal"),
                align: "end",
                cell: ({ subtotalMinor }) => fmt.money(subtotalMinor),
              },
              { key: "tax", header: t("receipts.tax"), align: "end", cell: ({ taxMinor }) => fmt.money(taxMinor) },
              {
                key: "total",
                header: t("receipts.total"),
                align: "end",
                phone: "keep",
                cell: ({ totalMinor }) => fmt.money(totalMinor),
              },
            ]}
            foot={[{ cells: { number: t("receipts.totalWithoutVoid"), total: fmt.money(totals.totalMinor) } }]}
          />
        </Panel>
      )}
      {olderThan === null ? null : (
        <div class="actions">
          <LinkButton href={address("/me", { view: "billed", ...window.params, older: String(olderThan) })} rel="next">
            {t("pager.older")}
          </LinkButton>
        </div>
      )}
    </MeShell>
  );
}

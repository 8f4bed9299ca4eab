/** Who owes what since when? */
import type { Receipt } from "../../../billing/queries.ts";
import type { UnbilledTotals } from "../../../usage/queries/unbilled.ts";
import { AdminShell } from "../layout.tsx";
import {
  AnswerPanel,
  Button,
  Columns,
  DateField,
  FigureGrid,
  Input,
  KeyFigure,
  LinkButton,
  Notice,
  Panel,
  Select,
} from "../ui/index.ts";
import { ReceiptList } from "./billing-list.tsx";
import { KeyPager } from "./parts.tsx";
import { hrefOf, sectionHref, type AdminView } from "./view.ts";

export interface Sum {
  readonly count: number;
  readonly totalMinor: bigint;
}

/** What narrows the list, as the address says it. */
export interface BillingFilter {
  readonly status: string;
  readonly user: string;
  /** `30` or nothing. */
  readonly age: string;
  /** Month of payment, `YYYY-MM`, or nothing. */
  readonly paid: string;
}

export interface BillingPageProps {
  readonly view: AdminView;
  readonly filter: BillingFilter;
  readonly receipts: readonly Receipt[];
  /** Of all receipts of the filter, not only of this page. */
  readonly sum: Sum;
  /** Of those among them that are void. */
  readonly voidSum: Sum;
  readonly receivable: Sum;
  readonly overdue: Sum;
  readonly paidThisMonth: Sum;
  readonly unbilled: UnbilledTotals;
  /** `YYYY-MM`, newest first: the months there is something to bill in, and the present one. */
  readonly months: readonly string[];
  readonly monthToBill: string;
  readonly backHref: string | undefined;
  readonly onHref: string | undefined;
  readonly done: { readonly month: string; readonly count: number } | undefined;
}

export function BillingPage(props: BillingPageProps) {
  const { view, receipts, done } = props;
  const { t, fmt, frame } = view;
  return (
    <AdminShell frame={frame} title={t("billing.title")} subtitle={t("billing.subtitle")}>
      {done === undefined ? null : (
        <Notice kind={done.count === 0 ? "info" : "good"} t={t}>
          {done.count === 0
            ? t("billing.doneNone", { month: fmt.monthYear(`${done.month}-01`) })
            : t("billing.doneMonth", { count: done.count, month: fmt.monthYear(`${done.month}-01`) })}
        </Notice>
      )}
      <Answer {...props} />
      <ReceiptList {...props} />
      {receipts.length === 0 ? null : (
        <KeyPager
          t={t}
          text={t("billing.showing", { shown: receipts.length, total: props.sum.count })}
          backHref={props.backHref}
          onHref={props.onHref}
        />
      )}
      <Create {...props} />
    </AdminShell>
  );
}

function Answer({
  view: { t, fmt },
  receivable,
  overdue,
  paidThisMonth,
  unbilled,
  monthToBill,
  view,
}: BillingPageProps) {
  const note = [
    t("billing.receipts", { count: receivable.count }),
    ...(overdue.count === 0 ? [] : [t("billing.overdueNote", { count: overdue.count })]),
  ].join(", ");
  return (
    <AnswerPanel
      answer={
        <>
          <KeyFigure label={t("billing.receivable")} value={fmt.moneyParts(receivable.totalMinor)} note={note} />
          {unbilled.minor > 0n ? (
            <div class="actions">
              <LinkButton kind="primary" href={hrefOf("/admin/invoices/create_month", { month: monthToBill })}>
                {t("billing.billMonth", { month: fmt.monthName(`${monthToBill}-01`) })}
              </LinkButton>
            </div>
          ) : null}
        </>
      }
    >
      <FigureGrid
        figures={[
          {
            label: t("billing.overdue"),
            value: fmt.money(overdue.totalMinor),
            note: t("billing.receipts", { count: overdue.count }),
            href: sectionHref("billing", { status: "pending", age: 30 }),
          },
          {
            label: t("billing.paidThisMonth"),
            value: fmt.money(paidThisMonth.totalMinor),
            note: t("billing.receipts", { count: paidThisMonth.count }),
            href: sectionHref("billing", { status: "paid", paid: view.today.slice(0, 7) }),
          },
          {
            label: t("billing.unbilled"),
            value: fmt.money(unbilled.minor),
            note: t("billing.unbilledNote", { jobs: Number(unbilled.jobs), people: unbilled.users }),
            href: unbilledHref(unbilled, view.today),
          },
        ]}
      />
    </AnswerPanel>
  );
}

/** To the people whose jobs these are: the same sum stands below their list. */
export function unbilledHref({ firstDay }: UnbilledTotals, today: string): string {
  return sectionHref("usage", { group: "user", start: firstDay ?? undefined, before: today });
}

function Create({ view, months, monthToBill }: BillingPageProps) {
  const { t, fmt, today } = view;
  return (
    <Columns
      layout="wide"
      main={
        <Panel id="create" title={t("billing.create")}>
          <p class="second lead">{t("billing.createText")}</p>
          <form method="get" action="/admin/invoices/create_month" class="stack-form">
            <Select
              id="month"
              name="month"
              label={t("billing.month")}
              value={monthToBill}
              options={months.map((month) => ({ value: month, label: fmt.monthYear(`${month}-01`) }))}
            />
            <div class="actions">
              <Button>{t("billing.ask")}</Button>
            </div>
          </form>
        </Panel>
      }
      aside={
        <Panel id="create-one" title={t("billing.createOne")}>
          <p class="second lead">{t("billing.createOneText")}</p>
          <form method="get" action="/admin/invoices/create_one" class="stack-form">
            <Input id="one-user" name="user" label={t("billing.oneUser")} maxLength={64} spellcheck={false} required />
            <DateField t={t} id="one-before" name="before" label={t("billing.before")} value={today} required />
            <div class="actions">
              <Button>{t("billing.ask")}</Button>
            </div>
          </form>
        </Panel>
      }
    />
  );
}

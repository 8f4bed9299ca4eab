/** Who owes what since when? */
import type { Receipt } from "../../../billing/queries.ts";
import type { UnbilledTotals } from "../../../usage/queries/unbilled.ts";
import { addDays, monthStart } from "../../../usage/site-day.ts";
import { AdminShell } from "../layout.tsx";
import {
  AnswerPanel,
  Button,
  Columns,
  DataTable,
  DateField,
  EmptyState,
  FigureGrid,
  FilterForm,
  Input,
  KeyFigure,
  LinkButton,
  Notice,
  Panel,
  ReceiptPill,
  Select,
  TwoLines,
  type Column,
  type FootRow,
} from "../ui/index.ts";
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
          {done.count === 0 ? t("billing.doneNone", { month: fmt.monthYear(`${done.month}-01`) }) : t("billing.doneMonth", { count: done.count, month: fmt.monthYear(`${done.month}-01`) })}
        </Notice>
      )}
      <Answer {...props} />
      <Panel
        id="receipts"
        title={t("billing.listTitle")}
        body="flush"
        actions={
          <LinkButton href={hrefOf("/admin/paid.csv", paidDays(props.filter.paid))} icon="download" size="small" download>
            {t("billing.paidCsv")}
          </LinkButton>
        }
      >
        <Filter {...props} />
        {receipts.length === 0 ? (
          <NoReceipts {...props} />
        ) : (
          <DataTable
            caption={t("billing.listTitle")}
            rows={receipts}
            columns={columnsOf(view)}
            foot={footOf(props)}
          />
        )}
      </Panel>
      {receipts.length === 0 ? null : (
        <KeyPager t={t} text={t("billing.showing", { shown: receipts.length, total: props.sum.count })} backHref={props.backHref} onHref={props.onHref} />
      )}
      <Create {...props} />
    </AdminShell>
  );
}

function Answer({ view: { t, fmt }, receivable, overdue, paidThisMonth, unbilled, monthToBill, view }: BillingPageProps) {
  const note = [t("billing.receipts", { count: receivable.count }), ...(overdue.count === 0 ? [] : [t("billing.overdueNote", { count: overdue.count })])].join(", ");
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

/** The sum of the rows, and where some of them are void, what is left without those. */
function footOf({ view: { t, fmt }, filter, sum, voidSum }: BillingPageProps): FootRow[] {
  const all: FootRow = { cells: { number: t("billing.total", { count: sum.count }), amount: fmt.money(sum.totalMinor) } };
  if (voidSum.count === 0 || filter.status === "void") return [all];
  return [all, { look: "plain", cells: { number: t("billing.withoutVoid"), amount: fmt.money(sum.totalMinor - voidSum.totalMinor) } }];
}

function NoReceipts({ view: { t }, filter }: BillingPageProps) {
  const isFiltered = Object.values(filter).some((value) => value !== "");
  if (!isFiltered) return <EmptyState title={t("billing.noneYet")}>{t("billing.noneText")}</EmptyState>;
  return <EmptyState title={t("billing.none")} action={<LinkButton href={sectionHref("billing")}>{t("billing.all")}</LinkButton>} />;
}

/** To the people whose jobs these are: the same sum stands below their list. */
export function unbilledHref({ firstDay }: UnbilledTotals, today: string): string {
  return sectionHref("usage", { group: "user", start: firstDay ?? undefined, before: today });
}

function paidDays(month: string): { readonly start?: string; readonly end?: string } {
  return month === "" ? {} : { start: `${month}-01`, end: addDays(monthStart(`${month}-01`, 1), -1) };
}

function Filter({ view, filter }: BillingPageProps) {
  const { t, fmt, today } = view;
  const recent = Array.from({ length: 12 }, (_, index) => monthStart(today, -index).slice(0, 7));
  const months = filter.paid === "" || recent.includes(filter.paid) ? recent : [...recent, filter.paid];
  return (
    <div class="panel-filter">
      <FilterForm t={t} action="/admin" keep={{ section: "billing" }}>
        <Select
          id="status"
          name="status"
          label={t("billing.status")}
          labelLook="hidden"
          value={filter.status}
          options={[
            { value: "", label: t("billing.anyStatus") },
            { value: "pending", label: t("receiptState.pending") },
            { value: "paid", label: t("receiptState.paid") },
            { value: "void", label: t("receiptState.void") },
          ]}
        />
        {filter.status === "paid" ? (
          <Select
            id="paid"
            name="paid"
            label={t("billing.paidMonth")}
            labelLook="hidden"
            value={filter.paid}
            options={[{ value: "", label: t("billing.paidAnyTime") }, ...months.map((month) => ({ value: month, label: t("billing.paidIn", { month: fmt.monthYear(`${month}-01`) }) }))]}
          />
        ) : (
          <Select
            id="age"
            name="age"
            label={t("billing.age")}
            labelLook="hidden"
            value={filter.age}
            options={[
              { value: "", label: t("billing.anyAge") },
              { value: "30", label: t("billing.age30") },
            ]}
          />
        )}
        <Input id="user" name="user" type="search" width="search" label={t("billing.user")} labelLook="hidden" placeholder={t("billing.user")} value={filter.user} />
      </FilterForm>
    </div>
  );
}

function columnsOf({ t, fmt, now }: AdminView): Column<Receipt>[] {
  const daysOld = (issuedAt: Date): number => Math.max(0, Math.floor((now.getTime() - issuedAt.getTime()) / 86_400_000));
  return [
    { key: "number", header: t("billing.number"), nowrap: true, cell: ({ id, number }) => <a href={`/admin/receipts/${id}`}>{number}</a> },
    { key: "who", header: t("billing.who"), phone: "bare", cell: ({ userName, accounts }) => <TwoLines main={<a href={sectionHref("billing", { user: userName })}>{userName}</a>} note={accounts} /> },
    { key: "status", header: t("billing.status"), phone: "bare", cell: ({ status }) => <ReceiptPill state={status} t={t} /> },
    {
      key: "issued",
      header: t("billing.issued"),
      nowrap: true,
      cell: ({ issuedAt, status }) => (
        <TwoLines
          main={
            <time dateTime={issuedAt.toISOString()} title={fmt.dateTimeZone(issuedAt)}>
              {fmt.date(issuedAt)}
            </time>
          }
          note={status === "pending" ? t("billing.days", { count: daysOld(issuedAt) }) : ""}
        />
      ),
    },
    { key: "upTo", header: t("billing.upTo"), nowrap: true, cell: ({ cutoffDay }) => fmt.date(cutoffDay) },
    { key: "jobs", header: t("billing.jobs"), align: "end", cell: ({ jobs }) => fmt.integer(jobs) },
    { key: "amount", header: t("billing.amount"), align: "end", cell: ({ totalMinor }) => fmt.money(totalMinor) },
  ];
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
            <Select id="month" name="month" label={t("billing.month")} value={monthToBill} options={months.map((month) => ({ value: month, label: fmt.monthYear(`${month}-01`) }))} />
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

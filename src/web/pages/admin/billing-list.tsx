/** The list of receipts: filter, rows, totals. */
import type { Receipt } from "../../../billing/queries.ts";
import { addDays, monthStart } from "../../../usage/site-day.ts";
import {
  DataTable,
  EmptyState,
  FilterForm,
  Input,
  LinkButton,
  Panel,
  ReceiptPill,
  Select,
  TwoLines,
  type Column,
  type FootRow,
} from "../ui/index.ts";
import type { BillingPageProps } from "./billing.tsx";
import { hrefOf, sectionHref, type AdminView } from "./view.ts";

/** The receipts of a filter, with the sum of all of them. */
export function ReceiptList(props: BillingPageProps) {
  const { view, receipts } = props;
  const { t } = view;
  return (
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
        <DataTable caption={t("billing.listTitle")} rows={receipts} columns={columnsOf(view)} foot={footOf(props)} />
      )}
    </Panel>
  );
}

/** The sum of the rows, and where some of them are void, what is left without those. */
function footOf({ view: { t, fmt }, filter, sum, voidSum }: BillingPageProps): FootRow[] {
  const all: FootRow = {
    cells: { number: t("billing.total", { count: sum.count }), amount: fmt.money(sum.totalMinor) },
  };
  if (voidSum.count === 0 || filter.status === "void") return [all];
  return [
    all,
    {
      look: "plain",
      cells: { number: t("billing.withoutVoid"), amount: fmt.money(sum.totalMinor - voidSum.totalMinor) },
    },
  ];
}

function NoReceipts({ view: { t }, filter }: BillingPageProps) {
  const isFiltered = Object.values(filter).some((value) => value !== "");
  if (!isFiltered) return <EmptyState title={t("billing.noneYet")}>{t("billing.noneText")}</EmptyState>;
  return (
    <EmptyState
      title={t("billing.none")}
      action={<LinkButton href={sectionHref("billing")}>{t("billing.all")}</LinkButton>}
    />
  );
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
            options={[
              { value: "", label: t("billing.paidAnyTime") },
              ...months.map((month) => ({
                value: month,
                label: t("billing.paidIn", { month: fmt.monthYear(`${month}-01`) }),
              })),
            ]}
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
        <Input
          id="user"
          name="user"
          type="search"
          width="search"
          label={t("billing.user")}
          labelLook="hidden"
          placeholder={t("billing.user")}
          value={filter.user}
        />
      </FilterForm>
    </div>
  );
}

function columnsOf({ t, fmt, now }: AdminView): Column<Receipt>[] {
  const daysOld = (issuedAt: Date): number =>
    Math.max(0, Math.floor((now.getTime() - issuedAt.getTime()) / 86_400_000));
  return [
    {
      key: "number",
      header: t("billing.number"),
      nowrap: true,
      cell: ({ id, number }) => <a href={`/admin/receipts/${id}`}>{number}</a>,
    },
    {
      key: "who",
      header: t("billing.who"),
      phone: "bare",
      cell: ({ userName, accounts }) => (
        <TwoLines main={<a href={sectionHref("billing", { user: userName })}>{userName}</a>} note={accounts} />
      ),
    },
    {
      key: "status",
      header: t("billing.status"),
      phone: "bare",
      cell: ({ status }) => <ReceiptPill state={status} t={t} />,
    },
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

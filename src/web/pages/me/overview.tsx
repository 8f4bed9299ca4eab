/** What do I owe, and what did it come from? */
import type { ComponentChildren } from "preact";
import type { UsageGroup, UsageSums } from "../../../usage/queries/summary.ts";
import {
  AnswerPanel,
  BarList,
  Button,
  CsrfField,
  DataTable,
  DateField,
  FigureGrid,
  KeyFigure,
  LinkButton,
  Panel,
  StackedColumns,
  TrustLine,
  type Column,
  type DayColumn,
  type TrustItem,
} from "../ui/index.ts";
import { address } from "./address.ts";
import { EmptyWindow, monthEnd } from "./empty.tsx";
import { MeShell, type MeCommon } from "./shell.tsx";

export interface OverviewProps {
  readonly common: MeCommon;
  readonly tier: string;
  /** Null before anything was imported. */
  readonly dataAgeSeconds: number | null;
  readonly trust: readonly TrustItem[];
  readonly unbilled: Unbilled;
  /** What jobs billed earlier add to the next receipt, or (negative) take off it. */
  readonly toSettleMinor: bigint;
  /** `VAT 7 %`, where a receipt adds it. */
  readonly tax: string | null;
  readonly now: UsageSums;
  readonly before: UsageSums;
  /** The days the sums are compared with. */
  readonly daysBefore: { readonly fromDay: string; readonly toDay: string };
  /** Per day, or per month where there are too many days to draw. */
  readonly chart:
    | { readonly kind: "days"; readonly days: readonly DayColumn[] }
    | { readonly kind: "months"; readonly months: readonly UsageGroup[] };
  readonly accounts: readonly UsageGroup[];
  /** When any job of theirs last ended. */
  readonly lastDay: string | null;
}

/** What a receipt up to a day would bill. */
export interface Unbilled {
  readonly upToDay: string;
  readonly today: string;
  readonly jobs: bigint;
  /** Finished, but without a price; they wait. */
  readonly heldJobs: bigint;
  readonly minor: bigint;
}

export function OverviewPage(props: OverviewProps) {
  const { common, tier, dataAgeSeconds, now } = props;
  const { t } = common.frame;
  const about = (
    <>
      {t("me.subtitleTier")} <strong>{tier}</strong>
      {dataAgeSeconds === null ? null : <> · {t("me.dataAge", { age: common.fmt.age(dataAgeSeconds) })}</>}
    </>
  );
  return (
    <MeShell common={common} view="aggregate" about={about}>
      <AnswerPanel answer={<Answer {...props} />}>
        <Figures {...props} />
        <TrustLine t={t} items={props.trust} />
      </AnswerPanel>
      {now.jobs === 0n ? (
        <EmptyWindow common={common} view="aggregate" lastDay={props.lastDay} />
      ) : (
        <>
          <CostChart common={common} chart={props.chart} />
          <Accounts common={common} accounts={props.accounts} total={now} />
        </>
      )}
    </MeShell>
  );
}

/** What the next receipt settles besides new jobs, in one quiet line. */
export function ToSettle({ common: { frame, fmt }, minor }: { readonly common: MeCommon; readonly minor: bigint }) {
  const { t } = frame;
  if (minor === 0n) return null;
  const text =
    minor > 0n
      ? t("corrections.added", { amount: fmt.money(minor) })
      : t("corrections.comesOff", { amount: fmt.money(-minor) });
  return <p class="small second">{text}</p>;
}

function Answer({ common, unbilled, toSettleMinor, tax }: OverviewProps) {
  const { frame, fmt } = common;
  const { t } = frame;
  const { jobs, heldJobs, minor, upToDay, today } = unbilled;
  const label = t("me.notBilled");
  const held = heldJobs === 0n ? null : <> · {t("me.heldJobs", { count: Number(heldJobs) })}</>;
  if (jobs === 0n && toSettleMinor <= 0n) {
    return (
      <>
        <KeyFigure
          label={label}
          value={fmt.moneyParts(minor)}
          note={
            <>
              {t("me.nothingOpen", { day: fmt.dateLong(upToDay) })}
              {held}
            </>
          }
        />
        <ToSettle common={common} minor={toSettleMinor} />
        <div class="actions">
          <LinkButton href="/me/receipts">{t("me.receiptsLink")}</LinkButton>
        </div>
      </>
    );
  }
  const note = (
    <>
      {t("me.finishedJobs", { count: Number(jobs), day: fmt.dateLong(upToDay) })}
      {held}
      {tax === null ? null : (
        <>
          <br />
          {t("me.taxAdded", { tax })}
        </>
      )}
    </>
  );
  return (
    <>
      <KeyFigure label={label} value={fmt.moneyParts(minor)} note={note} />
      <ToSettle common={common} minor={toSettleMinor} />
      <form class="row-form" method="post" action="/me/receipt">
        <CsrfField token={frame.csrfToken} />
        <DateField
          t={t}
          id="before"
          name="before"
          label={t("me.upTo")}
          labelLook="beside"
          value={upToDay}
          max={today}
          required
        />
        <Button kind="primary" busyText={t("action.working")}>
          {t("me.createReceipt")}
        </Button>
      </form>
    </>
  );
}

function Figures({ common, now, before, daysBefore }: OverviewProps) {
  const { frame, fmt, window } = common;
  const { t } = frame;
  const change = (of: (sums: UsageSums) => bigint): string =>
    fmt.percentChange(of(now), of(before)) ?? t("me.noneBefore");
  const jobs = (state?: string): string => address("/me", { view: "detail", ...window.params, state });
  const costLabel =
    window.preset === "thisMonth"
      ? t("me.costThisMonth")
      : window.preset === "lastMonth"
        ? t("me.costLastMonth")
        : t("me.cost");
  const failed =
    now.failedJobs === 0n ? null : (
      <>
        {" "}
        · <a href={jobs("failed")}>{t("me.failed", { count: Number(now.failedJobs) })}</a>
      </>
    );
  return (
    <div>
      <FigureGrid
        figures={[
          { label: costLabel, value: fmt.money(now.costMinor), note: change((sums) => sums.costMinor), href: jobs() },
          { label: t("me.cpuHours"), value: fmt.hours(now.cpuSeconds), note: change((sums) => sums.cpuSeconds) },
          { label: t("me.gpuHours"), value: fmt.hours(now.gpuSeconds), note: change((sums) => sums.gpuSeconds) },
          {
            label: t("me.jobs"),
            value: fmt.integer(now.jobs),
            note: (
              <>
                {change((sums) => sums.jobs)}
                {failed}
              </>
            ),
            href: jobs(),
          },
        ]}
      />
      <p class="small third figures-note">
        {t("me.samePeriodBefore", { range: fmt.dateRange(daysBefore.fromDay, daysBefore.toDay) })}
      </p>
    </div>
  );
}

function CostChart({ common, chart }: Pick<OverviewProps, "common" | "chart">) {
  const { frame, fmt } = common;
  const { t } = frame;
  if (chart.kind === "days")
    return <StackedColumns t={t} fmt={fmt} id="cost" title={t("me.costPerDay")} days={chart.days} />;
  return (
    <Panel id="cost" title={t("me.costPerMonth")} body="flush">
      <BarList
        items={chart.months.map(({ key, jobs, costMinor }) => {
          const start = `${key}-01`;
          return {
            label: <a href={address("/me", { start, before: monthEnd(start) })}>{fmt.monthYear(start)}</a>,
            note: t("job.count", { count: Number(jobs) }),
            size: costMinor,
            value: fmt.money(costMinor),
          };
        })}
      />
    </Panel>
  );
}

/** Sums by something, with their total: the same columns wherever usage is summed. A phone shows what it came to. */
export function sumColumns({ frame, fmt }: MeCommon): Column<UsageSums>[] {
  const { t } = frame;
  return [
    { key: "jobs", header: t("me.jobs"), align: "end", phone: "hide", cell: (row) => fmt.integer(row.jobs) },
    {
      key: "cpu",
      header: t("me.cpuHoursShort"),
      align: "end",
      phone: "hide",
      cell: (row) => fmt.hours(row.cpuSeconds),
    },
    {
      key: "gpu",
      header: t("me.gpuHoursShort"),
      align: "end",
      phone: "hide",
      cell: (row) => fmt.hours(row.gpuSeconds),
    },
    {
      key: "memory",
      header: t("me.memHours"),
      align: "end",
      phone: "hide",
      cell: (row) => fmt.gibHours(row.memMibSeconds),
    },
    { key: "amount", header: t("me.amount"), align: "end", phone: "keep", cell: (row) => fmt.money(row.costMinor) },
  ];
}

/** The cells of a total, by the keys of `sumColumns`. */
export function sumCells(common: MeCommon, total: UsageSums): Readonly<Record<string, ComponentChildren>> {
  return Object.fromEntries(sumColumns(common).map((column) => [column.key, column.cell(total)]));
}

function Accounts({
  common,
  accounts,
  total,
}: {
  readonly common: MeCommon;
  readonly accounts: readonly UsageGroup[];
  readonly total: UsageSums;
}) {
  const { frame, window } = common;
  const { t } = frame;
  const days = { start: window.fromDay, before: window.toDay };
  return (
    <Panel
      id="accounts"
      title={t("me.byAccount")}
      body="flush"
      actions={
        <LinkButton href={address("/me.csv", days)} icon="download" size="small" download>
          {t("me.download")}
        </LinkButton>
      }
    >
      <DataTable<UsageGroup>
        caption={t("me.byAccount")}
        rows={accounts}
        columns={[
          {
            key: "account",
            header: t("me.account"),
            cell: ({ key }) => (
              <a href={address("/me", { view: "detail", ...window.params, account: key })}>{key === "" ? "–" : key}</a>
            ),
          },
          ...sumColumns(common),
        ]}
        foot={[{ cells: { account: t("me.total"), ...sumCells(common, total) } }]}
      />
    </Panel>
  );
}

/** Where is it going? */
import type { UsageGroup, UsageSums } from "../../../usage/queries/summary.ts";
import {
  AnswerPanel,
  ComparisonColumns,
  DataTable,
  FigureGrid,
  KeyFigure,
  LinkButton,
  Panel,
  type ComparedDay,
} from "../ui/index.ts";
import { address } from "./address.ts";
import { EmptyWindow, monthEnd } from "./empty.tsx";
import { sumColumns } from "./overview.tsx";
import { MeShell, type MeCommon } from "./shell.tsx";

/** A month beside the one before it. */
export interface TrendMonth extends UsageGroup {
  /** Null for the first month there is. */
  readonly costBeforeMinor: bigint | null;
}

export interface TrendProps {
  readonly common: MeCommon;
  readonly now: UsageSums;
  readonly before: UsageSums;
  readonly daysBefore: { readonly fromDay: string; readonly toDay: string };
  /** Null where there are too many days to draw. */
  readonly days: readonly ComparedDay[] | null;
  /** Newest first. */
  readonly months: readonly TrendMonth[];
  readonly lastDay: string | null;
}

export function TrendPage({ common, now, before, daysBefore, days, months, lastDay }: TrendProps) {
  const { frame, fmt, window } = common;
  const { t } = frame;
  const change = (of: (sums: UsageSums) => bigint): string =>
    fmt.percentChange(of(now), of(before)) ?? t("me.noneBefore");
  const range = fmt.dateRange(daysBefore.fromDay, daysBefore.toDay);
  const isNothing = now.jobs === 0n && before.jobs === 0n;
  const about = t("me.jobsAndCost", { jobs: Number(now.jobs), cost: fmt.money(now.costMinor) });
  return (
    <MeShell common={common} view="trend" about={about}>
      {isNothing ? (
        <EmptyWindow common={common} view="trend" lastDay={lastDay} />
      ) : (
        <>
          <AnswerPanel
            answer={
              <KeyFigure
                label={t("me.cost")}
                value={fmt.moneyParts(now.costMinor)}
                note={
                  <>
                    {change((sums) => sums.costMinor)} {t("me.samePeriodBefore", { range })}
                  </>
                }
              />
            }
          >
            <FigureGrid
              figures={[
                {
                  label: t("chart.periodBefore"),
                  value: fmt.money(before.costMinor),
                  note: range,
                  href: address("/me", { view: "detail", start: daysBefore.fromDay, before: daysBefore.toDay }),
                },
                { label: t("me.cpuHours"), value: fmt.hours(now.cpuSeconds), note: change((sums) => sums.cpuSeconds) },
                { label: t("me.gpuHours"), value: fmt.hours(now.gpuSeconds), note: change((sums) => sums.gpuSeconds) },
                {
                  label: t("me.jobs"),
                  value: fmt.integer(now.jobs),
                  note: change((sums) => sums.jobs),
                  href: address("/me", { view: "detail", ...window.params }),
                },
              ]}
            />
          </AnswerPanel>
          {days === null ? null : (
            <ComparisonColumns t={t} fmt={fmt} id="trend" title={t("me.costPerDay")} days={days} />
          )}
        </>
      )}
      {months.length === 0 ? null : <Months common={common} months={months} />}
    </MeShell>
  );
}

function Months({ common, months }: { readonly common: MeCommon; readonly months: readonly TrendMonth[] }) {
  const { frame, fmt } = common;
  const { t } = frame;
  const largest = months.reduce((most, { costMinor }) => (costMinor > most ? costMinor : most), 0n);
  const days = (month: string) => ({ start: `${month}-01`, before: monthEnd(`${month}-01`) });
  const first = months.at(-1)?.key ?? "";
  const last = months.at(0)?.key ?? "";
  return (
    <Panel
      id="months"
      title={t("me.months")}
      body="flush"
      actions={
        <LinkButton
          href={address("/me.csv", { start: days(first).start, before: days(last).before })}
          icon="download"
          size="small"
          download
        >
          {t("me.download")}
        </LinkButton>
      }
    >
      <DataTable<TrendMonth>
        caption={t("me.months")}
        rows={months}
        columns={[
          {
            key: "month",
            header: t("me.month"),
            nowrap: true,
            cell: ({ key }) => <a href={address("/me", days(key))}>{fmt.monthYear(`${key}-01`)}</a>,
          },
          {
            key: "bar",
            header: "",
            label: t("me.cost"),
            phone: "hide",
            cell: ({ costMinor }) => <CostBar size={costMinor} largest={largest} />,
          },
          ...sumColumns(common),
          {
            key: "change",
            header: t("me.change"),
            align: "end",
            phone: "line",
            cell: ({ costMinor, costBeforeMinor }) =>
              costBeforeMinor === null ? null : fmt.percentChange(costMinor, costBeforeMinor),
          },
        ]}
      />
    </Panel>
  );
}

/** To compare months by eye; the amount stands beside it. */
function CostBar({ size, largest }: { readonly size: bigint; readonly largest: bigint }) {
  // Tenths of a percent are finer than a pixel here.
  const share = largest > 0n && size > 0n ? Number((size * 1000n) / largest) / 10 : 0;
  return (
    <svg class="bar cost-bar" width="100%" height="6" aria-hidden="true" focusable="false">
      <rect class="bar-track" width="100%" height="6" rx="3" />
      <rect class="fill-cpu" width={`${share}%`} height="6" rx="3" />
    </svg>
  );
}

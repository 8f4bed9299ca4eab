/** This period as columns, the period before it as a line: where is it going? */
import { line } from "d3-shape";
import type { ComponentChildren } from "preact";
import { minorDigits, type Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { ChartFrame, ColumnMark } from "./chart-frame.tsx";
import { dayAxis, percent, toAxis, valueAxis } from "./chart-scale.ts";
import { DataTable, type Column } from "./table.tsx";

/** A day of this period beside the day as far into the period before. */
export interface ComparedDay {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly value: bigint;
  /** Absent where the period before was shorter, or has no data. */
  readonly before?: { readonly day: string; readonly value: bigint } | undefined;
  readonly href?: string;
}

export interface ComparisonColumnsProps {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly id: string;
  readonly title: string;
  readonly days: readonly ComparedDay[];
  /** As in `StackedColumns`. */
  readonly unit?: { readonly text: (value: bigint) => string; readonly size: bigint };
  readonly actions?: ComponentChildren;
}

export function ComparisonColumns({ t, fmt, id, title, days, unit, actions }: ComparisonColumnsProps) {
  const { text, size } = unit ?? { text: fmt.money, size: 10n ** BigInt(minorDigits(fmt.currency)) };
  const axis = valueAxis(
    days.reduce((most, { value, before }) => Math.max(most, toAxis(value, size), toAxis(before?.value ?? 0n, size)), 0),
  );
  const place = dayAxis(days.length);
  const sum = (of: (day: ComparedDay) => bigint): string => text(days.reduce((all, day) => all + of(day), 0n));
  const now = sum(({ value }) => value);
  const before = sum((day) => day.before?.value ?? 0n);
  const path = line<ComparedDay>()
    .defined((day) => day.before !== undefined)
    .x((_, index) => place.x(index) + place.width / 2)
    .y((day) => axis.y(toAxis(day.before?.value ?? 0n, size)))(days);

  const columns: Column<ComparedDay>[] = [
    {
      key: "day",
      header: t("chart.day"),
      nowrap: true,
      cell: ({ day, href }) => (href === undefined ? fmt.date(day) : <a href={href}>{fmt.date(day)}</a>),
    },
    { key: "now", header: t("chart.thisPeriod"), align: "end", cell: ({ value }) => text(value) },
    {
      key: "dayBefore",
      header: t("chart.day"),
      nowrap: true,
      cell: (day) => (day.before === undefined ? null : fmt.date(day.before.day)),
    },
    {
      key: "before",
      header: t("chart.periodBefore"),
      align: "end",
      cell: (day) => (day.before === undefined ? null : text(day.before.value)),
    },
  ];
  return (
    <ChartFrame
      t={t}
      fmt={fmt}
      id={id}
      title={title}
      description={t("chart.comparison", {
        title,
        from: fmt.date(days.at(0)?.day ?? "1970-01-01"),
        to: fmt.date(days.at(-1)?.day ?? "1970-01-01"),
        now,
        before,
      })}
      legend={[
        { label: t("chart.thisPeriod"), tone: "cpu" },
        { label: t("chart.periodBefore"), tone: "before", shape: "line" },
      ]}
      axis={axis}
      days={days.map(({ day }) => day)}
      plot={
        <>
          {days.map((day, index) => (
            <ColumnMark
              index={index}
              left={place.x(index) - (place.step - place.width) / 2}
              step={place.step}
              heading={fmt.date(day.day)}
              lines={[
                [t("chart.thisPeriod"), text(day.value)],
                ...(day.before === undefined
                  ? []
                  : [
                      [`${t("chart.periodBefore")} (${fmt.dayMonth(day.before.day)})`, text(day.before.value)] as const,
                    ]),
              ]}
              href={day.href}
            >
              <rect
                class="piece fill-cpu"
                x={percent(place.x(index))}
                width={percent(place.width)}
                y={percent(axis.y(toAxis(day.value, size)))}
                height={percent(100 - axis.y(toAxis(day.value, size)))}
              />
            </ColumnMark>
          ))}
          {/* A path knows no percentages: it is drawn on a square of 100 that is stretched, its stroke is not. */}
          <svg
            class="chart-path"
            viewBox="0 0 100 100"
            preserveAspectRatio="none"
            width="100%"
            height="100%"
            aria-hidden="true"
            focusable="false"
          >
            <path class="stroke-before" d={path ?? ""} vector-effect="non-scaling-stroke" />
          </svg>
        </>
      }
      table={
        <DataTable
          caption={t("chart.tableOf", { title })}
          columns={columns}
          rows={days}
          foot={[{ cells: { day: t("chart.total"), now, before } }]}
          phone="scroll"
        />
      }
      actions={actions}
    />
  );
}

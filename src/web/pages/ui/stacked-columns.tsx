/** Cost (or use) per day as stacked columns: CPU at the foot, then GPU, then memory. */
import { stack } from "d3-shape";
import type { ComponentChildren } from "preact";
import { minorDigits, type Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { ChartFrame, ColumnMark } from "./chart-frame.tsx";
import { dayAxis, percent, toAxis, valueAxis, type DayAxis, type ValueAxis } from "./chart-scale.ts";
import { DataTable, type Column } from "./table.tsx";

const RESOURCES = ["cpu", "gpu", "memory"] as const;
export type Resource = (typeof RESOURCES)[number];

const RESOURCE_WORDS = { cpu: "resource.cpu", gpu: "resource.gpu", memory: "resource.memory" } as const;

/** One day, with what each resource came to in base units (minor units of money unless told otherwise). */
export type DayColumn = Readonly<Record<Resource, bigint>> & {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /** To the jobs of that day. */
  readonly href?: string;
};

export interface StackedColumnsProps {
  readonly t: Translator;
  readonly fmt: Formatter;
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  /** Oldest first, one for each day of the window, also the empty ones. */
  readonly days: readonly DayColumn[];
  /** How a value is said, and how many base units make one on the axis; money in minor units unless given. */
  readonly unit?: { readonly text: (value: bigint) => string; readonly size: bigint };
  /** Beside "Show as table": its CSV. */
  readonly actions?: ComponentChildren;
}

const totalOf = (day: DayColumn): bigint => day.cpu + day.gpu + day.memory;

export function StackedColumns({ t, fmt, id, title, days, unit, actions }: StackedColumnsProps) {
  const { text, size } = unit ?? { text: fmt.money, size: 10n ** BigInt(minorDigits(fmt.currency)) };
  const axis = valueAxis(days.reduce((most, day) => Math.max(most, toAxis(totalOf(day), size)), 0));
  const total = days.reduce((sum, day) => sum + totalOf(day), 0n);
  const place = dayAxis(days.length);
  return (
    <ChartFrame
      t={t}
      fmt={fmt}
      id={id}
      title={title}
      description={t("chart.description", {
        title,
        from: fmt.date(days.at(0)?.day ?? "1970-01-01"),
        to: fmt.date(days.at(-1)?.day ?? "1970-01-01"),
        total: text(total),
      })}
      legend={RESOURCES.map((resource) => ({ label: t(RESOURCE_WORDS[resource]), tone: resource }))}
      axis={axis}
      days={days.map(({ day }) => day)}
      plot={days.map((day, index) => (
        <ColumnMark
          index={index}
          left={place.x(index) - (place.step - place.width) / 2}
          step={place.step}
          heading={fmt.date(day.day)}
          lines={[
            ...RESOURCES.map((resource) => [t(RESOURCE_WORDS[resource]), text(day[resource])] as const),
            [t("chart.total"), text(totalOf(day))],
          ]}
          href={day.href}
        >
          <Pile day={day} index={index} size={size} axis={axis} place={place} />
        </ColumnMark>
      ))}
      table={<DayTable t={t} fmt={fmt} title={title} days={days} text={text} />}
      actions={actions}
    />
  );
}

interface PileProps {
  readonly day: DayColumn;
  readonly index: number;
  readonly size: bigint;
  readonly axis: ValueAxis;
  readonly place: DayAxis;
}

/** The day's three pieces, one upon the other. */
function Pile({ day, index, size, axis, place }: PileProps) {
  const layers = stack<DayColumn, Resource>()
    .keys(RESOURCES)
    .value((one, resource) => toAxis(one[resource], size))([day]);
  return (
    <>
      {layers.map((layer) => {
        const [from, to] = layer[0] ?? [0, 0];
        const height = axis.y(from) - axis.y(to);
        return height <= 0 ? null : (
          <rect
            class={`piece fill-${layer.key}`}
            x={percent(place.x(index))}
            width={percent(place.width)}
            y={percent(axis.y(to))}
            height={percent(height)}
          />
        );
      })}
    </>
  );
}

interface DayTableProps {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly title: string;
  readonly days: readonly DayColumn[];
  readonly text: (value: bigint) => string;
}

function DayTable({ t, fmt, title, days, text }: DayTableProps) {
  const columns: Column<DayColumn>[] = [
    {
      key: "day",
      header: t("chart.day"),
      nowrap: true,
      cell: ({ day, href }) => (href === undefined ? fmt.date(day) : <a href={href}>{fmt.date(day)}</a>),
    },
    ...RESOURCES.map((resource): Column<DayColumn> => ({
      key: resource,
      header: t(RESOURCE_WORDS[resource]),
      align: "end",
      cell: (day) => text(day[resource]),
    })),
    { key: "total", header: t("chart.total"), align: "end", cell: (day) => text(totalOf(day)) },
  ];
  const sum = (of: (day: DayColumn) => bigint): string => text(days.reduce((all, day) => all + of(day), 0n));
  const cells = {
    day: t("chart.total"),
    cpu: sum(({ cpu }) => cpu),
    gpu: sum(({ gpu }) => gpu),
    memory: sum(({ memory }) => memory),
    total: sum(totalOf),
  };
  return (
    <DataTable
      caption={t("chart.tableOf", { title })}
      columns={columns}
      rows={days}
      foot={[{ cells }]}
      phone="scroll"
    />
  );
}

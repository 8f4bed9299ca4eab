/** What all charts share: legend, value axis, day axis, and the table that says the same. */
import type { ComponentChildren } from "preact";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { dayAxis, dayLabels, percent, tickText, type ValueAxis } from "./chart-scale.ts";

export type Tone = "cpu" | "gpu" | "memory" | "before";

export interface LegendItem {
  readonly label: string;
  readonly tone: Tone;
  readonly shape?: "column" | "line";
}

export function Legend({ items }: { readonly items: readonly LegendItem[] }) {
  return (
    <ul class="legend">
      {items.map(({ label, tone, shape = "column" }) => (
        <li>
          <svg width="14" height="10" aria-hidden="true" focusable="false">
            {shape === "column" ? (
              <rect class={`fill-${tone}`} x="2" width="10" height="10" rx="2" />
            ) : (
              <path class={`stroke-${tone}`} d="M0 5h14" />
            )}
          </svg>
          {label}
        </li>
      ))}
    </ul>
  );
}

export interface ChartFrameProps {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly id: string;
  readonly title: string;
  /** All of the chart in one sentence. */
  readonly description: string;
  readonly legend: readonly LegendItem[];
  readonly axis: ValueAxis;
  readonly days: readonly string[];
  /** Drawn inside the plot. */
  readonly plot: ComponentChildren;
  readonly table: ComponentChildren;
  readonly actions?: ComponentChildren;
}

/** A panel with a chart. The axes are text beside the drawing, so they keep their size at every width. */
export function ChartFrame({
  t,
  fmt,
  id,
  title,
  description,
  legend,
  axis,
  days,
  plot,
  table,
  actions,
}: ChartFrameProps) {
  const { x } = dayAxis(days.length);
  return (
    <section class="panel panel-padded chart" aria-labelledby={`${id}-title`}>
      <div class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        <Legend items={legend} />
      </div>
      <div class="chart-grid" data-chart>
        <div class="chart-values" aria-hidden="true">
          {axis.ticks.map((tick) => (
            <span>{tickText(tick, fmt)}</span>
          ))}
        </div>
        <svg class="chart-plot" role="group" aria-label={description} focusable="false">
          {axis.ticks.map((tick) => (
            <line
              class={tick === 0 ? "chart-zero" : "chart-line"}
              x1="0"
              x2="100%"
              y1={percent(axis.y(tick))}
              y2={percent(axis.y(tick))}
            />
          ))}
          {plot}
        </svg>
        <svg class="chart-days" aria-hidden="true" focusable="false">
          {dayLabels(days, fmt).map(({ index, text }) => (
            <text x={percent(x(index))} y="14">
              {text}
            </text>
          ))}
        </svg>
      </div>
      <div class="chart-foot">
        <details>
          <summary>{t("chart.showTable")}</summary>
          {table}
        </details>
        {actions === undefined ? null : <div class="panel-actions">{actions}</div>}
      </div>
    </section>
  );
}

export interface ColumnMarkProps {
  /** The first column is reached by Tab, the others from it by the arrow keys. */
  readonly index: number;
  readonly left: number;
  readonly step: number;
  /** The day, then `name<tab>value` lines: read out, and shown on hover. */
  readonly heading: string;
  readonly lines: readonly (readonly [name: string, value: string])[];
  readonly href?: string | undefined;
  readonly children: ComponentChildren;
}

/** One day: its shapes, a full-height target for the pointer, and its values as text. */
export function ColumnMark({ index, left, step, heading, lines, href, children }: ColumnMarkProps) {
  const inside = (
    <>
      <title>{[heading, ...lines.map(([name, value]) => `${name}\t${value}`)].join("\n")}</title>
      <rect class="column-target" x={percent(left)} width={percent(step)} height="100%" />
      {children}
    </>
  );
  const shared = {
    class: "column",
    tabIndex: index === 0 ? 0 : -1,
    "aria-label": `${heading}: ${lines.map(([name, value]) => `${name} ${value}`).join(", ")}`,
  };
  return href === undefined ? (
    <g {...shared} role="img">
      {inside}
    </g>
  ) : (
    <a {...shared} href={href}>
      {inside}
    </a>
  );
}

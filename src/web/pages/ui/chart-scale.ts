/** Geometry shared by the charts. Everything is a percentage of the plot, so no text is ever stretched. */
import { scaleBand, scaleLinear } from "d3-scale";
import type { Formatter } from "../../format.ts";

/** A number with few enough decimals for an attribute. */
export function percent(value: number): string {
  return `${Math.round(value * 1000) / 1000}%`;
}

/** Exact amounts become floats here, for drawing only; what is read is formatted from the amount itself. */
export function toAxis(value: bigint, perUnit: bigint): number {
  return value <= 0n ? 0 : Number(value) / Number(perUnit);
}

export interface ValueAxis {
  /** Ticks from zero up to the top, evenly spaced. */
  readonly ticks: readonly number[];
  /** Distance from the plot's top, 0 to 100. */
  readonly y: (value: number) => number;
}

/** An axis from zero to a round number above the largest value; of nothing but zeros, zero alone. */
export function valueAxis(largest: number): ValueAxis {
  if (largest <= 0) return { ticks: [0], y: () => 100 };
  const scale = scaleLinear().domain([0, largest]).nice(4).range([100, 0]);
  return { ticks: scale.ticks(4), y: (value) => scale(value) };
}

export interface DayAxis {
  readonly x: (index: number) => number;
  readonly width: number;
  /** The full share of a column with its gap: what the pointer may hit. */
  readonly step: number;
}

export function dayAxis(count: number): DayAxis {
  const scale = scaleBand<number>()
    .domain(Array.from({ length: count }, (_, index) => index))
    .range([0, 100])
    .paddingInner(0.26)
    .paddingOuter(0.13);
  return { x: (index) => scale(index) ?? 0, width: scale.bandwidth(), step: scale.step() };
}

const MOST_LABELS = 6;
/** From here on days are too thin to name: months are. */
const MONTHS_FROM = 46;
/** A label starts at its column; from here on it would run out of the plot. */
const LAST_LABEL_AT = 0.94;

export interface DayLabel {
  readonly index: number;
  readonly text: string;
}

/** A few days named, evenly; over more than six weeks the months where they begin. */
export function dayLabels(days: readonly string[], fmt: Formatter): readonly DayLabel[] {
  const fits = ({ index }: { readonly index: number }): boolean => index === 0 || index / days.length < LAST_LABEL_AT;
  if (days.length >= MONTHS_FROM) return monthLabels(days, fmt).filter(fits);
  const step = Math.ceil(days.length / MOST_LABELS);
  return days
    .map((day, index) => ({ index, text: fmt.dayMonth(day) }))
    .filter(({ index }) => index % step === 0)
    .filter(fits);
}

function monthLabels(days: readonly string[], fmt: Formatter): readonly DayLabel[] {
  const starts = days
    .map((day, index) => ({ index, day }))
    .filter(({ day, index }) => index === 0 || day.endsWith("-01"));
  // A month of which only the last days are shown would run into the next one's label.
  const [first, second] = starts;
  const roomy =
    first !== undefined && second !== undefined && second.index < days.length / 8 ? starts.slice(1) : starts;
  const step = Math.ceil(roomy.length / MOST_LABELS);
  return roomy
    .filter((_, position) => position % step === 0)
    .map(({ index, day }) => ({ index, text: fmt.monthShort(day) }));
}

/** Axis labels: whole numbers as such, fractions with the decimals they need. */
export function tickText(value: number, fmt: Formatter): string {
  const thousandths = BigInt(Math.round(value * 1000));
  const decimals = thousandths % 1000n === 0n ? 0 : thousandths % 100n === 0n ? 1 : thousandths % 10n === 0n ? 2 : 3;
  return fmt.decimal(thousandths, 1000n, decimals);
}

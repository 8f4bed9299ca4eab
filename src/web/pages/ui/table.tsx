/** Tables of numbers: units in the header, figures right-aligned, the sum below. */
import type { ComponentChildren } from "preact";

export interface Column<Row> {
  readonly key: string;
  readonly header: ComponentChildren;
  /** What the column is called where there is no room for a header: on a phone, and for an empty header. */
  readonly label?: string;
  readonly align?: "start" | "end";
  readonly cell: (row: Row) => ComponentChildren;
  /**
   * On a phone: `keep` stands in the row's first line, `line` below it with its label, `bare` below it
   * without one (a pill says enough), `hide` not at all.
   * Unless told, the first and the last column are kept and the others are lines.
   */
  readonly phone?: "keep" | "line" | "bare" | "hide";
  /** No line breaks inside a cell: dates, names of things. Numbers never break. */
  readonly nowrap?: boolean;
}

/** A row of the foot: a sum, a tax, a total. Cells by column key; the first column's cell is its heading. */
export interface FootRow {
  readonly cells: Readonly<Record<string, ComponentChildren>>;
  /** `total` is set stronger and larger; `plain` is a line between sums. */
  readonly look?: "sum" | "plain" | "total";
}

export interface DataTableProps<Row> {
  /** What the table holds, for those who listen. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowId?: (row: Row) => string | undefined;
  /** A panel below a row, such as why it costs what it does; null for none. */
  readonly detail?: (row: Row) => ComponentChildren | null;
  readonly foot?: readonly FootRow[];
  /** `stack` folds each row on a phone; `scroll` keeps the table and lets it move sideways. */
  readonly phone?: "stack" | "scroll";
}

/** How each column behaves, worked out once per table. */
interface Placed<Row> {
  readonly column: Column<Row>;
  readonly className: string;
  readonly label: string | undefined;
}

function place<Row>(columns: readonly Column<Row>[]): readonly Placed<Row>[] {
  const last = columns.length - 1;
  return columns.map((column, index) => {
    const phone = column.phone ?? (index === 0 || index === last ? "keep" : "line");
    const words = [column.align === "end" ? "num" : "", `phone-${phone}`, column.nowrap === true ? "nowrap" : ""];
    const label = column.label ?? (typeof column.header === "string" ? column.header : undefined);
    return { column, className: words.filter(Boolean).join(" "), label };
  });
}

/**
 * Explicit roles, because a table that is laid out otherwise on a phone loses its meaning for screen
 * readers in some browsers.
 */
export function DataTable<Row>({
  caption,
  columns,
  rows,
  rowId,
  detail,
  foot = [],
  phone = "stack",
}: DataTableProps<Row>) {
  const placed = place(columns);
  const table = (
    <table class={`table table-${phone}`} role="table">
      <caption class="hidden-visually">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {placed.map(({ column, className, label }) => (
            <th scope="col" role="columnheader" class={className}>
              {column.header === "" ? <span class="hidden-visually">{label}</span> : column.header}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <BodyRow placed={placed} row={row} id={rowId?.(row)} detail={detail?.(row) ?? null} />
        ))}
      </tbody>
      {foot.length === 0 ? null : (
        <tfoot role="rowgroup">
          {foot.map((one) => (
            <FootLine placed={placed} foot={one} />
          ))}
        </tfoot>
      )}
    </table>
  );
  // A region that scrolls must be reachable by keyboard, and then it needs a name.
  return phone === "scroll" ? (
    <div class="table-scroll" role="region" aria-label={caption} tabIndex={0}>
      {table}
    </div>
  ) : (
    table
  );
}

function BodyRow<Row>({
  placed,
  row,
  id,
  detail,
}: {
  readonly placed: readonly Placed<Row>[];
  readonly row: Row;
  readonly id: string | undefined;
  readonly detail: ComponentChildren;
}) {
  return (
    <>
      <tr role="row" id={id} class={detail === null ? undefined : "has-detail"}>
        {placed.map(({ column, className, label }, index) =>
          index === 0 ? (
            <th scope="row" role="rowheader" class={className}>
              {column.cell(row)}
            </th>
          ) : (
            <td role="cell" class={className} data-label={label}>
              {column.cell(row)}
            </td>
          ),
        )}
      </tr>
      {detail === null ? null : (
        <tr role="row" class="detail">
          <td role="cell" colSpan={placed.length}>
            {detail}
          </td>
        </tr>
      )}
    </>
  );
}

function FootLine<Row>({ placed, foot }: { readonly placed: readonly Placed<Row>[]; readonly foot: FootRow }) {
  return (
    <tr role="row" class={`foot-${foot.look ?? "sum"}`}>
      {placed.map(({ column, className, label }, index) =>
        index === 0 ? (
          <th scope="row" role="rowheader" class={className}>
            {foot.cells[column.key]}
          </th>
        ) : (
          <td
            role="cell"
            class={foot.cells[column.key] === undefined ? `${className} foot-empty` : className}
            data-label={label}
          >
            {foot.cells[column.key]}
          </td>
        ),
      )}
    </tr>
  );
}

/** A cell of two lines: what it is, and below it, smaller, what it belongs to. */
export function TwoLines({ main, note }: { readonly main: ComponentChildren; readonly note: ComponentChildren }) {
  return (
    <>
      <span class="line-main">{main}</span>
      <span class="line-note">{note}</span>
    </>
  );
}

export interface BarItem {
  readonly label: ComponentChildren;
  readonly note?: ComponentChildren;
  /** Length of the bar is its share of the largest. */
  readonly size: bigint;
  readonly value: ComponentChildren;
}

/** Who or what is largest, with bars to compare by. */
export function BarList({ items }: { readonly items: readonly BarItem[] }) {
  const largest = items.reduce((most, { size }) => (size > most ? size : most), 0n);
  // Tenths of a percent are finer than a pixel here.
  const share = (size: bigint): number => (largest > 0n && size > 0n ? Number((size * 1000n) / largest) / 10 : 0);
  return (
    <ol class="bars">
      {items.map(({ label, note, size, value }) => (
        <li>
          <div class="bars-label">
            <span class="line-main">{label}</span>
            {note === undefined ? null : <span class="line-note">{note}</span>}
          </div>
          <svg class="bar" width="100%" height="6" aria-hidden="true" focusable="false">
            <rect class="bar-track" width="100%" height="6" rx="3" />
            <rect class="fill-cpu" width={`${share(size)}%`} height="6" rx="3" />
          </svg>
          <div class="bars-value">{value}</div>
        </li>
      ))}
    </ol>
  );
}

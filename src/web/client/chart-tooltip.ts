/**
 * Exact values beside a chart's column, on hover, on focus and on touch. They come from the column's
 * `<title>`, which serves where scripts are off: a heading, then lines of name, tab, value.
 */
const GAP_PX = 10;

export function startChart(chart: HTMLElement): void {
  const columns = [...chart.querySelectorAll<SVGElement>(".column")];
  if (columns.length === 0) return;
  const texts = new Map(columns.map((column) => [column, takeTitle(column)]));
  const tip = document.createElement("div");
  tip.className = "chart-tip";
  tip.hidden = true;
  // Screen readers have the column's own label.
  tip.setAttribute("aria-hidden", "true");
  chart.append(tip);

  function show(column: SVGElement): void {
    tip.replaceChildren(...linesOf(texts.get(column) ?? ""));
    tip.hidden = false;
    place(tip, chart, column);
  }
  function hide(): void {
    tip.hidden = true;
  }
  for (const column of columns) {
    column.addEventListener("pointerenter", () => show(column));
    column.addEventListener("focus", () => show(column));
    column.addEventListener("blur", hide);
  }
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    else moveFocus(event, columns);
  });
}

/** The browser's own tooltip would show the same beside ours. */
function takeTitle(column: SVGElement): string {
  const title = column.querySelector("title");
  title?.remove();
  return title?.textContent ?? "";
}

function linesOf(text: string): Node[] {
  const [heading = "", ...lines] = text.split("\n");
  const head = document.createElement("strong");
  head.textContent = heading;
  const list = document.createElement("dl");
  for (const line of lines) {
    const [name = "", value = ""] = line.split("\t");
    const term = document.createElement("dt");
    term.textContent = name;
    const amount = document.createElement("dd");
    amount.textContent = value;
    list.append(term, amount);
  }
  return [head, list];
}

/** Beside the column, on the side that has room; never outside the chart. */
function place(tip: HTMLElement, chart: HTMLElement, column: SVGElement): void {
  const frame = chart.getBoundingClientRect();
  const target = (column.querySelector(".column-target") ?? column).getBoundingClientRect();
  const right = target.right - frame.left + GAP_PX;
  const left = target.left - frame.left - GAP_PX - tip.offsetWidth;
  const x = right + tip.offsetWidth <= frame.width ? right : Math.max(0, left);
  // Through the object model, which the content security policy allows; a style attribute it would not.
  tip.style.left = `${x}px`;
}

/** One stop for Tab; the arrow keys walk the days. */
function moveFocus(event: KeyboardEvent, columns: readonly SVGElement[]): void {
  const here = columns.findIndex((column) => column === document.activeElement);
  if (here === -1) return;
  const targets: Readonly<Record<string, number>> = {
    ArrowLeft: here - 1,
    ArrowRight: here + 1,
    Home: 0,
    End: columns.length - 1,
  };
  const next = columns[targets[event.key] ?? -1];
  if (next === undefined) return;
  event.preventDefault();
  for (const column of columns) column.setAttribute("tabindex", column === next ? "0" : "-1");
  next.focus();
}

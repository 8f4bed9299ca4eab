/**
 * `sacct --parsable2` does not escape: a job name or a comment may hold the separator. Such a row has
 * too many fields; this finds out which of its separators are text, by what the other columns must look like.
 */
import { sameBytes } from "./bytes.ts";
import type { Layout } from "./columns.ts";
import { fitsKind } from "./field-shapes.ts";
import { malformed, parsed, type Parsed } from "./parsed.ts";
import { fieldEnd, fieldStart, MAX_FIELDS, type Row } from "./row.ts";

/** Separators inside text that are tried; a row with more is refused. */
const MAX_EXTRA_SEPARATORS = 200;
/** Ways to read one row that are compared; a row with more is refused as ambiguous. */
const MAX_READINGS = 64;

/** Neighbouring columns that are read together: one typed column, or a run of free-text ones. */
interface Span {
  readonly firstColumn: number;
  readonly columns: number;
  /** The column of a free-text run that gets the extra separators; -1 for a typed column. */
  readonly widest: number;
}

/**
 * Puts the fields of a row back together so that it has as many as the header.
 * Among neighbouring free-text columns nothing tells where one ends: the comment, else the job name,
 * else the last of them gets the extra separators.
 * @returns the cuts of the one reading under which every typed column holds what it should, or, if
 * several do, of the first, provided that they agree on every typed column; else a reason.
 */
export function rejoinRow(row: Row, layout: Layout): Parsed<Int32Array> {
  const extra = row.fields - layout.fields;
  if (extra < 0) return malformed(`has ${row.fields} fields, the header has ${layout.fields}`);
  const tooMany = `has ${row.fields} fields, the header has ${layout.fields}`;
  if (row.fields > MAX_FIELDS || extra > MAX_EXTRA_SEPARATORS) return malformed(tooMany);
  const spans = spansOf(layout);
  if (extra > 0 && spans.every((span) => span.widest < 0)) {
    return malformed(`${tooMany}, and no free-text column is there that the extra separators could belong to`);
  }
  const readings = findReadings(row, layout, spans, extra);
  const first = readings[0];
  if (first === undefined) {
    return malformed(
      extra === 0
        ? "its columns do not hold what the header says"
        : `${tooMany}, and no way to join them gives valid columns`,
    );
  }
  const agree = readings.length < MAX_READINGS && readings.every((other) => sameTypedFields(row, layout, first, other));
  return agree ? parsed(first) : malformed(`${tooMany}, and they can be joined in more than one way`);
}

function spansOf(layout: Layout): readonly Span[] {
  const spans: Span[] = [];
  for (let column = 0; column < layout.fields; column++) {
    if (layout.kinds[column] !== "free") {
      spans.push({ firstColumn: column, columns: 1, widest: -1 });
      continue;
    }
    const firstColumn = column;
    while (layout.kinds[column + 1] === "free") column++;
    const names = layout.names.slice(firstColumn, column + 1);
    const preferred = [names.indexOf("comment"), names.indexOf("jobname"), names.length - 1].find((at) => at >= 0);
    spans.push({ firstColumn, columns: names.length, widest: firstColumn + (preferred ?? 0) });
  }
  return spans;
}

/** Walks the columns from the left, giving each free-text run every number of extra separators that is left. */
function findReadings(row: Row, layout: Layout, spans: readonly Span[], extra: number): Int32Array[] {
  const readings: Int32Array[] = [];
  const deadEnds = new Set<number>();
  const taken: number[] = [];
  const walk = (spanIndex: number, token: number, left: number): boolean => {
    const span = spans[spanIndex];
    if (span === undefined) {
      if (left > 0) return false;
      readings.push(cutsOf(row, layout, spans, taken));
      return true;
    }
    const state = spanIndex * (MAX_FIELDS + 1) + token;
    if (deadEnds.has(state)) return false;
    let found = false;
    if (span.widest >= 0) {
      for (let more = 0; more <= left && readings.length < MAX_READINGS; more++) {
        taken[spanIndex] = more;
        found = walk(spanIndex + 1, token + span.columns + more, left - more) || found;
      }
    } else if (
      fitsKind(layout.kinds[span.firstColumn] ?? "other", row.bytes, fieldStart(row, token), fieldEnd(row, token))
    ) {
      found = walk(spanIndex + 1, token + 1, left);
    }
    if (!found && readings.length < MAX_READINGS) deadEnds.add(state);
    return found;
  };
  walk(0, 0, extra);
  return readings;
}

function cutsOf(row: Row, layout: Layout, spans: readonly Span[], taken: readonly number[]): Int32Array {
  const cuts = new Int32Array(layout.fields + 1);
  cuts[0] = row.cuts[0] ?? 0;
  let token = 0;
  spans.forEach((span, spanIndex) => {
    for (let column = span.firstColumn; column < span.firstColumn + span.columns; column++) {
      token += column === span.widest ? 1 + (taken[spanIndex] ?? 0) : 1;
      cuts[column + 1] = row.cuts[token] ?? 0;
    }
  });
  return cuts;
}

function sameTypedFields(row: Row, layout: Layout, left: Int32Array, right: Int32Array): boolean {
  return layout.kinds.every((kind, column) => {
    if (kind === "free") return true;
    const leftStart = (left[column] ?? 0) + 1;
    const rightStart = (right[column] ?? 0) + 1;
    return sameBytes(row.bytes, leftStart, left[column + 1] ?? 0, row.bytes, rightStart, right[column + 1] ?? 0);
  });
}

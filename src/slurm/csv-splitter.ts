/**
 * Rows of a CSV file (RFC 4180): fields may be quoted, and a quoted field may hold commas, line breaks
 * and doubled quotes. Quoting leaves no doubt, so nothing is guessed here.
 */
import { ByteWindow } from "./byte-window.ts";
import type { Layout } from "./columns.ts";
import {
  CARRIAGE_RETURN,
  emptyRow,
  LINE_FEED,
  MAX_FIELDS,
  MAX_ROW_BYTES,
  MAX_ROW_LINES,
  type Row,
  type RowSink,
  type RowSplitter,
} from "./row.ts";

const COMMA = 0x2c;
const QUOTE = 0x22;
const INITIAL_WINDOW_BYTES = 1_048_576;

/** What became of an attempt to read one record. */
type Outcome = "complete" | "more-needed" | "bad-quoting" | "unclosed" | "too-long" | "cut-off";

export class CsvSplitter implements RowSplitter {
  readonly #layout: Layout;
  readonly #sink: RowSink;
  readonly #window = new ByteWindow(INITIAL_WINDOW_BYTES);
  /** The fields of the record without their quotes. */
  readonly #row: Row = emptyRow(Buffer.allocUnsafe(MAX_ROW_BYTES + 2));
  #recordStart = 0;
  #recordEnd = 0;
  #recordLines = 0;
  #line: number;
  #isSkipping = false;

  /** @param options.firstLine the number of the line behind the header. */
  constructor(layout: Layout, options: { firstLine: number }, sink: RowSink) {
    this.#layout = layout;
    this.#sink = sink;
    this.#line = options.firstLine;
  }

  feed(piece: Uint8Array): void {
    if (piece.includes(0)) this.#row.mayHoldNul = true;
    this.#recordStart -= this.#window.append(piece, this.#recordStart);
    this.#readRecords(false);
  }

  finish(): void {
    this.#readRecords(true);
  }

  abandon(): void {
    this.#recordStart = this.#window.end;
  }

  #readRecords(isLast: boolean): void {
    while (this.#recordStart < this.#window.end) {
      if (this.#isSkipping) {
        const lineFeed = this.#lineFeedFrom(this.#recordStart);
        this.#recordStart = lineFeed < 0 ? this.#window.end : lineFeed + 1;
        if (lineFeed < 0) return;
        this.#isSkipping = false;
        this.#line++;
        continue;
      }
      const outcome = this.#readRecord(isLast);
      if (outcome === "more-needed") return;
      if (outcome === "complete" || outcome === "cut-off") this.#handOn(outcome === "cut-off", isLast);
      else this.#refuseLine(outcome);
    }
  }

  #lineFeedFrom(at: number): number {
    const lineFeed = this.#window.bytes.subarray(at, this.#window.end).indexOf(LINE_FEED);
    return lineFeed < 0 ? -1 : at + lineFeed;
  }

  /** Reads the record at `#recordStart` into `#row`; the record ends at the first line break outside quotes. */
  #readRecord(isLast: boolean): Outcome {
    const { bytes, end } = this.#window;
    const row = this.#row;
    const limit = Math.min(end, this.#recordStart + MAX_ROW_BYTES + 1);
    let written = 1;
    let isQuoted = false;
    let isFieldStart = true;
    row.fields = 0;
    row.cuts[0] = 0;
    this.#recordLines = 1;
    for (let at = this.#recordStart; at < limit; at++) {
      const byte = bytes[at] ?? 0;
      if (isQuoted) {
        if (byte === QUOTE && bytes[at + 1] === QUOTE && at + 1 < end) at++;
        else if (byte === QUOTE) {
          const next = at + 1 < end ? bytes[at + 1] : isLast ? LINE_FEED : -1;
          if (next === -1) return limit < end ? "too-long" : "more-needed";
          if (next !== COMMA && next !== LINE_FEED && next !== CARRIAGE_RETURN) return "bad-quoting";
          isQuoted = false;
          continue;
        } else if (byte === LINE_FEED && ++this.#recordLines > MAX_ROW_LINES) return "unclosed";
        row.bytes[written++] = byte;
      } else if (byte === QUOTE && isFieldStart) {
        isQuoted = true;
        isFieldStart = false;
      } else if (byte === COMMA || byte === LINE_FEED) {
        const isCrLf = byte === LINE_FEED && at > this.#recordStart && bytes[at - 1] === CARRIAGE_RETURN;
        if (isCrLf) written--;
        this.#closeField(written++);
        isFieldStart = true;
        if (byte === LINE_FEED) {
          this.#recordEnd = isCrLf ? at - 1 : at;
          return "complete";
        }
      } else {
        isFieldStart = false;
        row.bytes[written++] = byte;
      }
    }
    if (end - this.#recordStart > MAX_ROW_BYTES) return isQuoted ? "unclosed" : "too-long";
    if (!isLast) return "more-needed";
    this.#closeField(written);
    this.#recordEnd = end;
    if (isQuoted) return this.#lineFeedFrom(this.#recordStart) < 0 ? "cut-off" : "unclosed";
    return "complete";
  }

  #closeField(end: number): void {
    this.#row.fields++;
    if (this.#row.fields <= MAX_FIELDS) this.#row.cuts[this.#row.fields] = end;
  }

  #handOn(isInsideQuotes: boolean, isLast: boolean): void {
    const row = this.#row;
    row.line = this.#line;
    row.raw = this.#window.bytes;
    row.rawStart = this.#recordStart;
    row.rawEnd = this.#recordEnd;
    const isUnterminated = isLast && this.#lineFeedFrom(this.#recordEnd) < 0;
    const isBlank = row.rawEnd === row.rawStart;
    if (row.fields === this.#layout.fields && !isInsideQuotes) this.#sink.row(row);
    else if (isInsideQuotes || (isUnterminated && row.fields < this.#layout.fields)) this.#sink.cutOff(row);
    else if (!isBlank) {
      const reason = `has ${row.fields} fields, the header has ${this.#layout.fields} (a field with a comma must be quoted)`;
      this.#sink.refuse({ ...row, reason }, row.fields <= MAX_FIELDS ? row : null);
    }
    this.#line += this.#recordLines;
    const lineFeed = this.#lineFeedFrom(this.#recordEnd);
    this.#recordStart = lineFeed < 0 ? this.#window.end : lineFeed + 1;
  }

  /** Only the first line is given up; what follows may be good again. */
  #refuseLine(outcome: Outcome): void {
    const lineFeed = this.#lineFeedFrom(this.#recordStart);
    const lineEnd = lineFeed < 0 ? this.#window.end : lineFeed;
    const isLongLine = lineEnd - this.#recordStart > MAX_ROW_BYTES;
    const reason = isLongLine
      ? `the line is longer than ${MAX_ROW_BYTES} bytes`
      : outcome === "bad-quoting"
        ? "a quoted field is followed by something other than a comma (a quote inside quotes is written twice)"
        : `a quoted field is not closed within ${MAX_ROW_LINES} lines`;
    this.#sink.refuse(
      { line: this.#line, reason, raw: this.#window.bytes, rawStart: this.#recordStart, rawEnd: lineEnd },
      null,
    );
    this.#isSkipping = lineFeed < 0;
    this.#recordStart = lineFeed < 0 ? this.#window.end : lineFeed + 1;
    if (lineFeed >= 0) this.#line++;
  }
}

/**
 * Rows of `sacct --parsable2`: one line each, unless a comment holds a line break. A row is handed on
 * only when the next line is known, because only that tells whether the row went on.
 */
import { ByteWindow } from "./byte-window.ts";
import { idColumn, type Layout } from "./columns.ts";
import { isJobOrStepId } from "./job-id.ts";
import { rejoinRow } from "./rejoin.ts";
import {
  CARRIAGE_RETURN,
  emptyRow,
  fieldEnd,
  fieldStart,
  LINE_FEED,
  MAX_FIELDS,
  MAX_REJECT_CHARACTERS,
  MAX_ROW_BYTES,
  MAX_ROW_LINES,
  type Row,
  type RowSink,
  type RowSplitter,
} from "./row.ts";

const INITIAL_WINDOW_BYTES = 1_048_576;
const STRAY_REASON = "the line does not start with a job id, and is not part of the row before it";
/** What is kept of a line that is too long, to show it. */
const KEPT_BYTES_OF_LONG_LINE = MAX_REJECT_CHARACTERS * 4;

export class SacctSplitter implements RowSplitter {
  readonly #layout: Layout;
  readonly #delimiter: number;
  readonly #sink: RowSink;
  readonly #window = new ByteWindow(INITIAL_WINDOW_BYTES);
  /** The line being scanned, and the row that waits for it. They trade places. */
  #line: Row;
  #waiting: Row;
  #hasWaiting = false;
  /** Of the waiting row: where its first line ends, and how many fields and lines it has. */
  #firstLineEnd = 0;
  #firstLineFields = 0;
  #waitingLines = 0;
  #scanned = 0;
  #lineNumber: number;
  /** The line is too long: only its start is kept, and its end is looked for. */
  #isSkipping = false;

  /** @param options.firstLine the number of the line behind the header. */
  constructor(layout: Layout, options: { delimiter: number; firstLine: number }, sink: RowSink) {
    this.#layout = layout;
    this.#delimiter = options.delimiter;
    this.#sink = sink;
    this.#lineNumber = options.firstLine;
    this.#line = emptyRow(this.#window.bytes);
    this.#waiting = emptyRow(this.#window.bytes);
    this.#startLine(0);
  }

  feed(piece: Uint8Array): void {
    const keepFrom = this.#hasWaiting ? this.#waiting.rawStart : this.#line.rawStart;
    const moved = this.#window.append(piece, keepFrom);
    this.#scanned -= moved;
    this.#firstLineEnd -= moved;
    const hasNul = piece.includes(0);
    for (const row of [this.#line, this.#waiting]) {
      if (hasNul) row.mayHoldNul = true;
      row.bytes = this.#window.bytes;
      row.raw = this.#window.bytes;
      row.rawStart -= moved;
      row.rawEnd -= moved;
      if (moved > 0)
        for (let at = 0; at <= Math.min(row.fields, MAX_FIELDS); at++) row.cuts[at] = (row.cuts[at] ?? 0) - moved;
    }
    this.#scan();
  }

  finish(): void {
    const line = this.#line;
    if (this.#window.end > line.rawStart) {
      this.#closeLine(this.#window.end);
      if (this.#isSkipping || line.fields >= this.#layout.fields) this.#takeLine();
      else if (!this.#completesWaiting(line)) {
        this.#releaseWaiting();
        this.#sink.cutOff(line);
      }
    }
    this.#releaseWaiting();
  }

  abandon(): void {
    // What waits may go on behind the cut, unless its columns are all there and it is one line.
    if (this.#hasWaiting && this.#waiting.fields === this.#layout.fields && this.#waitingLines === 1)
      this.#releaseWaiting();
    this.#hasWaiting = false;
  }

  /**
   * The tight loop: every byte of the dump passes here once. Four bytes are looked at together: with `v`
   * the word XOR a repeated byte, `(v - 0x01010101) & ~v & 0x80808080` has a bit set for each of the four
   * that is this byte (and sometimes for one behind it, so each is checked). It takes half the time of
   * looking at every byte.
   */
  #scan(): void {
    const { bytes, view, end } = this.#window;
    const delimiter = this.#delimiter;
    const fourDelimiters = Math.imul(delimiter, 0x01010101);
    const fourLineFeeds = Math.imul(LINE_FEED, 0x01010101);
    let { cuts, fields } = this.#line;
    for (let wordAt = this.#scanned; wordAt < end; wordAt += 4) {
      const four = view.getInt32(wordAt, true);
      const d = four ^ fourDelimiters;
      const n = four ^ fourLineFeeds;
      let hits = (((d - 0x01010101) & ~d) | ((n - 0x01010101) & ~n)) & 0x80808080;
      while (hits !== 0) {
        const at = wordAt + ((31 - Math.clz32(hits & -hits)) >> 3);
        hits &= hits - 1;
        if (at >= end) break;
        const byte = bytes[at];
        if (byte === delimiter) {
          if (fields < MAX_FIELDS) cuts[fields + 1] = at;
          fields++;
        } else if (byte === LINE_FEED) {
          this.#line.fields = fields;
          this.#closeLine(at);
          this.#takeLine();
          this.#startLine(at + 1);
          ({ cuts, fields } = this.#line);
        }
      }
    }
    this.#line.fields = fields;
    this.#scanned = end;
    if (end - this.#line.rawStart > MAX_ROW_BYTES) this.#skipRestOfLine();
  }

  #startLine(at: number): void {
    const line = this.#line;
    line.rawStart = at;
    line.rawEnd = at;
    line.fields = 0;
    line.cuts[0] = at - 1;
    line.line = this.#lineNumber++;
    this.#isSkipping = false;
  }

  #closeLine(lineFeedAt: number): void {
    const line = this.#line;
    const hasCarriageReturn = lineFeedAt > line.rawStart && line.bytes[lineFeedAt - 1] === CARRIAGE_RETURN;
    const end = hasCarriageReturn ? lineFeedAt - 1 : lineFeedAt;
    line.fields++;
    if (line.fields <= MAX_FIELDS) line.cuts[line.fields] = end;
    line.rawEnd = end;
  }

  #skipRestOfLine(): void {
    this.#releaseWaiting();
    this.#isSkipping = true;
    this.#window.end = this.#line.rawStart + KEPT_BYTES_OF_LONG_LINE;
    this.#scanned = this.#window.end;
  }

  /** Decides what the line is: a row, more of the row before it, or neither. */
  #takeLine(): void {
    const line = this.#line;
    if (this.#isSkipping || line.rawEnd - line.rawStart > MAX_ROW_BYTES) {
      this.#releaseWaiting();
      this.#sink.refuse({ ...line, reason: `the line is longer than ${MAX_ROW_BYTES} bytes` }, null);
      return;
    }
    if (line.fields === this.#layout.fields || this.#startsRecord(line)) {
      this.#releaseWaiting();
      this.#line = this.#waiting;
      this.#waiting = line;
      this.#hasWaiting = true;
      this.#waitingLines = 1;
      this.#firstLineEnd = line.rawEnd;
      this.#firstLineFields = line.fields;
      return;
    }
    const isBlank = line.rawEnd === line.rawStart;
    if (this.#mayContinueWaiting(line, isBlank)) this.#continueWaiting(line);
    else if (!isBlank) {
      this.#releaseWaiting();
      this.#sink.refuse({ ...line, reason: STRAY_REASON }, null);
    }
  }

  #startsRecord(line: Row): boolean {
    const column = idColumn(this.#layout);
    // A lone number is not the start of a record: text may well have one on a line.
    return (
      line.fields > Math.max(column, 1) && isJobOrStepId(line.bytes, fieldStart(line, column), fieldEnd(line, column))
    );
  }

  /** Whether the waiting row lacks fields, or ends in text that the line may be more of. */
  #mayContinueWaiting(line: Row, isBlank: boolean): boolean {
    const waiting = this.#waiting;
    if (!this.#hasWaiting) return false;
    if (line.line - waiting.line >= MAX_ROW_LINES || line.rawEnd - waiting.rawStart > MAX_ROW_BYTES) return false;
    if (waiting.fields + line.fields > MAX_FIELDS) return false;
    if (waiting.fields < this.#layout.fields) return true;
    // After a complete row an empty line means nothing, and so does a text that would begin with a line break.
    const lastColumn = waiting.fields - 1;
    const endsInText =
      this.#layout.kinds.at(-1) === "free" && fieldEnd(waiting, lastColumn) > fieldStart(waiting, lastColumn);
    return endsInText && !isBlank;
  }

  /** At the end of the input: whether the unfinished line is just what the waiting row lacks; then it is joined. */
  #completesWaiting(line: Row): boolean {
    const joinedFields = this.#waiting.fields + line.fields - 1;
    const isRest = this.#waiting.fields < this.#layout.fields && joinedFields >= this.#layout.fields;
    if (!isRest || this.#startsRecord(line) || !this.#mayContinueWaiting(line, false)) return false;
    this.#continueWaiting(line);
    return true;
  }

  #continueWaiting(line: Row): void {
    const waiting = this.#waiting;
    const lastColumn = waiting.fields - 1;
    for (let field = 1; field <= line.fields; field++) waiting.cuts[lastColumn + field] = line.cuts[field] ?? 0;
    waiting.fields = lastColumn + line.fields;
    waiting.rawEnd = line.rawEnd;
    this.#waitingLines++;
  }

  #releaseWaiting(): void {
    if (!this.#hasWaiting) return;
    this.#hasWaiting = false;
    const row = this.#waiting;
    if (row.fields === this.#layout.fields && this.#waitingLines === 1) {
      this.#sink.row(row);
      return;
    }
    const joined = rejoinRow(row, this.#layout);
    if (joined.ok) {
      row.cuts.set(joined.value);
      row.fields = this.#layout.fields;
      this.#sink.row(row);
    } else if (this.#waitingLines === 1) this.#sink.refuse({ ...row, reason: joined.reason }, row);
    else this.#releaseLineByLine(row);
  }

  /** The lines do not make one record after all: the first stands for itself, the others are refused. */
  #releaseLineByLine(row: Row): void {
    const end = row.rawEnd;
    row.rawEnd = this.#firstLineEnd;
    row.fields = this.#firstLineFields;
    row.cuts[row.fields] = this.#firstLineEnd;
    this.#waitingLines = 1;
    this.#hasWaiting = true;
    this.#releaseWaiting();
    let line = row.line;
    let at = row.bytes.indexOf(LINE_FEED, this.#firstLineEnd) + 1;
    while (at > 0 && at <= end) {
      line++;
      const lineFeed = row.bytes.indexOf(LINE_FEED, at);
      const isLast = lineFeed < 0 || lineFeed >= end;
      const rawEnd = isLast ? end : row.bytes[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed;
      if (rawEnd > at) this.#sink.refuse({ line, reason: STRAY_REASON, raw: row.raw, rawStart: at, rawEnd }, null);
      at = isLast ? 0 : lineFeed + 1;
    }
  }
}

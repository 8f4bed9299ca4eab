/** One row of a dump, as ranges of bytes. */
export interface Row {
  /** Where the fields are. Valid only while the row is being handled: the buffer is reused. */
  bytes: Buffer;
  /** Field `i` is `bytes[cuts[i] + 1, cuts[i + 1])`. */
  readonly cuts: Int32Array;
  /** Number of fields; more than `MAX_FIELDS` are counted, but not kept. */
  fields: number;
  /** 1-based line of the input on which the row starts. */
  line: number;
  /** The row as it was written: `raw[rawStart, rawEnd)`, without its line end. */
  raw: Buffer;
  rawStart: number;
  rawEnd: number;
  /** False when no NUL was seen in the input so far, which saves looking for one. */
  mayHoldNul: boolean;
}

/** A row that was refused before anybody looked at its columns. */
export interface RowRefusal {
  readonly line: number;
  readonly reason: string;
  readonly raw: Buffer;
  readonly rawStart: number;
  readonly rawEnd: number;
}

/** Takes the rows of a dump, one after the other. */
export interface RowSink {
  row(row: Row): void;
  /** `row` is given where the first columns can still be trusted, so that its steps are known to be lost. */
  refuse(refusal: RowRefusal, row: Row | null): void;
  /** The input ended in the middle of `row`. */
  cutOff(row: Row): void;
}

/** Turns bytes into rows; `feed` may be given pieces that end anywhere. */
export interface RowSplitter {
  feed(piece: Uint8Array): void;
  /** The input is complete. */
  finish(): void;
  /** The input broke off; what was not complete is forgotten. */
  abandon(): void;
}

/** sacct has about 120 columns; a row with more separators than this is never a record. */
export const MAX_FIELDS = 2048;
/** Longest row, in bytes. */
export const MAX_ROW_BYTES = 1_048_576;
/** Most lines one record may span. */
export const MAX_ROW_LINES = 100;
/** Characters of a refused row that are kept. */
export const MAX_REJECT_CHARACTERS = 4096;

export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;

/** An empty row over `bytes`. */
export function emptyRow(bytes: Buffer): Row {
  return {
    bytes,
    cuts: new Int32Array(MAX_FIELDS + 2),
    fields: 0,
    line: 0,
    raw: bytes,
    rawStart: 0,
    rawEnd: 0,
    mayHoldNul: false,
  };
}

/** Where field `column` starts. */
export function fieldStart(row: Row, column: number): number {
  return (row.cuts[column] ?? 0) + 1;
}

/** Where field `column` ends. */
export function fieldEnd(row: Row, column: number): number {
  return row.cuts[column + 1] ?? 0;
}

/** The row as text for a rejects file: at most 4,096 characters, without NUL. */
export function rejectText(raw: Buffer, start: number, end: number): string {
  const MAX_BYTES_PER_CHARACTER = 4;
  const cut = Math.min(end, start + MAX_REJECT_CHARACTERS * MAX_BYTES_PER_CHARACTER);
  const text = raw.toString("utf8", start, cut).replaceAll("\0", "\uFFFD");
  return text.length > MAX_REJECT_CHARACTERS ? text.slice(0, MAX_REJECT_CHARACTERS) : text;
}

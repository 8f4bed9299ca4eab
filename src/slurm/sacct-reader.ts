/** Reads a dump of Slurm's accounting, as sacct(1) writes it, into job records, in constant memory. */
import { UserError } from "../errors.ts";
import { Assembler } from "./assembler.ts";
import { CsvSplitter } from "./csv-splitter.ts";
import { readHeader, type DumpFormat } from "./header.ts";
import { inflate, type InputPiece } from "./inflate.ts";
import type { JobRecord, RejectedRow } from "./job-record.ts";
import { CARRIAGE_RETURN, LINE_FEED, MAX_ROW_BYTES, type RowSplitter } from "./row.ts";
import { SacctSplitter } from "./sacct-splitter.ts";

export type { DumpFormat } from "./header.ts";

/** Some jobs of a dump, in the order in which their rows stand there. */
export interface DumpBatch {
  readonly records: readonly JobRecord[];
  readonly rejects: readonly RejectedRow[];
  /** Rows of data behind this batch: jobs, steps and rejected ones; the header is none. */
  readonly rowsRead: number;
  /** Bytes of the input (compressed, if it is) taken so far, over all batches. */
  readonly bytesRead: number;
}

export interface DumpOptions {
  /** The cluster of rows that name none. */
  readonly defaultCluster: string;
  readonly format: DumpFormat;
  /** A batch is closed by the first job beyond this many, or earlier when many rows are rejected. */
  readonly jobsPerBatch: number;
}

const BYTE_ORDER_MARK = "\uFEFF";

/**
 * Reads a dump: sacct's `--parsable2` (or `--parsable`) output or CSV, with a header, plain or gzip.
 * Times without a zone are taken as UTC, so the dump should be made with `TZ=UTC`. Rows that cannot be
 * used come back as rejects; they never stop the others.
 * @throws UserError when the header is missing or lacks columns, at once; when the input breaks off or
 * is damaged, after the jobs before that point, but for the last, were yielded.
 */
export async function* readDump(input: AsyncIterable<Uint8Array>, options: DumpOptions): AsyncGenerator<DumpBatch> {
  let head: Buffer | null = Buffer.alloc(0);
  let reader: Reader | null = null;
  let bytesRead = 0;
  const pieces = inflate(input);
  try {
    for (;;) {
      const next = await nextPiece(pieces);
      if (next.kind === "failed") {
        reader?.breakOff();
        yield* batchesOf(reader, bytesRead);
        throw next.error;
      }
      if (next.kind === "done") break;
      bytesRead = next.piece.inputBytes;
      if (reader !== null) reader.splitter.feed(next.piece.bytes);
      else {
        head = Buffer.concat([head ?? Buffer.alloc(0), next.piece.bytes]);
        reader = startReader(head, options, { isComplete: false });
        if (reader !== null) head = null;
      }
      yield* batchesOf(reader, bytesRead);
    }
    reader ??= startReader(head ?? Buffer.alloc(0), options, { isComplete: true });
    reader?.finish();
    yield* batchesOf(reader, bytesRead);
  } finally {
    await pieces.return(undefined);
  }
}

type Next =
  | { readonly kind: "piece"; readonly piece: InputPiece }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "done" };

async function nextPiece(pieces: AsyncGenerator<InputPiece>): Promise<Next> {
  try {
    const next = await pieces.next();
    return next.done === true ? { kind: "done" } : { kind: "piece", piece: next.value };
  } catch (error) {
    return { kind: "failed", error };
  }
}

function* batchesOf(reader: Reader | null, bytesRead: number): Generator<DumpBatch> {
  for (const batch of reader?.assembler.takeReady() ?? []) yield { ...batch, bytesRead };
}

/** Splits and assembles what is behind the header. */
class Reader {
  readonly splitter: RowSplitter;
  readonly assembler: Assembler;

  constructor(splitter: RowSplitter, assembler: Assembler) {
    this.splitter = splitter;
    this.assembler = assembler;
  }

  finish(): void {
    this.splitter.finish();
    this.assembler.finish({ brokeOff: false });
  }

  breakOff(): void {
    this.splitter.abandon();
    this.assembler.finish({ brokeOff: true });
  }
}

/** Reads the header and what follows it in `head`; null while the header's line is not complete. */
function startReader(head: Buffer, options: DumpOptions, input: { isComplete: boolean }): Reader | null {
  const lineFeed = head.indexOf(LINE_FEED);
  if (lineFeed < 0 && !input.isComplete && head.length <= MAX_ROW_BYTES) return null;
  const lineEnd = lineFeed < 0 ? head.length : lineFeed;
  if (lineEnd > MAX_ROW_BYTES)
    throw new UserError(`The first line is longer than ${MAX_ROW_BYTES} bytes: it is no header.`);
  const end = head[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd;
  const text = head.toString("utf8", 0, end);
  const headerText = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  if (headerText.trim() === "") {
    throw new UserError(
      head.length === 0
        ? "The file is empty; it needs at least a header line."
        : "The first line is empty; it must be the header.",
    );
  }
  const { kind, delimiter, layout } = readHeader(headerText, options.format);
  const assembler = new Assembler(layout, { ...options, headerText });
  const splitter =
    kind === "csv"
      ? new CsvSplitter(layout, { firstLine: 2 }, assembler)
      : new SacctSplitter(layout, { delimiter, firstLine: 2 }, assembler);
  const reader = new Reader(splitter, assembler);
  if (lineFeed >= 0) splitter.feed(head.subarray(lineFeed + 1));
  return reader;
}

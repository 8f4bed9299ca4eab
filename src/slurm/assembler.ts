/** Puts jobs together: a job's row opens a run, the step rows behind it are added, the next job's row closes it. */
import { sameBytes } from "./bytes.ts";
import { idColumn, type Layout } from "./columns.ts";
import { isJobId, isStepName, stepDot } from "./job-id.ts";
import type { JobRecord, RejectedRow } from "./job-record.ts";
import { JobRowReader, type OpenRecord } from "./job-row.ts";
import {
  findRun,
  refusedJobReason,
  REPEATED_STEP,
  settleLooseSteps,
  type KnownJob,
  type LooseStep,
} from "./loose-steps.ts";
import {
  fieldEnd,
  fieldStart,
  MAX_REJECT_CHARACTERS,
  rejectText,
  type Row,
  type RowRefusal,
  type RowSink,
} from "./row.ts";
import { isEmpty, show } from "./row-fields.ts";
import { OpenRun, readStepUsage, stepStart } from "./step-usage.ts";

/** Jobs, rejected rows, and the number of rows they came from. */
export interface AssembledBatch {
  readonly records: readonly JobRecord[];
  readonly rejects: readonly RejectedRow[];
  readonly rowsRead: number;
}

/** A batch is also closed when so many of its rows were rejected or wait for their job: memory stays bounded. */
const MAX_LOOSE_ROWS = 4096;
const MAX_ID_BYTES = 256;
const MAX_TEXT_BYTES = MAX_REJECT_CHARACTERS * 4;

export class Assembler implements RowSink {
  readonly #layout: Layout;
  readonly #reader: JobRowReader;
  readonly #jobsPerBatch: number;
  readonly #headerText: string;
  #ready: AssembledBatch[] = [];
  /** The jobs of this batch; the last one may still get steps. */
  #jobs: KnownJob[] = [];
  /** The job that the next step most likely belongs to, and its raw id as bytes, to compare steps with. */
  #current: KnownJob | null = null;
  readonly #currentId = Buffer.alloc(MAX_ID_BYTES);
  #currentIdLength = 0;
  /** The row of the last job, in case it must be rejected after all. */
  readonly #lastJobRow = Buffer.alloc(MAX_TEXT_BYTES);
  #lastJobRowLength = 0;
  #looseSteps: LooseStep[] = [];
  #rejects: RejectedRow[] = [];
  #rowsRead = 0;

  constructor(layout: Layout, options: { defaultCluster: string; jobsPerBatch: number; headerText: string }) {
    this.#layout = layout;
    this.#reader = new JobRowReader(layout, options);
    this.#jobsPerBatch = Math.max(options.jobsPerBatch, 1);
    this.#headerText = options.headerText;
  }

  /** The batches that are complete; each is handed out once. */
  takeReady(): AssembledBatch[] {
    if (this.#ready.length === 0) return [];
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  row(row: Row): void {
    const column =
      isEmpty(row, this.#layout.jobIdRaw) && this.#layout.jobId >= 0 ? this.#layout.jobId : this.#layout.jobIdRaw;
    const idStart = fieldStart(row, column);
    const idEnd = fieldEnd(row, column);
    const dot = stepDot(row.bytes, idStart, idEnd);
    if (dot < 0 || isJobId(row.bytes, idStart, idEnd)) this.#takeJob(row, idStart, idEnd);
    else this.#takeStep(row, { column, idStart, dot, idEnd });
    if (this.#rejects.length + this.#looseSteps.length >= MAX_LOOSE_ROWS) this.#closeBatch(1);
  }

  refuse(refusal: RowRefusal, row: Row | null): void {
    this.#reject(refusal, refusal.reason);
    const id = row === null ? null : this.#leadingId(row);
    if (row !== null && id?.isStep === false) this.#remember({ rawId: id.rawId, run: null, line: row.line }, row);
    // What was refused may have been a job; from here on a step must prove that it belongs to the one before.
    else if (id === null) this.#current = null;
    if (this.#rejects.length >= MAX_LOOSE_ROWS) this.#closeBatch(1);
  }

  cutOff(row: Row): void {
    if (this.#leadingId(row)?.isStep !== false) this.#withholdLastJob();
    this.#reject(row, "the file ends in the middle of this row");
  }

  /** Closes the last batch. If the input broke off, the last job is dropped, because steps of it may be missing. */
  finish(options: { brokeOff: boolean }): void {
    if (options.brokeOff) this.#dropLastJob();
    this.#closeBatch(0);
  }

  #takeJob(row: Row, idStart: number, idEnd: number): void {
    const job = this.#reader.read(row);
    if (!job.ok) {
      const isId = isJobId(row.bytes, idStart, idEnd);
      if (!isId && this.#isHeader(row)) return;
      this.#reject(row, job.reason);
      if (isId) this.#remember({ rawId: row.bytes.toString("latin1", idStart, idEnd), run: null, line: row.line }, row);
      else this.#current = null;
      return;
    }
    const { record } = job.value;
    const last = this.#jobs.at(-1)?.run ?? null;
    // A row that stands there twice is one run, handed out twice, so that its steps count for it once.
    const isRepeated = last !== null && !last.hasSteps && isSameRun(last.record, record);
    const run = isRepeated ? last : new OpenRun(job.value);
    if (!isRepeated && this.#jobs.length >= this.#jobsPerBatch) this.#closeBatch(0);
    this.#rowsRead++;
    this.#remember({ rawId: record.rawJobId, run, line: row.line }, row);
  }

  #remember(job: KnownJob, row: Row): void {
    this.#jobs.push(job);
    this.#current = job;
    this.#currentIdLength = this.#currentId.write(job.rawId, "latin1");
    this.#lastJobRowLength = row.raw.copy(this.#lastJobRow, 0, row.rawStart, row.rawEnd);
  }

  #takeStep(row: Row, id: { column: number; idStart: number; dot: number; idEnd: number }): void {
    const { idStart, dot, idEnd } = id;
    const nameStart = dot + 1;
    if (!isJobId(row.bytes, idStart, dot) || !isStepName(row.bytes, nameStart, idEnd)) {
      this.#reject(row, `${show(row, id.column)} is not the id of a job or a step`);
      return;
    }
    const current = this.#current;
    const isCurrent = current !== null && sameBytes(row.bytes, idStart, dot, this.#currentId, 0, this.#currentIdLength);
    if (isCurrent && current.run === null) {
      this.#reject(row, refusedJobReason(current));
      return;
    }
    const startAt = stepStart(row, this.#layout);
    const usage = readStepUsage(row, this.#layout);
    if (isCurrent && current.run !== null) {
      const run = this.#runOfStep(current.run, current.rawId, startAt);
      if (run.addStep(usage, row.bytes, nameStart, idEnd)) this.#rowsRead++;
      else this.#reject(row, REPEATED_STEP);
      return;
    }
    this.#looseSteps.push({
      rawId: row.bytes.toString("latin1", idStart, dot),
      startAt,
      usage,
      name: Buffer.from(row.bytes.subarray(nameStart, idEnd)),
      line: row.line,
      text: rejectText(row.raw, row.rawStart, row.rawEnd),
    });
    this.#rowsRead++;
  }

  /** The job a step stands behind, unless another run of that job covers the step's start and this one does not. */
  #runOfStep(current: OpenRun, rawId: string, startAt: number): OpenRun {
    if (startAt < 0 || current.covers(startAt)) return current;
    return (
      findRun(
        startAt,
        this.#jobs.filter((job) => job.rawId === rawId),
      ) ?? current
    );
  }

  #reject(refusal: Omit<RowRefusal, "reason">, reason: string): void {
    this.#rowsRead++;
    this.#rejects.push({ line: refusal.line, reason, text: rejectText(refusal.raw, refusal.rawStart, refusal.rawEnd) });
  }

  /** The id of a row whose fields are in doubt; null where the id stands behind text and may have moved. */
  #leadingId(row: Row): { rawId: string; isStep: boolean } | null {
    const column = idColumn(this.#layout);
    const firstFree = this.#layout.kinds.indexOf("free");
    if ((firstFree >= 0 && firstFree < column) || row.fields <= column + 1) return null;
    const start = fieldStart(row, column);
    const end = fieldEnd(row, column);
    const dot = stepDot(row.bytes, start, end);
    const jobEnd = dot < 0 ? end : dot;
    return isJobId(row.bytes, start, jobEnd)
      ? { rawId: row.bytes.toString("latin1", start, jobEnd), isStep: dot >= 0 }
      : null;
  }

  /** Dumps that were put behind each other repeat their header. */
  #isHeader(row: Row): boolean {
    const text = row.raw.toString("utf8", row.rawStart, row.rawEnd);
    return (text.startsWith("\uFEFF") ? text.slice(1) : text) === this.#headerText;
  }

  #withholdLastJob(): void {
    const last = this.#jobs.at(-1);
    if (!last?.run) return;
    this.#dropLastJob();
    this.#rejects.push({
      line: last.line,
      reason: "the file ends in the middle of a row behind this job, so that steps of it may be missing",
      text: rejectText(this.#lastJobRow, 0, this.#lastJobRowLength),
    });
  }

  #dropLastJob(): void {
    const run = this.#jobs.at(-1)?.run;
    while (run && this.#jobs.at(-1)?.run === run) this.#jobs.pop();
    this.#current = null;
  }

  /** Hands out what was gathered, but for the last `kept` jobs, which may still get steps. */
  #closeBatch(kept: 0 | 1): void {
    const looseRejects = settleLooseSteps(this.#looseSteps, this.#jobs);
    const rejects =
      looseRejects.length === 0
        ? this.#rejects
        : [...this.#rejects, ...looseRejects].sort((left, right) => left.line - right.line);
    const closed = kept === 0 ? this.#jobs : this.#jobs.slice(0, -1);
    const records: JobRecord[] = [];
    for (const { run } of closed) if (run !== null) records.push(run.close());
    this.#jobs = kept === 0 ? [] : this.#jobs.slice(-1);
    if (kept === 0) this.#current = null;
    if (records.length > 0 || rejects.length > 0 || this.#rowsRead > 0) {
      this.#ready.push({ records, rejects, rowsRead: this.#rowsRead });
    }
    this.#looseSteps = [];
    this.#rejects = [];
    this.#rowsRead = 0;
  }
}

function isSameRun(left: OpenRecord, right: OpenRecord): boolean {
  return (
    left.rawJobId === right.rawJobId &&
    left.cluster === right.cluster &&
    left.submitAt === right.submitAt &&
    left.startAt === right.startAt &&
    left.endAt === right.endAt &&
    left.state === right.state
  );
}

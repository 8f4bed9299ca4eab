/** Gathers jobs into batches. */
import type { JobRecord, RejectedRow } from "../job-record.ts";
import type { DumpBatch } from "../sacct-reader.ts";
import type { ReadJob } from "./job.ts";

/** A batch is also closed by so many rejects, so that memory stays bounded. */
const MAX_REJECTS = 4096;

export class BatchBuilder {
  readonly #jobsPerBatch: number;
  #records: JobRecord[] = [];
  #rejects: RejectedRow[] = [];
  #rowsRead = 0;
  #bytesRead = 0;

  constructor(options: { jobsPerBatch: number }) {
    this.#jobsPerBatch = Math.max(options.jobsPerBatch, 1);
  }

  /** Adds a job. @returns the batch that was full before it. */
  *add(job: ReadJob): Generator<DumpBatch> {
    const isFull = this.#records.length >= this.#jobsPerBatch && job.record !== null;
    if (isFull || this.#rejects.length >= MAX_REJECTS) yield* this.take();
    if (job.record !== null) this.#records.push(job.record);
    this.#rejects.push(...job.rejects);
    this.#rowsRead += job.rowsRead;
  }

  addBytes(bytes: number): void {
    this.#bytesRead += bytes;
  }

  /** What was gathered so far, if anything. */
  *take(): Generator<DumpBatch> {
    if (this.#rowsRead === 0) return;
    const batch = {
      records: this.#records,
      rejects: this.#rejects,
      rowsRead: this.#rowsRead,
      bytesRead: this.#bytesRead,
    };
    this.#records = [];
    this.#rejects = [];
    this.#rowsRead = 0;
    yield batch;
  }
}

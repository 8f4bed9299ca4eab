/** Builds dumps for the tests and reads them whole. */
import type { JobRecord, RejectedRow } from "../../src/slurm/job-record.ts";
import { readDump, type DumpOptions } from "../../src/slurm/sacct-reader.ts";

export interface WholeDump {
  readonly records: readonly JobRecord[];
  readonly rejects: readonly RejectedRow[];
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly batches: number;
}

export async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Collects what `readDump` yields; `onError` gets what it throws in the end, and without it that is thrown. */
export async function readWhole(
  input: string | Uint8Array | AsyncIterable<Uint8Array>,
  options: Partial<DumpOptions> & { onError?: (error: unknown) => void } = {},
): Promise<WholeDump> {
  const bytes = typeof input === "string" ? Buffer.from(input) : input;
  const pieces = bytes instanceof Uint8Array ? inPieces(bytes, 65_536) : bytes;
  const records: JobRecord[] = [];
  const rejects: RejectedRow[] = [];
  let rowsRead = 0;
  let bytesRead = 0;
  let batches = 0;
  try {
    for await (const batch of readDump(pieces, {
      defaultCluster: "here",
      format: "auto",
      jobsPerBatch: 100,
      ...options,
    })) {
      records.push(...batch.records);
      rejects.push(...batch.rejects);
      rowsRead += batch.rowsRead;
      bytesRead = batch.bytesRead;
      batches++;
    }
  } catch (error) {
    if (options.onError === undefined) throw error;
    options.onError(error);
  }
  return { records, rejects, rowsRead, bytesRead, batches };
}

/** The one job of a dump that must have no rejects. */
export async function readOnly(input: string): Promise<JobRecord> {
  const { records, rejects } = await readWhole(input);
  const first = records[0];
  if (first === undefined || records.length > 1 || rejects.length > 0) {
    throw new Error(
      `expected one job, got ${records.length}; rejects: ${rejects.map(({ reason }) => reason).join("; ")}`,
    );
  }
  return first;
}

export type Fields = Readonly<Record<string, string>>;

const JOB: Fields = {
  JobIDRaw: "7",
  JobID: "7",
  Cluster: "c1",
  User: "alice",
  Account: "physics",
  Partition: "cpu",
  QOS: "normal",
  JobName: "run",
  State: "COMPLETED",
  ExitCode: "0:0",
  Submit: "2026-11-01T08:00:00",
  Eligible: "2026-11-01T08:00:00",
  Start: "2026-11-01T08:01:00",
  End: "2026-11-01T08:11:00",
  ElapsedRaw: "600",
  Elapsed: "00:10:00",
  TotalCPU: "00:00:00",
  CPUTimeRAW: "2400",
  AllocCPUS: "4",
  NNodes: "1",
  ReqMem: "8G",
  AllocTRES: "billing=4,cpu=4,mem=8G,node=1",
  AveRSS: "",
  ConsumedEnergyRaw: "",
  NodeList: "n1",
  WCKey: "",
  Comment: "",
};
export const COLUMNS = Object.keys(JOB);

/** A good job of ten minutes on four CPUs, changed as told. */
export function job(changes: Fields = {}): Fields {
  const id = changes["JobIDRaw"] ?? changes["JobID"];
  return { ...JOB, ...(id === undefined ? {} : { JobIDRaw: id, JobID: id }), ...changes };
}

/** A step of a job: `step("7.batch", …)`. */
export function step(id: string, changes: Fields = {}): Fields {
  const ofJob = {
    User: "",
    Partition: "",
    QOS: "",
    JobName: "step",
    Submit: "2026-11-01T08:01:00",
    ReqMem: "",
    TotalCPU: "01:00.000",
    AveRSS: "1024K",
    CPUTimeRAW: "2400",
    ConsumedEnergyRaw: "0",
  };
  return { ...JOB, JobIDRaw: id, JobID: id, ...ofJob, ...changes };
}

/** A dump with the columns asked for, which may be fewer than the rows have. */
export function dump(
  rows: readonly Fields[],
  options: { columns?: readonly string[]; delimiter?: string; newline?: string } = {},
): string {
  const { columns = COLUMNS, delimiter = "|", newline = "\n" } = options;
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? ""))];
  return lines.map((line) => line.join(delimiter) + newline).join("");
}

/** All columns but these. */
export function without(...names: readonly string[]): string[] {
  return COLUMNS.filter((column) => !names.includes(column));
}

/** Fails when `found` is missing; for the first of a list. */
export function present<T>(found: T | undefined): T {
  if (found === undefined) throw new Error("expected a value");
  return found;
}

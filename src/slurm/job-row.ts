/** A job's own row: what it was, when it ran, what it was given. Its steps are added by the assembler. */
import { ByteCache } from "./byte-cache.ts";
import { ABSENT, decodeText, holdsByte, MALFORMED, readUnsigned, sameBytes } from "./bytes.ts";
import type { Layout } from "./columns.ts";
import { overlong, uncountable } from "./countable.ts";
import { readDurationMs } from "./duration.ts";
import { isJobId } from "./job-id.ts";
import type { JobRecord } from "./job-record.ts";
import { parseReqMem } from "./memory.ts";
import { malformed, parsed, type Parsed } from "./parsed.ts";
import { fieldEnd, fieldStart, type Row } from "./row.ts";
import { isEmpty, readWith, show, textOf } from "./row-fields.ts";
import { readRunTimes, type RunTimes } from "./run-times.ts";
import { parseState, type JobState } from "./state.ts";
import { parseTres, type TresAllocation } from "./tres.ts";

/** A job record while its steps are still being added. */
export type OpenRecord = { -readonly [Key in keyof JobRecord]: JobRecord[Key] };

/** What a job's row says, with the sums that Slurm made itself. */
export interface JobRow {
  readonly record: OpenRecord;
  /** The job row's own TotalCPU; `ABSENT` when not given. */
  readonly totalCpuMs: number;
  readonly cpuTimeSeconds: number;
  readonly energyJoules: number;
}

type Allocation = Pick<
  JobRecord,
  "allocCpus" | "allocNodes" | "allocMemMib" | "allocGpus" | "gpuTypes" | "allocBilling"
>;

const NOTHING_ALLOCATED: Allocation = {
  allocCpus: 0,
  allocNodes: 0,
  allocMemMib: 0,
  allocGpus: 0,
  gpuTypes: [],
  allocBilling: 0,
};

/** Reads job rows of one dump; remembers the words that repeat. */
export class JobRowReader {
  readonly #layout: Layout;
  readonly #defaultCluster: string;
  readonly #words = new ByteCache<string>(decodeText);
  readonly #states = new ByteCache<JobState>((bytes, start, end) => parseState(decodeText(bytes, start, end)));
  readonly #tres = new ByteCache<Parsed<TresAllocation>>((bytes, start, end) =>
    parseTres(bytes.toString("utf8", start, end)),
  );

  constructor(layout: Layout, options: { defaultCluster: string }) {
    this.#layout = layout;
    this.#defaultCluster = options.defaultCluster;
  }

  /** @returns the job, or the reason why the row cannot be used. */
  read(row: Row): Parsed<JobRow> {
    const layout = this.#layout;
    const hasRawId = !isEmpty(row, layout.jobIdRaw);
    const idColumn = hasRawId ? layout.jobIdRaw : layout.jobId;
    if (isEmpty(row, idColumn) || !isJobId(row.bytes, fieldStart(row, idColumn), fieldEnd(row, idColumn))) {
      return malformed(`${hasRawId ? "JobIDRaw" : "JobID"} ${show(row, idColumn)} is not a job id`);
    }
    const nulColumn = this.#columnWithNul(row);
    if (nulColumn !== null) return malformed(`${nulColumn} holds a zero byte`);
    const user = this.#word(row, layout.user);
    if (user === "") return malformed("User is empty on a job's row");
    if (isEmpty(row, layout.state)) return malformed("State is empty");
    const { state, phase } = this.#states.get(row.bytes, fieldStart(row, layout.state), fieldEnd(row, layout.state));
    const times = readRunTimes(row, layout, phase);
    if (!times.ok) return times;
    const allocation = this.#allocation(row, times.value);
    if (!allocation.ok) return allocation;
    const excess = uncountable(allocation.value, times.value.elapsedSeconds);
    if (excess !== null) return malformed(excess);
    const rawJobId = decodeText(row.bytes, fieldStart(row, idColumn), fieldEnd(row, idColumn));
    const { submitAt, startAt, endAt, elapsedSeconds, isSubmitInferred } = times.value;
    const alloc = allocation.value;
    const cluster = this.#word(row, layout.cluster) || this.#defaultCluster;
    const account = this.#word(row, layout.account);
    const partition = this.#word(row, layout.partition);
    const tooLong = overlong({ cluster, user, account, partition });
    if (tooLong !== null) return malformed(tooLong);
    return parsed({
      record: {
        cluster,
        rawJobId,
        jobId: this.#displayId(row, idColumn, rawJobId),
        submitAt,
        keyIsWeak: isSubmitInferred || (!hasRawId && !/^\d+$/u.test(rawJobId)),
        startAt,
        endAt,
        phase,
        state,
        user,
        account,
        partition,
        qos: this.#word(row, layout.qos),
        jobName: textOf(row, layout.jobName),
        exitCode: this.#word(row, layout.exitCode),
        nodeList: this.#word(row, layout.nodeList),
        comment: textOf(row, layout.comment),
        elapsedSeconds,
        allocCpus: alloc.allocCpus,
        allocNodes: alloc.allocNodes,
        allocMemMib: alloc.allocMemMib,
        allocGpus: alloc.allocGpus,
        gpuTypes: alloc.gpuTypes,
        allocBilling: alloc.allocBilling,
        energyJoules: 0n,
        usedCpuMs: null,
        usedMemKibSeconds: null,
      },
      totalCpuMs: readWith(readDurationMs, row, layout.totalCpu),
      cpuTimeSeconds: readWith(readUnsigned, row, layout.cpuTimeRaw),
      energyJoules: readWith(readUnsigned, row, layout.consumedEnergyRaw),
    });
  }

  #word(row: Row, column: number): string {
    if (column < 0) return "";
    const start = fieldStart(row, column);
    const end = fieldEnd(row, column);
    return start < end ? this.#words.get(row.bytes, start, end) : "";
  }

  #displayId(row: Row, idColumn: number, rawJobId: string): string {
    const column = this.#layout.jobId;
    if (column < 0 || column === idColumn || isEmpty(row, column)) return rawJobId;
    const start = fieldStart(row, column);
    const end = fieldEnd(row, column);
    const isSame = sameBytes(row.bytes, start, end, row.bytes, fieldStart(row, idColumn), fieldEnd(row, idColumn));
    return isSame ? rawJobId : decodeText(row.bytes, start, end);
  }

  /** Zero bytes are no part of any name; in text they are replaced, and numbers and times refuse them anyway. */
  #columnWithNul(row: Row): string | null {
    if (!row.mayHoldNul) return null;
    const column = this.#layout.kinds.findIndex(
      (kind, at) =>
        kind !== "free" && kind !== "other" && holdsByte(row.bytes, fieldStart(row, at), fieldEnd(row, at), 0),
    );
    return column < 0 ? null : `the column ${this.#layout.names[column] ?? ""}`;
  }

  /**
   * AllocTRES is what Slurm charges for. Where it is empty or missing, the counts of AllocCPUS (or NCPUS)
   * and AllocNodes (or NNodes) stand in, and ReqMem as memory; but only for a job that started, because
   * for others sacct prints there what was asked for.
   */
  #allocation(row: Row, times: RunTimes): Parsed<Allocation> {
    const layout = this.#layout;
    const hasTres = !isEmpty(row, layout.allocTres);
    const tres = hasTres
      ? this.#tres.get(row.bytes, fieldStart(row, layout.allocTres), fieldEnd(row, layout.allocTres))
      : null;
    if (tres !== null && !tres.ok) return malformed(`AllocTRES: ${tres.reason}`);
    if (tres === null && times.startAt === null) return parsed(NOTHING_ALLOCATED);
    const cpus = tres?.value.cpus ?? firstCount(row, layout.allocCpus, layout.nCpus);
    if (cpus === MALFORMED) {
      return malformed(
        `AllocCPUS ${show(row, layout.allocCpus)}, NCPUS ${show(row, layout.nCpus)}: not a number of CPUs`,
      );
    }
    if (cpus <= 0 && times.elapsedSeconds > 0) {
      return malformed(
        `the job ran for ${times.elapsedSeconds} s, but neither AllocTRES nor AllocCPUS nor NCPUS says on how many CPUs`,
      );
    }
    const allocCpus = Math.max(cpus, 0);
    const allocNodes = Math.max(tres?.value.nodes ?? firstCount(row, layout.allocNodes, layout.nNodes), 0);
    const mem = tres === null ? this.#requestedMemMib(row, { allocCpus, allocNodes }) : parsed(tres.value.memMib ?? 0);
    if (!mem.ok) return mem;
    return parsed({
      allocCpus,
      allocNodes,
      allocMemMib: mem.value,
      allocGpus: tres?.value.gpus ?? 0,
      gpuTypes: tres?.value.gpuTypes ?? NOTHING_ALLOCATED.gpuTypes,
      allocBilling: tres?.value.billing ?? 0,
    });
  }

  #requestedMemMib(row: Row, counts: { allocCpus: number; allocNodes: number }): Parsed<number> {
    if (isEmpty(row, this.#layout.reqMem)) return parsed(0);
    const requested = parseReqMem(textOf(row, this.#layout.reqMem));
    if (!requested.ok) return malformed(`ReqMem: ${requested.reason}`);
    if (requested.value === null) return parsed(0);
    const { memMib, per } = requested.value;
    const total = memMib * (per === "cpu" ? counts.allocCpus : per === "node" ? Math.max(counts.allocNodes, 1) : 1);
    return Number.isSafeInteger(total) ? parsed(total) : malformed("ReqMem is more memory than can be counted");
  }
}

function firstCount(row: Row, preferred: number, other: number): number {
  const count = readWith(readUnsigned, row, preferred);
  return count === ABSENT || (count === 0 && other >= 0) ? readWith(readUnsigned, row, other) : count;
}

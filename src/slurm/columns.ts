/** The header of a dump: which column is where, and what its fields must look like. Names as in sacct(1), `--format`. */
import { UserError } from "../errors.ts";
import { quoted } from "./parsed.ts";

/** What the fields of a column hold; `free` is text that people write, which may hold anything. */
export type ColumnKind =
  "free" | "id" | "word" | "state" | "time" | "duration" | "count" | "amount" | "tres" | "exit" | "nothing" | "other";

/** Position of each column that is used; -1 where the dump does not have it. */
export interface Layout {
  /** Number of fields a complete row has, with the empty one behind a trailing delimiter. */
  readonly fields: number;
  /** Kind of each field, in the order of the dump. */
  readonly kinds: readonly ColumnKind[];
  /** Names in lower case, in the order of the dump. */
  readonly names: readonly string[];
  readonly jobIdRaw: number;
  readonly jobId: number;
  readonly cluster: number;
  readonly user: number;
  readonly account: number;
  readonly partition: number;
  readonly qos: number;
  readonly jobName: number;
  readonly state: number;
  readonly exitCode: number;
  readonly submit: number;
  readonly eligible: number;
  readonly start: number;
  readonly end: number;
  readonly elapsedRaw: number;
  readonly elapsed: number;
  readonly totalCpu: number;
  readonly cpuTimeRaw: number;
  readonly allocCpus: number;
  readonly nCpus: number;
  readonly allocNodes: number;
  readonly nNodes: number;
  readonly reqMem: number;
  readonly allocTres: number;
  readonly aveRss: number;
  readonly consumedEnergyRaw: number;
  readonly nodeList: number;
  readonly comment: number;
}

const NAMES_BY_KIND: ReadonlyMap<ColumnKind, string> = new Map<ColumnKind, string>([
  // Constraints and Licenses are written with `|` for "or"; paths and command lines are anybody's.
  [
    "free",
    `jobname comment admincomment systemcomment wckey submitline workdir reason extra constraints licenses
    container stdin stdout stderr`,
  ],
  ["id", "jobid jobidraw"],
  [
    "word",
    "cluster user account partition qos nodelist reservation reservationid group mcslabel qosreq reqreservation",
  ],
  ["state", "state"],
  ["time", "submit eligible start end"],
  [
    "duration",
    `elapsed totalcpu cputime usercpu systemcpu avecpu mincpu suspended reserved planned plannedcpu timelimit
    resvcpu`,
  ],
  [
    "count",
    `elapsedraw cputimeraw alloccpus ncpus reqcpus nnodes allocnodes reqnodes ntasks uid gid priority associd
    dbindex restarts timelimitraw consumedenergyraw plannedcpuraw resvcpuraw qosraw`,
  ],
  [
    "amount",
    "reqmem averss maxrss avevmsize maxvmsize consumedenergy avediskread avediskwrite maxdiskread maxdiskwrite",
  ],
  [
    "tres",
    `alloctres reqtres tresusageinave tresusageinmax tresusageinmin tresusageintot tresusageoutave
    tresusageoutmax tresusageoutmin tresusageouttot`,
  ],
  ["exit", "exitcode derivedexitcode"],
]);

const KINDS: ReadonlyMap<string, ColumnKind> = new Map(
  [...NAMES_BY_KIND].flatMap(([kind, names]) => names.split(/\s+/u).map((name): [string, ColumnKind] => [name, kind])),
);

/** What a dump must have: one of the names on each line. */
const REQUIRED: readonly (readonly string[])[] = [
  ["JobIDRaw", "JobID"],
  ["User"],
  ["State"],
  ["Start"],
  ["End", "ElapsedRaw", "Elapsed"],
  ["AllocTRES", "AllocCPUS", "NCPUS"],
];

const NEEDED =
  "A dump needs a header with, in any order: JobIDRaw (or JobID), User, State, Start, End (or ElapsedRaw, Elapsed), AllocTRES (or AllocCPUS, NCPUS).";

/**
 * Finds the columns by the names in the header, in any order and any case.
 * @throws UserError that names every missing column, or every column given twice.
 */
export function layoutOf(headerFields: readonly string[]): Layout {
  const names = headerFields.map((field) => field.trim().toLowerCase());
  if (names.every((name) => !KINDS.has(name))) {
    throw new UserError(
      `The first line is not a header: none of its fields is the name of a column of sacct. ${NEEDED}`,
    );
  }
  // `sacct --parsable` closes every line with a delimiter; `--parsable2` does not.
  const last = names.length - 1;
  const hasTrailingDelimiter = last > 0 && names[last] === "";
  const positions = new Map<string, number>();
  const repeated = new Set<string>();
  names.forEach((name, position) => {
    if (name === "") return;
    if (positions.has(name)) repeated.add(headerFields[position]?.trim() ?? name);
    else positions.set(name, position);
  });
  if (repeated.size > 0) {
    throw new UserError(
      `The header names ${[...repeated].map(quoted).join(", ")} more than once; each column may be there once.`,
    );
  }
  refuseMissing(positions);
  const at = (name: string): number => positions.get(name) ?? -1;
  return {
    fields: names.length,
    kinds: names.map((name, position) =>
      hasTrailingDelimiter && position === last ? "nothing" : (KINDS.get(name) ?? "other"),
    ),
    names,
    jobIdRaw: at("jobidraw"),
    jobId: at("jobid"),
    cluster: at("cluster"),
    user: at("user"),
    account: at("account"),
    partition: at("partition"),
    qos: at("qos"),
    jobName: at("jobname"),
    state: at("state"),
    exitCode: at("exitcode"),
    submit: at("submit"),
    eligible: at("eligible"),
    start: at("start"),
    end: at("end"),
    elapsedRaw: at("elapsedraw"),
    elapsed: at("elapsed"),
    totalCpu: at("totalcpu"),
    cpuTimeRaw: at("cputimeraw"),
    allocCpus: at("alloccpus"),
    nCpus: at("ncpus"),
    allocNodes: at("allocnodes"),
    nNodes: at("nnodes"),
    reqMem: at("reqmem"),
    allocTres: at("alloctres"),
    aveRss: at("averss"),
    consumedEnergyRaw: at("consumedenergyraw"),
    nodeList: at("nodelist"),
    comment: at("comment"),
  };
}

function refuseMissing(positions: ReadonlyMap<string, number>): void {
  const missing = REQUIRED.filter((choices) => !choices.some((name) => positions.has(name.toLowerCase())));
  if (missing.length === 0) return;
  const wanted = missing.map((choices) => choices.join(" or ")).join("; ");
  throw new UserError(`The header lacks columns. Missing: ${wanted}. ${NEEDED}`);
}

/** The column that identifies a row: JobIDRaw, else JobID. */
export function idColumn(layout: Layout): number {
  return layout.jobIdRaw >= 0 ? layout.jobIdRaw : layout.jobId;
}

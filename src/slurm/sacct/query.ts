/** The questions that sacct is asked. Their form is the same as in `docs/slurm.md`; see sacct(1). */
import type { TimeWindow } from "../source.ts";
import { slurmTime } from "./tools.ts";

/** Cannot be part of a name; what else holds it (a job's name, its comment) stands last. */
const DELIMITER = "\u001f";

const COLUMNS = [
  "JobIDRaw",
  "JobID",
  "Cluster",
  "User",
  "Account",
  "Partition",
  "QOS",
  "State",
  "ExitCode",
  "Submit",
  "Eligible",
  "Start",
  "End",
  "ElapsedRaw",
  "TotalCPU",
  "CPUTimeRAW",
  "AllocCPUS",
  "NNodes",
  "ReqMem",
  "AllocTRES",
  "AveRSS",
  "ConsumedEnergyRaw",
  "NodeList",
  "JobName",
  "Comment",
];

/** A second in which no job was. */
const LONG_AGO: TimeWindow = { from: 86_400, to: 86_401 };

/**
 * All runs that were eligible before the window's end and had not ended before its start, whatever their state. Without
 * --state and --truncate, their times are the true ones.
 */
export function windowQuery(cluster: string | null, window: TimeWindow): string[] {
  return [...common(cluster), ...during(window)];
}

/**
 * All runs of jobs, by raw ids (digits). sacct adds the tasks of a job array and the components of a heterogeneous job
 * whose first id is asked for.
 */
export function jobsQuery(cluster: string | null, rawJobIds: readonly string[]): string[] {
  return [...common(cluster), ...during({ from: LONG_AGO.from, to: null }), `--jobs=${rawJobIds.join(",")}`];
}

/** No job, of all columns: proves that slurmdbd answers and that this sacct knows the columns. */
export function probeQuery(cluster: string | null): string[] {
  return [...common(cluster), ...during(LONG_AGO), "--allocations"];
}

function common(cluster: string | null): string[] {
  return [
    "--allusers",
    "--duplicates",
    "--parsable2",
    `--delimiter=${DELIMITER}`,
    `--format=${COLUMNS.join(",")}`,
    // A federation may be shown by default (FederationParameters=fed_display); a job is asked of its own cluster.
    cluster === null ? "--local" : `--clusters=${cluster}`,
  ];
}

/** Without --endtime sacct takes now. */
function during({ from, to }: TimeWindow): string[] {
  const start = `--starttime=${slurmTime(from)}`;
  return to === null ? [start] : [start, `--endtime=${slurmTime(to)}`];
}

/**
 * Totals as Slurm itself adds them up, with sreport(1). slurmdbd rolls usage up after each full hour: what ran since
 * then, and hours that it has not come to, are in no report, and that is no error to sreport.
 */
import { UpstreamError } from "../../errors.ts";
import { askForLines, requireClusterName, slurmTime, type SacctOptions } from "./tools.ts";

/** Whole hours: seconds since 1970 UTC that are multiples of 3,600. `to` is not included. */
export interface HourWindow {
  readonly from: number;
  readonly to: number;
}

/**
 * Allocated resource-seconds by the name of the TRES: cpu, mem (MiB-seconds), billing, gres/gpu, and for accounts and
 * users node. A TRES that the cluster does not track is left out.
 */
export type TresSeconds = ReadonlyMap<string, bigint>;

export interface SreportRow {
  readonly cluster: string;
  readonly account: string;
  /** Null: the account's total, with the accounts below it. */
  readonly user: string | null;
  readonly seconds: TresSeconds;
}

export interface ClusterTotal {
  readonly cluster: string;
  /** Of jobs, and of reservations. */
  readonly seconds: TresSeconds;
}

const HOUR_SECONDS = 3_600;

/**
 * What each user used on each account, and each account in all.
 * @throws UpstreamError as any question to Slurm; RangeError when the window is not of whole hours.
 */
export async function sreportUsage(
  options: SacctOptions,
  window: HourWindow,
  signal: AbortSignal,
): Promise<readonly SreportRow[]> {
  const report = ["AccountUtilizationByUser", "format=Cluster,Account,Login,TresName,Used"];
  return readUsage(await runReport(options, { report, tres: "cpu,mem,node,billing,gres/gpu" }, window, signal));
}

/**
 * What each cluster allocated: one, or none when slurmdbd has not rolled up any hour of the window (or knows no such
 * cluster). Nodes are not in this report.
 * @throws as `sreportUsage`
 */
export async function sreportClusterTotals(
  options: SacctOptions,
  window: HourWindow,
  signal: AbortSignal,
): Promise<readonly ClusterTotal[]> {
  const report = ["Utilization", "format=Cluster,TresName,Allocated"];
  return readClusterTotals(await runReport(options, { report, tres: "cpu,mem,billing,gres/gpu" }, window, signal));
}

/** Reads lines of Cluster, Account, Login, TresName, Used. @throws UpstreamError that shows the first odd line. */
export function readUsage(lines: readonly string[]): SreportRow[] {
  const rows = new Map<string, SreportRow & { readonly seconds: Map<string, bigint> }>();
  for (const line of lines) {
    const [cluster = "", account = "", login = "", tres = "", used = "", ...more] = line.split("|");
    if (cluster === "" || account === "" || more.length > 0) throw unreadable(line);
    const key = `${cluster}|${account}|${login}`;
    const row = rows.get(key) ?? { cluster, account, user: login === "" ? null : login, seconds: new Map() };
    rows.set(key, row);
    row.seconds.set(tres, readSeconds(tres, used, line));
  }
  return [...rows.values()];
}

/** Reads lines of Cluster, TresName, Allocated. @throws UpstreamError that shows the first odd line. */
export function readClusterTotals(lines: readonly string[]): ClusterTotal[] {
  const totals = new Map<string, Map<string, bigint>>();
  for (const line of lines) {
    const [cluster = "", tres = "", allocated = "", ...more] = line.split("|");
    if (cluster === "" || more.length > 0) throw unreadable(line);
    const seconds = totals.get(cluster) ?? new Map<string, bigint>();
    totals.set(cluster, seconds);
    seconds.set(tres, readSeconds(tres, allocated, line));
  }
  return [...totals].map(([cluster, seconds]) => ({ cluster, seconds }));
}

function readSeconds(tres: string, digits: string, line: string): bigint {
  if (tres === "" || !/^\d+$/u.test(digits)) throw unreadable(line);
  return BigInt(digits);
}

function unreadable(line: string): UpstreamError {
  return new UpstreamError(`sreport wrote a line that cannot be read: ${JSON.stringify(line.slice(0, 200))}.`);
}

function runReport(
  options: SacctOptions,
  { report, tres }: { report: readonly string[]; tres: string },
  { from, to }: HourWindow,
  signal: AbortSignal,
): Promise<readonly string[]> {
  requireClusterName(options.cluster);
  if (from % HOUR_SECONDS !== 0 || to % HOUR_SECONDS !== 0 || from >= to)
    throw new RangeError(`sreport counts in whole hours; ${from} to ${to} is not a window of such.`);
  const flags = ["--local", "--noheader", "--parsable2", "-t", "Seconds", `--tres=${tres}`];
  const clusters = options.cluster === null ? [] : [`clusters=${options.cluster}`];
  return askForLines(
    options,
    {
      tool: "sreport",
      args: [...flags, "cluster", ...report, ...clusters, `start=${slurmTime(from)}`, `end=${slurmTime(to)}`],
      purpose: "asked for totals",
      silenceSeconds: options.timeouts.readSeconds,
    },
    signal,
  );
}

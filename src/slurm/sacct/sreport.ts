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
 * Allocated resource-seconds by the name of the TRES: cpu, mem (MiB-seconds), node, billing, gres/gpu. A TRES that the cluster does not track is left out.
 */
type TresSeconds = ReadonlyMap<string, bigint>;

export interface SreportRow {
  readonly cluster: string;
  readonly account: string;
  /** Null: the account's total, with the accounts below it. */
  readonly user: string | null;
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
  return readUsage(await runReport(options, window, signal));
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

function readSeconds(tres: string, digits: string, line: string): bigint {
  if (tres === "" || !/^\d+$/u.test(digits)) throw unreadable(line);
  return BigInt(digits);
}

function unreadable(line: string): UpstreamError {
  return new UpstreamError(`sreport wrote a line that cannot be read: ${JSON.stringify(line.slice(0, 200))}.`);
}

function runReport(options: SacctOptions, { from, to }: HourWindow, signal: AbortSignal): Promise<readonly string[]> {
  requireClusterName(options.cluster);
  if (from % HOUR_SECONDS !== 0 || to % HOUR_SECONDS !== 0 || from >= to)
    throw new RangeError(`sreport counts in whole hours; ${from} to ${to} is not a window of such.`);
  const flags = ["--local", "--noheader", "--parsable2", "-t", "Seconds", "--tres=cpu,mem,node,billing,gres/gpu"];
  const report = ["AccountUtilizationByUser", "format=Cluster,Account,Login,TresName,Used"];
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

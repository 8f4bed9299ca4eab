import { Command } from "commander";
import { messageOf, UpstreamError, UserError } from "../errors.ts";
import type { Services } from "../services.ts";
import { knownName, nameCluster, type NamedCluster } from "../usage/sync/clusters.ts";
import { requestCancel } from "../usage/sync/lease.ts";
import { syncCluster, type SyncOutcome } from "../usage/sync/sync-cluster.ts";
import { cliActor, dayOption, exactJson, UsageError, withServices } from "./options.ts";
import { progressBar } from "./progress.ts";

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly cluster?: string;
  readonly cancel?: true;
  readonly json?: true;
}

export function syncCommand(): Command {
  return new Command("sync")
    .description("fetch usage from slurmrestd, sacct or files now; without days, from where it is complete up to now")
    .option("--from <day>", "first day to read again (YYYY-MM-DD), in the site's time zone")
    .option("--to <day>", "last day, included")
    .option("--cluster <name>", "only this cluster")
    .option("--cancel", "stop a sync that is under way, also one of the server")
    .option("--json", "end with one JSON object per cluster")
    .action(async (options: Options) => {
      const range = daysOf(options);
      await withServices(async (services) => {
        if (options.cancel === true) return cancel(services, options.cluster);
        const clusters = await clustersOf(services, options.cluster);
        const problems: string[] = [];
        for (const cluster of clusters) {
          try {
            print(await syncOne(services, cluster, range), options);
          } catch (error) {
            if (!(error instanceof UpstreamError || error instanceof UserError)) throw error;
            // One cluster that is away does not keep the others from being read.
            problems.push(`${cluster.name}: ${messageOf(error)}`);
          }
        }
        if (problems.length > 0) throw new UpstreamError(problems.join("\n"));
      });
    });
}

function daysOf(options: Options): { from: string; to: string } | undefined {
  const from = dayOption("--from", options.from);
  const to = dayOption("--to", options.to);
  if (from === undefined && to === undefined) return undefined;
  if (from === undefined || to === undefined) throw new UsageError("--from and --to go together: give both days");
  if (to < from) throw new UsageError(`--to ${to} lies before --from ${from}`);
  return { from, to };
}

async function clustersOf({ db, clusters }: Services, wanted: string | undefined): Promise<NamedCluster[]> {
  if (clusters.length === 0) {
    throw new UsageError(
      "no cluster is configured: set SLURMRESTD_URL, SACCT_PATH, IMPORT_FOLDER or FALLBACK_CSV, or CLUSTERS for several",
    );
  }
  const stop = new AbortController();
  const named = await Promise.all(clusters.map((setup) => nameCluster(db, setup, stop.signal)));
  return chosen(named, wanted);
}

function chosen<Named extends { readonly name: string }>(named: Named[], wanted: string | undefined): Named[] {
  if (wanted === undefined) return named;
  const found = named.filter(({ name }) => name === wanted);
  if (found.length > 0) return found;
  throw new UsageError(`--cluster takes one of ${named.map(({ name }) => name).join(", ")}`);
}

/** Asks no cluster for its name: one that does not answer may be why somebody wants to stop. */
async function cancel({ db, clusters }: Services, wanted: string | undefined): Promise<void> {
  const names = await Promise.all(clusters.map((setup) => knownName(db, setup)));
  const known = names.filter((name) => name !== null).map((name) => ({ name }));
  if (known.length === 0) process.stdout.write("no sync is under way\n");
  for (const { name } of known.length === 0 ? [] : chosen(known, wanted)) {
    const isAsked = await requestCancel(db, name, { actor: cliActor() });
    process.stdout.write(isAsked ? `${name}: the sync will stop\n` : `${name}: no sync is under way\n`);
  }
}

async function syncOne(
  services: Services,
  cluster: NamedCluster,
  range: { from: string; to: string } | undefined,
): Promise<SyncOutcome> {
  const { days } = services;
  const bar = progressBar(cluster.name, 100);
  const stop = new AbortController();
  const interrupted = (): void => stop.abort(new UpstreamError("interrupted; what was imported is kept"));
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  try {
    return await syncCluster(services.syncing, cluster, {
      actor: cliActor(),
      range: range && days.rangeOf(range),
      signal: stop.signal,
      onProgress: ({ windowsDone, windowsTotal, totals }) =>
        bar.update((100 * windowsDone) / Math.max(windowsTotal, 1), `${totals.rows} rows`),
    });
  } finally {
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", interrupted);
    bar.end();
  }
}

function print({ cluster, status, source, totals, trouble }: SyncOutcome, options: Options): void {
  if (trouble !== null) process.stderr.write(`${cluster}: ${trouble}\n`);
  if (options.json === true) {
    process.stdout.write(`${exactJson({ cluster, status, source, trouble, ...totals })}\n`);
    return;
  }
  process.stdout.write(
    `${cluster}: ${status}, read from ${source ?? "nothing"}; jobs: ${totals.new} new, ${totals.changed} changed, ` +
      `${totals.unchanged} unchanged, ${totals.running} still running; ${totals.rejected} rows rejected\n`,
  );
  if (status === "canceled") throw new UpstreamError(`${cluster}: the sync was canceled; what was imported is kept`);
}

import { Command } from "commander";
import type { Books } from "../billing/balance/books.ts";
import { comparableDays, reconcile } from "../billing/balance/reconcile.ts";
import { booksOfRun } from "../billing/balance/stored-books.ts";
import { UpstreamError, UserError } from "../errors.ts";
import { formatMinor, type Currency } from "../rating/money.ts";
import {
  reconcileBreaks,
  reconciledClusters,
  reconciledDays,
  type FoundBreak,
  type ReconciledCluster,
  type ReconciledDay,
  type ReconcileRun,
} from "../usage/reconcile/queries.ts";
import type { ClusterSetup } from "../usage/sync/clusters.ts";
import { cliActor, dayOption, exactJson, printTable, UsageError, withServices } from "./options.ts";
import { progressBar } from "./progress.ts";

interface Options {
  readonly from: string;
  readonly to: string;
  readonly cluster?: string;
  readonly json?: true;
}

/** All that a run found, as it is printed. */
interface Found {
  readonly run: ReconcileRun;
  readonly days: readonly ReconciledDay[];
  readonly clusters: readonly ReconciledCluster[];
  readonly breaks: readonly FoundBreak[];
  readonly books: Books | null;
}

const MOST_BREAKS = 1_000;

export function reconcileCommand(): Command {
  return new Command("reconcile")
    .description("compare our books with the scheduler's, and with themselves; exit code 1 when they do not balance")
    .requiredOption("--from <day>", "first day (YYYY-MM-DD), in the site's time zone")
    .requiredOption("--to <day>", "last day, included")
    .option("--cluster <name>", "only this cluster")
    .option("--json", "print everything that was found as JSON")
    .action(async (options: Options) => {
      const { fromDay, toDay } = daysOf(options);
      await withServices(async (services) => {
        const { billing, config, db } = services;
        requireComparable(services, fromDay, toDay);
        const clusters = chosen(services.clusters, options.cluster);
        const bar = progressBar("reconciling", null);
        const stop = new AbortController();
        const onSignal = (): void => stop.abort();
        process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
        const run = await reconcile(billing, {
          fromDay,
          toDay,
          clusters,
          requestedBy: cliActor(),
          signal: stop.signal,
          onProgress: ({ done, total, cluster, day }) =>
            bar.update(done, `${done} of ${total} days, ${cluster} ${day}`),
        }).finally(() => {
          bar.end();
          process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
        });
        const found: Found = {
          run,
          days: await reconciledDays(db, run.id),
          clusters: await reconciledClusters(db, run.id),
          breaks: await reconcileBreaks(db, run.id, { limit: MOST_BREAKS }),
          books: await booksOfRun(db, run.id),
        };
        if (options.json === true) process.stdout.write(`${exactJson(asJson(found))}\n`);
        else print(found, config.currency);
        judge(run);
      });
    });
}

function daysOf({ from, to }: Options): { fromDay: string; toDay: string } {
  const fromDay = dayOption("--from", from) ?? from;
  const toDay = dayOption("--to", to) ?? to;
  if (fromDay > toDay) throw new UsageError(`--from ${fromDay} is after --to ${toDay}`);
  return { fromDay, toDay };
}

/** @throws {UsageError} for days that are to come, or too many. */
function requireComparable(services: Parameters<typeof comparableDays>[0], fromDay: string, toDay: string): void {
  try {
    comparableDays(services, { fromDay, toDay });
  } catch (error) {
    throw error instanceof UserError ? new UsageError(error.message) : error;
  }
}

function chosen(clusters: readonly ClusterSetup[], name: string | undefined): readonly ClusterSetup[] {
  if (name === undefined) return clusters;
  const found = clusters.filter(({ configuredName }) => configuredName === name);
  if (found.length > 0) return found;
  // A single cluster need not be named in the configuration; then it is the one that is meant, under the name it has.
  if (clusters.length === 1 && clusters[0]?.configuredName === null) return [{ ...clusters[0], configuredName: name }];
  const known = clusters.flatMap(({ configuredName }) => configuredName ?? []).join(", ");
  throw new UsageError(`--cluster takes one of ${known === "" ? "none: no cluster is configured" : known}`);
}

/** @throws when the books do not balance, so that the exit code says it. */
function judge(run: ReconcileRun): void {
  if (run.status === "failed") throw new UpstreamError(`not reconciled: ${run.error ?? "unknown"}`);
  if (run.status === "broken") throw new UserError(`the books do not balance: ${run.breaks} breaks`);
}

function print({ run, days, clusters, breaks, books }: Found, currency: Currency): void {
  if (days.length > 0) printDays(days);
  const lines = [
    ...clusters.flatMap(linesOfCluster),
    ...breaks.map(lineOfBreak),
    ...(run.breaks > BigInt(breaks.length) ? [`… and ${run.breaks - BigInt(breaks.length)} more breaks`] : []),
    ...(books === null ? [] : linesOfBooks(books, currency)),
    ...(run.status === "balanced"
      ? [`balanced; reconciled up to ${run.reconciledUntil ?? "no day that is over"}`]
      : []),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function printDays(days: readonly ReconciledDay[]): void {
  printTable(
    ["day", "cluster", "jobs", "theirs", "CPU-s", "theirs", "GPU-s", "theirs", "breaks"],
    days
      .toReversed()
      .map(({ day, cluster, ours, theirs, breaks }) => [
        day,
        cluster,
        ...[ours.jobs, theirs.jobs, ours.cpuSeconds, theirs.cpuSeconds, ours.gpuSeconds, theirs.gpuSeconds, breaks].map(
          String,
        ),
      ]),
  );
}

function linesOfCluster({ cluster, source, hiddenRuns, totals }: ReconciledCluster): string[] {
  const hidden =
    hiddenRuns === 0
      ? []
      : [`${cluster}: ${hiddenRuns} requeued runs were left out, because this source cannot show them`];
  const about = `${cluster}: asked ${source}`;
  if (totals.kind === "absent") return [about, ...hidden, `${cluster}: totals not compared: sreport is not available`];
  if (totals.kind === "too_early")
    return [about, ...hidden, `${cluster}: totals not compared: no hour of these days is rolled up yet`];
  if (totals.kind === "failed") return [about, ...hidden, `${cluster}: totals not compared: ${totals.reason}`];
  const hours = `${instant(totals.from)} to ${instant(totals.to)}`;
  return [
    about,
    ...hidden,
    ...totals.tres.map(({ name, endedAll, outside, endedLater, low, high, theirs }) => {
      const ours = low === high ? `${high}` : `${low} to ${high}`;
      return `${cluster}: sreport ${name}, ${hours}: ours ${endedAll} − ${outside} outside these hours + ${endedLater} of jobs that ended later = ${ours}; theirs ${theirs}`;
    }),
    ...totals.untracked.map((name) => `${cluster}: sreport has no figures for ${name}`),
  ];
}

function instant(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().replace(":00.000Z", "Z");
}

function lineOfBreak(found: FoundBreak): string {
  const job =
    found.rawJobId === null ? null : `job ${found.jobId ?? found.rawJobId} (${found.cluster ?? ""}/${found.rawJobId})`;
  const about = [found.day, job, found.receiptNumber, found.account, found.userName].filter((part) => part !== null);
  return `BREAK ${found.kind}: ${about.join(", ")}: ${found.what}: ours ${found.ours || "none"}, should be ${found.theirs || "none"}`;
}

function linesOfBooks({ usage, charges, receipts, repricingJobs }: Books, currency: Currency): string[] {
  const money = (minor: bigint): string => `${formatMinor(minor, currency)} ${currency.code}`;
  const jobs = usage.reduce((sum, one) => sum + one.jobs, 0n);
  const kinds = usage.map((one) => `${one.jobs} ${one.kind}${one.reason === null ? "" : ` (${one.reason})`}`);
  return [
    `usage: ${jobs} jobs = ${kinds.length === 0 ? "0" : kinds.join(" + ")}`,
    `charges: ${money(charges.totalMinor)} = ${money(charges.billedMinor)} on receipts + ${money(charges.settledMinor)} corrections settled + ${money(charges.owedMinor)} corrections open + ${money(charges.unbilledMinor)} unbilled`,
    `receipts: ${money(receipts.totalMinor)} = ${money(receipts.paymentsMinor)} payments + ${money(receipts.byHandMinor)} settled by hand + ${money(receipts.creditedMinor)} credited + ${money(receipts.receivableMinor)} receivable − ${money(receipts.toPayBackMinor)} to pay back + ${money(receipts.voidMinor)} void`,
    ...(repricingJobs === 0 ? [] : [`${repricingJobs} jobs wait to be priced anew`]),
  ];
}

/** Names as in every other answer for programs. */
function asJson({ run, ...found }: Found): unknown {
  const { id, status, error, fromDay, toDay, startedAt, finishedAt, breaks, reconciledUntil } = run;
  return withSnakeNames({
    id,
    status,
    error,
    fromDay,
    toDay,
    startedAt,
    finishedAt,
    breakCount: breaks,
    reconciledUntil,
    ...found,
  });
}

function withSnakeNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSnakeNames);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name.replaceAll(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`),
      withSnakeNames(member),
    ]),
  );
}

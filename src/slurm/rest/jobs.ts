/** Jobs of a window, and all runs of jobs by their ids. */
import type { DumpBatch } from "../sacct-reader.ts";
import type { ReadOptions, TimeWindow } from "../source.ts";
import { BatchBuilder } from "./batches.ts";
import type { RestClient } from "./client.ts";
import { numberAt } from "./fields.ts";
import { clusterOf, rawJobIdOf, readJob, type JobReading, type ReadJob } from "./job.ts";
import { inOrder } from "./ordered.ts";
import { hidesRuns, lacksExitCodes, listPath, versionName, type ApiVersion } from "./version.ts";

/** Slurm 22.05 takes `uts` times from here on only (parse_time.c); no cluster is older than 1970-01-12. */
const EARLIEST_SECONDS = 1_000_000;
/**
 * 2096: stands for "no end". Without an end, or with now as the end, the list leaves out jobs whose begin time lies
 * ahead, even those that were cancelled long ago.
 */
const NO_END_SECONDS = 4_000_000_000;
/** Requests by id that are under way at once: each is a query in slurmdbd. */
const LOOKUPS_AT_ONCE = 4;
/** Slurm's ids are 32 bits; slurmrestd 22.05 stops (fatal) when an id is no number, so nothing else is ever sent. */
const MAX_JOB_ID = 0xffff_fffd;

/** Reads the jobs of a window. @throws UpstreamError after the batches that were whole. */
export async function* readWindow(
  client: RestClient,
  version: ApiVersion,
  ask: { readonly window: TimeWindow; readonly read: ReadOptions; readonly cluster: string | null },
): AsyncGenerator<DumpBatch, void> {
  const { read, cluster } = ask;
  const window = { from: Math.max(ask.window.from, EARLIEST_SECONDS), to: ask.window.to ?? NO_END_SECONDS };
  if (window.to <= window.from) return;
  const batches = new BatchBuilder(read);
  const reading = readingOf(version, cluster);
  // Jobs to be asked for by their id, because the list may not tell all about them.
  const lookUps = new Set<string>();
  let bytesRead = 0;
  for await (const { value, place, bytesRead: soFar } of client.list(
    windowPath(version, window, cluster),
    "jobs",
    read.signal,
  )) {
    if (isOfAnotherCluster(value, cluster)) continue;
    batches.addBytes(soFar - bytesRead);
    bytesRead = soFar;
    const rawId = rawJobIdOf(value);
    const isDoubtful = hidesRuns(version) && mayBeCut(value, window);
    if (isDoubtful && isAskable(rawId)) lookUps.add(rawId);
    else yield* batches.add(readJob(value, place, reading));
  }
  yield* lookUp(client, version, { rawJobIds: lookUps, batches, read, cluster });
  yield* batches.take();
}

/** Reads all runs of jobs by their raw ids. @throws UpstreamError after the batches that were whole. */
export async function* readByIds(
  client: RestClient,
  version: ApiVersion,
  ask: { readonly rawJobIds: readonly string[]; readonly read: ReadOptions; readonly cluster: string | null },
): AsyncGenerator<DumpBatch, void> {
  const batches = new BatchBuilder(ask.read);
  const rawJobIds = new Set(ask.rawJobIds.filter(isAskable));
  yield* lookUp(client, version, { ...ask, rawJobIds, batches });
  yield* batches.take();
}

interface LookUp {
  readonly rawJobIds: ReadonlySet<string>;
  readonly batches: BatchBuilder;
  readonly read: ReadOptions;
  readonly cluster: string | null;
}

async function* lookUp(client: RestClient, version: ApiVersion, ask: LookUp): AsyncGenerator<DumpBatch, void> {
  const runs = inOrder(ask.rawJobIds, { atOnce: LOOKUPS_AT_ONCE, signal: ask.read.signal }, (rawId, signal) =>
    readRuns(client, version, { rawId, signal, cluster: ask.cluster }),
  );
  for await (const { jobs, bytesRead } of runs) {
    ask.batches.addBytes(bytesRead);
    for (const job of jobs) yield* ask.batches.add(job);
  }
}

/** An answer by id also holds the other tasks of an array and the other components of a heterogeneous job. */
async function readRuns(
  client: RestClient,
  version: ApiVersion,
  ask: { readonly rawId: string; readonly signal: AbortSignal; readonly cluster: string | null },
): Promise<{ jobs: ReadJob[]; bytesRead: number }> {
  const path = `/slurmdb/${versionName(version)}/job/${ask.rawId}`;
  const reading = readingOf(version, ask.cluster);
  const jobs: ReadJob[] = [];
  let bytesRead = 0;
  for await (const element of client.list(path, "jobs", ask.signal)) {
    bytesRead = element.bytesRead;
    const { value, place } = element;
    if (isOfAnotherCluster(value, ask.cluster) || isOfAnotherJob(value, ask.rawId)) continue;
    jobs.push(readJob(value, place, reading));
  }
  return { jobs, bytesRead };
}

function windowPath(version: ApiVersion, window: { from: number; to: number }, cluster: string | null): string {
  const query = new URLSearchParams({ start_time: `uts${window.from}`, end_time: `uts${window.to}` });
  if (cluster !== null) query.set("cluster", cluster);
  if (version >= 39) {
    query.set("show_duplicates", "true");
    query.set("disable_truncate_usage_time", "true");
    query.set("skip_steps", "false");
  }
  return `${listPath(version, "jobs")}?${query.toString()}`;
}

function readingOf(version: ApiVersion, cluster: string | null): JobReading {
  return { defaultCluster: cluster, knowsExitCodes: !lacksExitCodes(version) };
}

/** Where a list cuts times to the window, a run that seems to begin or end on its border may be longer. */
function mayBeCut(job: unknown, window: { from: number; to: number }): boolean {
  return numberAt(job, "time", "start") === window.from || numberAt(job, "time", "end") === window.to;
}

function isOfAnotherCluster(job: unknown, cluster: string | null): boolean {
  const named = clusterOf(job);
  return cluster !== null && named !== "" && named !== cluster;
}

function isOfAnotherJob(job: unknown, rawId: string): boolean {
  const named = rawJobIdOf(job);
  return named !== null && named !== rawId;
}

function isAskable(rawId: string | null): rawId is string {
  return rawId !== null && /^[1-9]\d{0,9}$/u.test(rawId) && Number(rawId) <= MAX_JOB_ID;
}

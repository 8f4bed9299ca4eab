/** Slurm's accounting by way of sacct(1) and sacctmgr(1), on a machine where they are set up. */
import { UpstreamError, UserError } from "../../errors.ts";
import { readDump, type DumpBatch } from "../sacct-reader.ts";
import type { AccountSnapshot, ReadOptions, SlurmSource, SourceProbe, TimeWindow } from "../source.ts";
import { ACCOUNT_COLUMNS, ASSOCIATION_COLUMNS, readAccounts } from "./accounts.ts";
import { requireFullView } from "./full-view.ts";
import { jobsQuery, probeQuery, windowQuery } from "./query.ts";
import { ask, askForLines, requireClusterName, type SacctOptions } from "./tools.ts";

const JOB_ID = /^\d{1,10}$/u;
/** Keeps the command line short and slurmdbd's query small. */
const JOBS_PER_QUESTION = 200;
const VERSION = /\b\d+\.\d+\.\d+\S*/u;
const SACCTMGR = ["--readonly", "--noheader", "--parsable2", "show"];

/**
 * A source that runs sacct for each question.
 * @throws UserError when the cluster's name is none.
 */
export function sacctSource(options: SacctOptions): SlurmSource {
  requireClusterName(options.cluster);
  return new SacctSource(options);
}

class SacctSource implements SlurmSource {
  readonly kind = "sacct";
  readonly #options: SacctOptions;

  constructor(options: SacctOptions) {
    this.#options = options;
  }

  async probe(signal: AbortSignal): Promise<SourceProbe> {
    const silenceSeconds = this.#options.timeouts.askSeconds;
    const version = { tool: "sacct", args: ["--version"], purpose: "asked for its version", silenceSeconds } as const;
    const printed = (await askForLines(this.#options, version, signal)).join(" ");
    const found = VERSION.exec(printed)?.[0];
    if (found === undefined)
      throw new UpstreamError(
        `${this.#options.sacctPath} is not Slurm's sacct: asked for its version, it says ${JSON.stringify(printed.slice(0, 200))}.`,
      );
    await drain(this.#read(probeQuery(this.#options.cluster), { signal, jobsPerBatch: 1 }, silenceSeconds));
    await this.#requireKnownCluster(signal);
    await requireFullView(this.#options.user, (what, purpose) => this.#sacctmgr(what, purpose, signal));
    return { version: `sacct of Slurm ${found}`, limits: [] };
  }

  async clusters(signal: AbortSignal): Promise<readonly string[]> {
    return this.#sacctmgr(["cluster", "format=Cluster"], "asked for the clusters", signal);
  }

  async *jobs(window: TimeWindow, options: ReadOptions): AsyncGenerator<DumpBatch> {
    let rowsRead = 0;
    for await (const batch of this.#read(windowQuery(this.#options.cluster, window), options)) {
      rowsRead += batch.rowsRead;
      yield batch;
    }
    if (rowsRead === 0) await this.#requireKnownCluster(options.signal);
  }

  async *jobsById(rawJobIds: readonly string[], options: ReadOptions): AsyncGenerator<DumpBatch> {
    // An id of another form stems from a dump without raw ids: accounting knows no job by it.
    const wanted = new Set(rawJobIds.filter((id) => JOB_ID.test(id)));
    const ids = [...wanted];
    let rowsRead = 0;
    let bytesBefore = 0;
    for (let at = 0; at < ids.length; at += JOBS_PER_QUESTION) {
      const query = jobsQuery(this.#options.cluster, ids.slice(at, at + JOBS_PER_QUESTION));
      let bytesRead = bytesBefore;
      for await (const batch of this.#read(query, options)) {
        rowsRead += batch.rowsRead;
        bytesRead = bytesBefore + batch.bytesRead;
        yield { ...batch, records: batch.records.filter(({ rawJobId }) => wanted.has(rawJobId)), bytesRead };
      }
      bytesBefore = bytesRead;
    }
    if (rowsRead === 0) await this.#requireKnownCluster(options.signal);
  }

  async accounts(signal: AbortSignal): Promise<AccountSnapshot> {
    const cluster = this.#options.cluster ?? (await this.#onlyCluster(signal));
    const associations = await this.#sacctmgr(
      ["association", `cluster=${cluster}`, `format=${ASSOCIATION_COLUMNS}`],
      "asked for the associations",
      signal,
    );
    // Every cluster has its root account.
    if (associations.length === 0) throw unknownCluster(cluster, await this.clusters(signal));
    const accounts = await this.#sacctmgr(
      ["account", "withcoord", `format=${ACCOUNT_COLUMNS}`],
      "asked for the accounts",
      signal,
    );
    return readAccounts(associations, accounts);
  }

  async *#read(
    args: readonly string[],
    { signal, jobsPerBatch }: ReadOptions,
    silenceSeconds = this.#options.timeouts.readSeconds,
  ): AsyncGenerator<DumpBatch> {
    const output = ask(this.#options, { tool: "sacct", args, purpose: "asked for jobs", silenceSeconds }, signal);
    const defaultCluster = this.#options.cluster ?? "default";
    try {
      yield* readDump(output, { defaultCluster, format: "sacct", jobsPerBatch });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UpstreamError(`What sacct wrote cannot be read. ${error.message}`, { cause: error });
    }
  }

  #sacctmgr(what: readonly string[], purpose: string, signal: AbortSignal): Promise<readonly string[]> {
    const silenceSeconds = this.#options.timeouts.askSeconds;
    return askForLines(
      this.#options,
      { tool: "sacctmgr", args: [...SACCTMGR, ...what], purpose, silenceSeconds },
      signal,
    );
  }

  /** For a cluster that accounting does not know, sacct prints no job and reports no error. */
  async #requireKnownCluster(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#options;
    if (cluster === null) return;
    const known = await this.clusters(signal);
    if (!known.includes(cluster)) throw unknownCluster(cluster, known);
  }

  async #onlyCluster(signal: AbortSignal): Promise<string> {
    const known = await this.clusters(signal);
    const [only, ...others] = known;
    if (only === undefined || others.length > 0)
      throw new UpstreamError(`Accounting knows ${listOf(known)}: the cluster to read must be named.`);
    return only;
  }
}

async function drain(batches: AsyncGenerator<DumpBatch>): Promise<void> {
  while ((await batches.next()).done !== true);
}

function unknownCluster(cluster: string, known: readonly string[]): UpstreamError {
  return new UpstreamError(`Accounting knows no cluster ${cluster}; it knows ${listOf(known)}.`);
}

function listOf(clusters: readonly string[]): string {
  return clusters.length === 0 ? "no cluster" : clusters.join(", ");
}

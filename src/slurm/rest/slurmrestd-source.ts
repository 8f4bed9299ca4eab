/** slurmrestd as a source of accounting. */
import { UpstreamError } from "../../errors.ts";
import type { DumpBatch } from "../sacct-reader.ts";
import type { AccountSnapshot, ReadOptions, SlurmSource, SourceProbe, TimeWindow } from "../source.ts";
import { readAccounts } from "./accounts.ts";
import { RestClient } from "./client.ts";
import { RestNotFoundError } from "./failure.ts";
import { listAt, textAt, valueAt } from "./fields.ts";
import { readByIds, readWindow } from "./jobs.ts";
import type { SlurmrestdOptions } from "./options.ts";
import { discoverVersion, limitsOf, listPath, parseVersion, versionName, type ApiVersion } from "./version.ts";

export type { SlurmrestdOptions } from "./options.ts";

/**
 * Reads accounting from slurmrestd. Nothing is connected before the first question.
 * @throws UserError when the address or the version cannot be understood.
 */
export function slurmrestdSource(options: SlurmrestdOptions): SlurmSource {
  return new SlurmrestdSource(options);
}

class SlurmrestdSource implements SlurmSource {
  readonly kind = "slurmrestd";
  readonly #client: RestClient;
  readonly #cluster: string | null;
  readonly #user: string | null;
  readonly #forcedVersion: ApiVersion | null;
  #knownVersion: ApiVersion | null = null;

  constructor(options: SlurmrestdOptions) {
    this.#client = new RestClient(options);
    this.#cluster = options.cluster;
    this.#user = options.user;
    this.#forcedVersion = options.version === null ? null : parseVersion(options.version);
  }

  async probe(signal: AbortSignal): Promise<SourceProbe> {
    return await this.#withVersion(signal, async (version) => {
      const answer = await this.#readClusters(version, signal);
      const cluster = this.#cluster;
      const names = clusterNames(answer);
      if (cluster !== null && !names.includes(cluster)) {
        throw new UpstreamError(
          `${this.#client.label}: its accounting does not know the cluster ${cluster}, only ${names.join(", ") || "none"}.`,
        );
      }
      const release = textAt(answer, "meta", "slurm", "release") || textAt(answer, "meta", "Slurm", "release");
      return {
        version: `slurmrestd ${versionName(version)}${release === "" ? "" : `, Slurm ${release}`}`,
        limits: [
          ...limitsOf(version),
          ...((await this.#seesEverything(version, signal)) ? [] : ["is_no_operator" as const]),
        ],
      };
    });
  }

  /** Root and SlurmUser see everything, operators too; whom else depends on slurmdbd's PrivateData, which nobody tells. */
  async #seesEverything(version: ApiVersion, signal: AbortSignal): Promise<boolean> {
    if (this.#user === null || this.#user === "root" || this.#user === "slurm") return true;
    try {
      const path = `/slurmdb/${versionName(version)}/user/${encodeURIComponent(this.#user)}`;
      const [user] = listAt(await this.#client.read(path, signal), "users");
      const level = valueAt(user, "administrator_level");
      return [level].flat().some((one) => one === "Operator" || one === "Administrator");
    } catch (error) {
      if (!(error instanceof UpstreamError) || signal.aborted) throw error;
      // What it may not even ask about itself, it does not see.
      return false;
    }
  }

  async clusters(signal: AbortSignal): Promise<readonly string[]> {
    return await this.#withVersion(signal, async (version) => clusterNames(await this.#readClusters(version, signal)));
  }

  async *jobs(window: TimeWindow, read: ReadOptions): AsyncGenerator<DumpBatch, void> {
    yield* this.#batchesWithVersion(read.signal, (version) =>
      readWindow(this.#client, version, { window, read, cluster: this.#cluster }),
    );
  }

  async *jobsById(rawJobIds: readonly string[], read: ReadOptions): AsyncGenerator<DumpBatch, void> {
    yield* this.#batchesWithVersion(read.signal, (version) =>
      readByIds(this.#client, version, { rawJobIds, read, cluster: this.#cluster }),
    );
  }

  async accounts(signal: AbortSignal): Promise<AccountSnapshot> {
    return await this.#withVersion(signal, (version) =>
      readAccounts(this.#client, version, { cluster: this.#cluster, signal }),
    );
  }

  async #readClusters(version: ApiVersion, signal: AbortSignal): Promise<unknown> {
    return await this.#client.read(listPath(version, "clusters"), signal);
  }

  async #version(signal: AbortSignal): Promise<ApiVersion> {
    if (this.#forcedVersion !== null) return this.#forcedVersion;
    this.#knownVersion ??= await discoverVersion(this.#client, signal);
    return this.#knownVersion;
  }

  /** Asks in the version that was found; when slurmrestd knows it no longer (an upgrade), looks for another once. */
  async #withVersion<Result>(signal: AbortSignal, ask: (version: ApiVersion) => Promise<Result>): Promise<Result> {
    const version = await this.#version(signal);
    try {
      return await ask(version);
    } catch (error) {
      return await ask(await this.#versionAfter(error, version, signal));
    }
  }

  /** As `#withVersion`, as long as nothing was handed out. */
  async *#batchesWithVersion(
    signal: AbortSignal,
    ask: (version: ApiVersion) => AsyncGenerator<DumpBatch, void>,
  ): AsyncGenerator<DumpBatch, void> {
    const version = await this.#version(signal);
    let batches = 0;
    try {
      for await (const batch of ask(version)) {
        batches++;
        yield batch;
      }
    } catch (error) {
      if (batches > 0) throw error;
      yield* ask(await this.#versionAfter(error, version, signal));
    }
  }

  /** The version to try after a failure. @throws the failure, where another version would not help. */
  async #versionAfter(error: unknown, version: ApiVersion, signal: AbortSignal): Promise<ApiVersion> {
    if (!(error instanceof RestNotFoundError)) throw error;
    if (this.#forcedVersion !== null) {
      throw new UpstreamError(`${error.message} Is ${versionName(version)} (SLURMRESTD_VERSION) spoken there?`, {
        cause: error,
      });
    }
    this.#knownVersion = null;
    const next = await this.#version(signal);
    if (next === version) throw error;
    return next;
  }
}

function clusterNames(answer: unknown): readonly string[] {
  return listAt(answer, "clusters")
    .map((cluster) => textAt(cluster, "name"))
    .filter((name) => name !== "");
}

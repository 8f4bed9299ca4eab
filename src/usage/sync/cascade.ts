import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import { messageOf, UpstreamError } from "../../errors.ts";
import type { SourceLimit, SourceProbe } from "../../slurm/source.ts";
import type { LiveSource, NamedCluster } from "./clusters.ts";
import { keepSourcesOnly, saveSourceState, type ChosenSource } from "./runs.ts";

/** A live source that answered. */
export interface WorkingSource extends LiveSource {
  readonly limits: readonly SourceLimit[];
}

/**
 * The live sources of a cluster during one sync: the first that works is read, and when it stops working the next one
 * takes over for the rest of the sync. What each of them answered is kept for the page of sources.
 */
export class Cascade {
  readonly #context: { readonly db: Database; readonly clock: Clock };
  readonly #cluster: NamedCluster;
  readonly #signal: AbortSignal;
  /** What each source that failed said last. */
  readonly #troubles = new Map<ChosenSource, string>();
  readonly #asked = new Set<ChosenSource>();
  #position = 0;
  #working: WorkingSource | null = null;
  #fuller: LiveSource | null | undefined;

  constructor(context: { readonly db: Database; readonly clock: Clock }, cluster: NamedCluster, signal: AbortSignal) {
    this.#context = context;
    this.#cluster = cluster;
    this.#signal = signal;
  }

  /** What went wrong with sources; null when nothing did. */
  get trouble(): string | null {
    return this.#troubles.size === 0 ? null : [...this.#troubles].map(([kind, what]) => `${kind}: ${what}`).join("; ");
  }

  /** The source to read from now; null when none works. */
  async current(): Promise<WorkingSource | null> {
    while (this.#working === null) {
      const next = this.#cluster.live[this.#position];
      if (next === undefined) return null;
      const probe = await this.probe(next);
      if (probe === null) this.#position++;
      else this.#working = { ...next, limits: probe.limits };
    }
    return this.#working;
  }

  /** Another source of the same cluster that works and does not hide runs; looked for once. */
  async fuller(): Promise<LiveSource | null> {
    if (this.#fuller === undefined) {
      this.#fuller = null;
      for (const other of this.#cluster.live) {
        if (other.kind === this.#working?.kind) continue;
        const probe = await this.probe(other);
        if (probe?.limits.includes("hides_requeued_runs") === false) this.#fuller = other;
      }
    }
    return this.#fuller;
  }

  /** The source that was being read failed; the next one is tried. */
  async failed(source: LiveSource, error: unknown): Promise<void> {
    this.#troubles.set(source.kind, messageOf(error));
    await this.#save(source, { ok: false, error: messageOf(error) });
    if (source.kind === this.#fuller?.kind) this.#fuller = null;
    if (source.kind !== this.#working?.kind) return;
    this.#working = null;
    this.#position++;
  }

  /** How reading files went; a file that could not be read is a trouble, and no reason to stop. */
  async filesRead(address: string, problem: string | null): Promise<void> {
    const { db, clock } = this.#context;
    if (problem !== null) this.#troubles.set("file", problem);
    const answer =
      problem === null ? ({ ok: true, version: "", limits: [] } as const) : ({ ok: false, error: problem } as const);
    const position = this.#cluster.live.length;
    await saveSourceState(db, { cluster: this.#cluster.name, source: "file", position, address, answer }, clock.now());
  }

  /**
   * Forgets sources that are configured no more, and asks those that this sync had no reason to ask: somebody should
   * learn that the second choice does not work before it is needed.
   */
  async surveyRest(): Promise<void> {
    const files: ChosenSource[] =
      this.#cluster.dropFolder === null && this.#cluster.fallbackFile === null ? [] : ["file"];
    await keepSourcesOnly(this.#context.db, this.#cluster.name, [
      ...this.#cluster.live.map(({ kind }) => kind),
      ...files,
    ]);
    for (const other of this.#cluster.live) if (!this.#asked.has(other.kind)) await this.probe(other);
  }

  /** Asks a source whether it works; null and a trouble noted when it does not. */
  async probe(live: LiveSource): Promise<SourceProbe | null> {
    this.#asked.add(live.kind);
    try {
      const probe = await live.source.probe(this.#signal);
      await this.#save(live, { ok: true, ...probe });
      return probe;
    } catch (error) {
      if (!(error instanceof UpstreamError) || this.#signal.aborted) throw error;
      this.#troubles.set(live.kind, messageOf(error));
      await this.#save(live, { ok: false, error: messageOf(error) });
      return null;
    }
  }

  async #save({ kind, address }: LiveSource, answer: Parameters<typeof saveSourceState>[1]["answer"]): Promise<void> {
    const position = this.#cluster.live.findIndex((live) => live.kind === kind);
    const { db, clock } = this.#context;
    await saveSourceState(db, { cluster: this.#cluster.name, source: kind, position, address, answer }, clock.now());
  }
}

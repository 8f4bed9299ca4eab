import type { DumpBatch } from "../../src/slurm/sacct-reader.ts";
import type { ReadOptions, TimeWindow } from "../../src/slurm/source.ts";
import { FakeScheduler, FakeSource } from "../support/fake-scheduler.ts";
import { nameAt, recordAt, type Life } from "./life.ts";
import { CLUSTER, PEOPLE } from "./people.ts";

/** As slurmrestd v0.0.38: earlier runs of a job are hidden, exit codes are not told. */
class OldRest extends FakeSource {
  constructor(scheduler: FakeScheduler) {
    super("slurmrestd", scheduler);
    this.limits = ["hides_requeued_runs", "no_exit_codes"];
  }

  override async *jobs(window: TimeWindow, options: ReadOptions): AsyncGenerator<DumpBatch> {
    yield* withoutExitCodes(super.jobs(window, options));
  }

  override async *jobsById(ids: readonly string[], options: ReadOptions): AsyncGenerator<DumpBatch> {
    yield* withoutExitCodes(super.jobsById(ids, options));
  }
}

async function* withoutExitCodes(batches: AsyncIterable<DumpBatch>): AsyncGenerator<DumpBatch> {
  for await (const batch of batches)
    yield { ...batch, records: batch.records.map((record) => ({ ...record, exitCode: "" })) };
}

/** A life as its scheduler tells of it: two sources over one accounting that grows and changes. */
export class PlayedCluster {
  readonly rest: FakeSource;
  readonly sacct: FakeSource;
  readonly #life: Life;
  readonly #scheduler: FakeScheduler;
  #schedulerNow = 0;

  constructor(life: Life) {
    this.#life = life;
    this.#scheduler = new FakeScheduler(CLUSTER, () => this.#schedulerNow);
    this.rest = new OldRest(this.#scheduler);
    this.sacct = new FakeSource("sacct", this.#scheduler);
  }

  /** Makes accounting and its sources what they are at an instant, by a scheduler whose clock is some seconds ahead. */
  moveTo(now: number, aheadSeconds: number): void {
    const life = this.#life;
    this.#schedulerNow = now + aheadSeconds;
    this.#scheduler.records = life.runs.flatMap((run) => recordAt(life, run, this.#schedulerNow) ?? []);
    this.#scheduler.accounts = accountsAt(life, now);
    for (const source of [this.rest, this.sacct]) {
      const isAway = life.outages.some(
        (outage) => outage.from <= now && now < outage.to && (outage.of === "all" || outage.of === source.kind),
      );
      source.broken = isAway ? "connection refused" : null;
      source.cutAtQuestion = null;
      source.onQuestion = () => undefined;
    }
  }

  /** How many sources answer. */
  get sourcesLeft(): number {
    return [this.rest, this.sacct].filter(({ broken }) => broken === null).length;
  }
}

function accountsAt(life: Life, at: number): FakeScheduler["accounts"] {
  const members = PEOPLE.map(({ user, account }) => ({
    user: nameAt(life, "user", user, at),
    account: nameAt(life, "account", account, at),
  }));
  const names = new Set(members.map(({ account }) => account));
  const root = { name: "root", parent: null, description: "", organization: "" };
  return {
    accounts: [root, ...[...names].map((name) => ({ ...root, name, parent: "root" }))],
    members,
    coordinators: [],
  };
}

/** Lives through a life with the product: syncs, prices, bills, and nights in which the books are reconciled. */
import { reconcile, type ReconcileRequest } from "../../src/billing/balance/reconcile.ts";
import { reconcileAndRepair } from "../../src/billing/balance/repair.ts";
import { sql } from "../../src/db/database.ts";
import { ConflictError, UpstreamError } from "../../src/errors.ts";
import { repriceAll } from "../../src/usage/prices/reprice.ts";
import { reconcileBreaks, type ReconcileRun } from "../../src/usage/reconcile/queries.ts";
import { addDays } from "../../src/usage/site-day.ts";
import {
  syncCluster,
  type SyncContext,
  type SyncOutcome,
  type SyncRequest,
} from "../../src/usage/sync/sync-cluster.ts";
import type { TestContext } from "../support/context.ts";
import { clusterOf } from "../support/fake-scheduler.ts";
import { localDay } from "./berlin.ts";
import { Bills } from "./bills.ts";
import { Dice } from "./dice.ts";
import type { Life } from "./life.ts";
import { CLUSTER } from "./people.ts";
import type { PriceChange } from "./prices.ts";
import { setPrice } from "./set-price.ts";
import { PlayedCluster } from "./sources.ts";

const HOUR = 3_600;
const DAY = 24 * HOUR;

export interface PlayOptions {
  /** Hours between two syncs, at least and at most. */
  readonly syncEveryHours: readonly [least: number, most: number];
  /** Days between two reconciliations; the product does it every night. */
  readonly reconcileEveryDays: number;
  /** How many days back each of them looks. */
  readonly reconciledDays: number;
}

/** What was done, for a test to see that it was worth something. */
export interface Story {
  syncs: number;
  failedSyncs: number;
  canceledSyncs: number;
  takenOver: number;
  reconciled: number;
}

export class Centre {
  readonly #context: TestContext;
  readonly #syncing: SyncContext;
  readonly #life: Life;
  readonly #cluster: PlayedCluster;
  readonly #dice: Dice;
  readonly #options: PlayOptions;
  readonly #pricesToSet: PriceChange[];
  readonly #namesToReadAgain: number[];
  readonly #bills: Bills;
  #now: number;
  #nextNight: number;
  readonly story: Story = { syncs: 0, failedSyncs: 0, canceledSyncs: 0, takenOver: 0, reconciled: 0 };

  constructor(context: TestContext, life: Life, options: PlayOptions) {
    this.#context = context;
    this.#life = life;
    this.#options = options;
    const policy = { startAt: life.from, overlapSeconds: 6 * HOUR, windowSeconds: 2 * DAY };
    this.#syncing = { ...context, policy: () => policy };
    this.#cluster = new PlayedCluster(life);
    this.#dice = new Dice(life.seed + 1);
    this.#pricesToSet = [...life.prices];
    this.#namesToReadAgain = life.renames.map(({ at }) => at + 2 * DAY);
    this.#now = life.from;
    this.#bills = new Bills(context, life, this.#dice);
    this.#nextNight = life.from + 3 * DAY;
  }

  get bills(): Bills {
    return this.#bills;
  }

  /** Plays the whole life and what is done after it so that nothing is left to do. Returns the last instant. */
  async live(): Promise<number> {
    const { from, to } = this.#life;
    const [least, most] = this.#options.syncEveryHours;
    for (let now = from; now < to; now += this.#dice.int(least * HOUR, most * HOUR)) {
      // Clocks of hosts differ by minutes, in both directions.
      this.#moveTo(now, this.#dice.percent(50) ? this.#dice.int(-700, 700) : 0);
      await this.#setPrices();
      if (this.#dice.percent(92)) await this.#syncSomehow();
      if (this.#dice.percent(80)) await repriceAll(this.#context);
      await this.#bills.act(now);
      if (this.#cluster.sourcesLeft === 2) await this.#lookAfterBooks();
    }
    this.#moveTo(to + 10 * HOUR, 0);
    await this.#setPrices();
    await this.#sync();
    await this.#readRenamedAgain();
    await repriceAll(this.#context);
    await this.#reconcile();
    await repriceAll(this.#context);
    return this.#now;
  }

  #moveTo(now: number, aheadSeconds: number): void {
    this.#now = now;
    this.#context.clock.set(new Date(now * 1000).toISOString());
    this.#cluster.moveTo(now, aheadSeconds);
  }

  async #setPrices(): Promise<void> {
    for (let next = this.#pricesToSet[0]; next !== undefined && next.at <= this.#now; next = this.#pricesToSet[0]) {
      this.#pricesToSet.shift();
      await setPrice(this.#context, next);
    }
  }

  #sync(request: Partial<SyncRequest> = {}): Promise<SyncOutcome> {
    const { rest, sacct } = this.#cluster;
    return syncCluster(this.#syncing, clusterOf(CLUSTER, [rest, sacct]), { actor: "system", ...request });
  }

  /** A sync that may fail, be cut, be canceled, or meet the lease of a process that died. */
  async #syncSomehow(): Promise<void> {
    const { rest, sacct } = this.#cluster;
    const mishap = this.#dice.weighted([
      [88, "none"],
      [4, "cut rest"],
      [2, "cut sacct"],
      [2, "cut both"],
      [2, "canceled"],
      [2, "dead process"],
    ]);
    const stop = new AbortController();
    if (mishap === "cut rest" || mishap === "cut both") rest.cutAtQuestion = rest.windows.length + 1;
    if (mishap === "cut sacct" || mishap === "cut both") sacct.cutAtQuestion = sacct.windows.length + 1;
    if (mishap === "canceled") {
      for (const source of [rest, sacct]) source.onQuestion = () => stop.abort(new Error("somebody canceled it"));
    }
    if (mishap === "dead process") await this.#leaveALease();
    this.story.syncs++;
    try {
      const { status } = await this.#sync({ signal: stop.signal });
      if (status === "canceled") this.story.canceledSyncs++;
    } catch (error) {
      if (!(error instanceof UpstreamError) || (this.#cluster.sourcesLeft > 0 && mishap === "none")) throw error;
      this.story.failedSyncs++;
    }
  }

  /** As a process leaves it that died in the middle: nobody can sync until the lease has run out. */
  async #leaveALease(): Promise<void> {
    const { db, clock } = this.#context;
    await db.run(
      sql`WITH run AS (
            INSERT INTO sync_runs (cluster, requested_by, started_at, status)
            VALUES (${CLUSTER}, 'system', ${clock.now()}, 'running') RETURNING id
          )
          UPDATE sync_clusters SET lease_holder = 'a dead host', lease_run = (SELECT id FROM run),
            lease_until = clock_timestamp() + interval '1 hour' WHERE cluster = ${CLUSTER}`,
    );
    const refusal: unknown = await this.#sync().catch((error: unknown) => error);
    if (refusal instanceof ConflictError) this.story.takenOver++;
    await db.run(sql`UPDATE sync_clusters SET lease_until = clock_timestamp() - interval '1 second'`);
  }

  async #lookAfterBooks(): Promise<void> {
    await this.#readRenamedAgain();
    if (this.#now < this.#nextNight) return;
    this.#nextNight = this.#now + this.#options.reconcileEveryDays * DAY;
    await repriceAll(this.#context);
    await this.#reconcile();
  }

  /** Names that accounting has changed stand on all old records: an operator reads everything again. */
  async #readRenamedAgain(): Promise<void> {
    const due = this.#namesToReadAgain.filter((at) => at <= this.#now);
    if (due.length === 0) return;
    this.#namesToReadAgain.splice(0, due.length);
    await this.#sync({ actor: "operator", range: { from: this.#life.from, to: this.#now } });
  }

  /** As at night: the last weeks are compared, and what differs is read again. */
  async #reconcile(): Promise<void> {
    const yesterday = addDays(localDay(this.#now), -1);
    const earliest = addDays(yesterday, 1 - this.#options.reconciledDays);
    const first = localDay(this.#life.from);
    const request = this.#comparison(earliest < first ? first : earliest, yesterday);
    const run = await reconcileAndRepair({ ...this.#context, syncing: this.#syncing }, request);
    if (run.status !== "balanced") throw new Error(`on ${localDay(this.#now)} ${await this.#firstBreaks(run)}`);
    this.story.reconciled++;
  }

  /** Compares days, both included, and changes nothing. */
  compare(fromDay: string, toDay: string): Promise<ReconcileRun> {
    return reconcile(this.#context, this.#comparison(fromDay, toDay));
  }

  #comparison(fromDay: string, toDay: string): ReconcileRequest {
    const { rest, sacct } = this.#cluster;
    const { live } = clusterOf(CLUSTER, [rest, sacct]);
    const setup = { configuredName: CLUSTER, live: () => live, sreport: null, dropFolder: null, fallbackFile: null };
    return { fromDay, toDay, clusters: [setup], requestedBy: "system", signal: new AbortController().signal };
  }

  async #firstBreaks(run: ReconcileRun): Promise<string> {
    const breaks = await reconcileBreaks(this.#context.db, run.id, { limit: 5 });
    return JSON.stringify({ status: run.status, error: run.error, breaks });
  }
}

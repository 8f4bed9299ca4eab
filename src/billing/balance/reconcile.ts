/** The use case: do our books balance with the scheduler's, and with themselves? */
import type { Database } from "../../db/database.ts";
import { messageOf, UpstreamError, UserError } from "../../errors.ts";
import { BreakList } from "../../usage/reconcile/breaks.ts";
import { compareDay } from "../../usage/reconcile/compare-day.ts";
import { compareTotals } from "../../usage/reconcile/compare-totals.ts";
import { hasWeakKeys } from "../../usage/reconcile/our-runs.ts";
import { findReconcile, reconciledUntil, type ReconcileRun } from "../../usage/reconcile/queries.ts";
import { openReconcileSource, type ReconcileSource } from "../../usage/reconcile/sources.ts";
import {
  finishRun,
  insertCluster,
  insertDay,
  insertRun,
  keepReconciledUntil,
  touchRun,
} from "../../usage/reconcile/store.ts";
import { addDays, isDay } from "../../usage/site-day.ts";
import { nameCluster, type ClusterSetup } from "../../usage/sync/clusters.ts";
import type { BillingContext } from "../issue.ts";
import { checkBooks, type Books } from "./books.ts";
import type { BooksDay } from "./window.ts";

export type ReconcileContext = Pick<BillingContext, "db" | "clock" | "currency" | "days">;

export interface ReconcileProgress {
  /** Days done of all, each counted once for every cluster. */
  readonly done: number;
  readonly total: number;
  readonly cluster: string;
  readonly day: string;
}

export interface ReconcileRequest {
  /** Local days of the site, both included. */
  readonly fromDay: string;
  readonly toDay: string;
  /** The configured clusters; those that are read from files only are left out. */
  readonly clusters: readonly ClusterSetup[];
  /** Who asked, for the record. */
  readonly requestedBy: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ReconcileProgress) => void;
}

/** Days that are compared at a time: a year and a leap day. */
export const MOST_DAYS = 366;

/**
 * Compares each day of each cluster with what the scheduler says now, then the totals with sreport, then our own books from
 * usage to payments, and keeps the result. The answer of a scheduler that fails is a failed run, never a balanced one.
 *
 * @throws {UserError} for days that cannot be compared; then nothing is kept.
 */
export async function reconcile(context: ReconcileContext, asked: ReconcileRequest): Promise<ReconcileRun> {
  const request = { ...asked, clusters: asked.clusters.filter((setup) => setup.live(setup.configuredName).length > 0) };
  const days = comparableDays(context, request);
  if (request.clusters.length === 0)
    throw new UserError("no cluster with sacct or slurmrestd is configured to compare with");
  const { db, clock } = context;
  const id = await db.transaction((tx) =>
    insertRun(tx, { ...request, now: clock.now(), daysTotal: days.length * request.clusters.length }),
  );
  const breaks = new BreakList();
  let books: Books | null = null;
  let error: unknown = null;
  try {
    const run = new Run(context, request, days, id, breaks);
    // Our own books can be checked when the scheduler is away; the run has failed nevertheless.
    error = await run.compareClusters();
    request.signal.throwIfAborted();
    books = await checkBooks({ ...context, days, signal: request.signal, onAlive: run.touch }, breaks);
  } catch (problem) {
    error = problem;
  }
  await finish(context, request, { id, breaks, books, error });
  const finished = await findReconcile(db, id);
  if (finished === undefined) throw new Error(`reconciliation ${id} has vanished`);
  if (error !== null && !(error instanceof UpstreamError) && !request.signal.aborted) throw error;
  return finished;
}

/** The days from one to another, both included. @throws {UserError} that says which days can be compared. */
export function comparableDays(
  { clock, days }: Pick<ReconcileContext, "clock" | "days">,
  { fromDay, toDay }: Pick<ReconcileRequest, "fromDay" | "toDay">,
): BooksDay[] {
  for (const day of [fromDay, toDay])
    if (!isDay(day)) throw new UserError(`"${day}" is not a day: write YYYY-MM-DD, such as 2026-10-31`);
  if (fromDay > toDay) throw new UserError(`${fromDay} is after ${toDay}: write the earlier day first`);
  const today = days.dayOf(Math.floor(clock.now().getTime() / 1000));
  if (toDay > today) throw new UserError(`${toDay} is still to come: the last day that can be compared is ${today}`);
  const all: BooksDay[] = [];
  for (let day = fromDay; day <= toDay; day = addDays(day, 1)) {
    if (all.length === MOST_DAYS) throw new UserError(`at most ${MOST_DAYS} days are compared at a time`);
    all.push({ day, from: days.startOf(day), to: days.startOf(addDays(day, 1)) });
  }
  return all;
}

/** The part of a run that asks the schedulers. */
class Run {
  readonly #context: ReconcileContext;
  readonly #request: ReconcileRequest;
  readonly #days: readonly BooksDay[];
  readonly #id: bigint;
  readonly #breaks: BreakList;
  readonly #startedEpoch: number;
  #daysDone = 0;

  constructor(
    context: ReconcileContext,
    request: ReconcileRequest,
    days: readonly BooksDay[],
    id: bigint,
    breaks: BreakList,
  ) {
    this.#context = context;
    this.#request = request;
    this.#days = days;
    this.#id = id;
    this.#breaks = breaks;
    this.#startedEpoch = Math.floor(context.clock.now().getTime() / 1000);
  }

  readonly touch = (): Promise<void> => touchRun(this.#context.db, this.#id, this.#daysDone);

  /** What went wrong with a scheduler; null when all answered. One that is away does not keep the others from being compared. */
  async compareClusters(): Promise<UpstreamError | null> {
    const problems: string[] = [];
    for (const cluster of this.#request.clusters) {
      try {
        const { name, live, sreport } = await nameCluster(this.#context.db, cluster, this.#request.signal);
        const sources = live.map(({ source }) => source);
        await this.#compareCluster(await openReconcileSource({ name, sources, sreport }, this.#request.signal));
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        problems.push(error.message);
      }
    }
    return problems.length === 0 ? null : new UpstreamError(problems.join("; "));
  }

  async #compareCluster(source: ReconcileSource): Promise<void> {
    const { db } = this.#context;
    const { signal, onProgress } = this.#request;
    const { cluster } = source;
    const weak = await hasWeakKeys(db, cluster);
    let hiddenRuns = 0;
    for (const { day, from, to } of this.#days) {
      const window = { from, to };
      const result = await compareDay(
        { db, source, day, window, hasWeakKeys: weak, signal, onAlive: this.touch },
        this.#breaks,
      );
      hiddenRuns += result.hiddenRuns;
      const isOver = to <= this.#startedEpoch;
      await insertDay(db, this.#id, { cluster, day, isOver, ours: result.ours, theirs: result.theirs });
      this.#daysDone++;
      await this.touch();
      onProgress?.({ done: this.#daysDone, total: this.#days.length * this.#request.clusters.length, cluster, day });
    }
    const window = { from: this.#days[0]?.from ?? 0, to: this.#days.at(-1)?.to ?? 0 };
    const totals = await compareTotals({ db, source, window, nowEpoch: this.#startedEpoch, signal }, this.#breaks);
    await insertCluster(db, this.#id, { cluster, source: source.version, hiddenRuns, totals });
  }
}

interface Outcome {
  readonly id: bigint;
  readonly breaks: BreakList;
  readonly books: Books | null;
  readonly error: unknown;
}

function finish(
  { db, clock }: { readonly db: Database; readonly clock: ReconcileContext["clock"] },
  request: ReconcileRequest,
  { id, breaks, books, error }: Outcome,
): Promise<void> {
  const reason = error === null ? null : request.signal.aborted ? "it was stopped" : messageOf(error);
  const status = reason !== null ? "failed" : breaks.count > 0n ? "broken" : "balanced";
  return db.transaction(async (tx) => {
    await finishRun(tx, id, { status, error: reason, breaks, now: clock.now(), books });
    const until = await reconciledUntil(tx);
    await keepReconciledUntil(tx, id, until);
    tx.audit({
      actor: request.requestedBy,
      action: "reconcile.finished",
      subject: `reconcile:${id}`,
      details: {
        from_day: request.fromDay,
        to_day: request.toDay,
        verdict: status,
        breaks: breaks.count,
        reason: reason ?? undefined,
        reconciled_until: until,
      },
    });
  });
}

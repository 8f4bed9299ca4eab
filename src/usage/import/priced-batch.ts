import { once } from "node:events";
import { finished } from "node:stream/promises";
import type { Transaction } from "../../db/database.ts";
import { chargeFor } from "../../rating/charge.ts";
import type { Tier } from "../../rating/tiers.ts";
import type { JobRecord } from "../../slurm/job-record.ts";
import { tierLookup, type Pricing, type StoredPriceBook } from "../prices/book.ts";
import type { ImportContext } from "./context.ts";
import { storedChargeOf } from "./copy-line.ts";
import { CopyRows } from "./copy-rows.ts";
import { COPY_COLUMNS } from "./job-columns.ts";
import { NewJobSums } from "./new-job-sums.ts";

/** What became of the jobs of a batch, and how many rows were written for them. */
export interface Outcome {
  readonly new: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly running: number;
  readonly written: number;
}

/** Jobs on their way into the database, priced as they are sent. */
export class PricedBatch {
  readonly jobs: ReadonlyMap<string, JobRecord>;
  readonly records: readonly JobRecord[];
  readonly batchId: bigint;
  readonly #context: ImportContext;
  readonly #pricing: Pricing;
  readonly #overrides: ReadonlyMap<string, Tier>;

  constructor(
    context: ImportContext,
    jobs: ReadonlyMap<string, JobRecord>,
    price: { readonly pricing: Pricing; readonly overrides: ReadonlyMap<string, Tier>; readonly batchId: bigint },
  ) {
    this.#context = context;
    this.jobs = jobs;
    this.records = [...jobs.values()];
    this.batchId = price.batchId;
    this.#pricing = price.pricing;
    this.#overrides = price.overrides;
  }

  get book(): StoredPriceBook {
    return this.#pricing.book;
  }

  /** Sends all jobs to a table with the columns of `jobs`; returns what they add to the rollup if all of them are new. */
  async copyInto(tx: Transaction, table: "jobs" | "job_staging"): Promise<NewJobSums> {
    const copy = tx.copyFrom(`COPY ${table} (${COPY_COLUMNS.join(", ")}) FROM STDIN (FORMAT binary)`);
    const done = finished(copy);
    // The error arrives through `done`; this keeps a failure during the writes from being reported as unhandled.
    done.catch(() => undefined);
    const sums = new NewJobSums();
    try {
      for (const chunk of this.#chunks(sums)) {
        if (copy.destroyed) break;
        if (!copy.write(chunk)) await Promise.race([once(copy, "drain"), done]);
      }
      if (!copy.destroyed) copy.end();
    } catch (error) {
      // A job that cannot be written: left open, the COPY would keep the connection, and even the rollback, waiting.
      if (!copy.destroyed) copy.destroy(error instanceof Error ? error : new Error(String(error)));
      await done.catch(() => undefined);
      throw error;
    }
    await done;
    return sums;
  }

  *#chunks(sums: NewJobSums): Generator<Buffer> {
    const { clock, days } = this.#context;
    const now = Math.floor(clock.now().getTime() / 1000);
    const tierOf = tierLookup(this.#pricing, this.#overrides);
    const rows = new CopyRows(this.batchId);
    for (const job of this.records) {
      const charge = storedChargeOf(chargeFor(job, tierOf(job), this.#pricing.book, now));
      const day = job.phase === "finished" && job.endAt !== null ? days.dayOf(job.endAt) : null;
      if (day !== null) sums.add(job, charge, day);
      rows.add(job, charge, day);
      yield* rows.takeFull();
    }
    yield* rows.end();
  }
}

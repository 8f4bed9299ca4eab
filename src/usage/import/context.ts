import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import type { Currency } from "../../rating/money.ts";
import type { JobRecord } from "../../slurm/job-record.ts";
import type { SiteDays } from "../site-day.ts";

/** What importing needs to know of its surroundings. */
export interface ImportContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly currency: Currency;
  readonly days: SiteDays;
}

/** The canonical identity of a job, as one string. */
export function jobKey(job: Pick<JobRecord, "cluster" | "rawJobId" | "submitAt">): string {
  return `${job.cluster}\u0000${job.rawJobId}\u0000${job.submitAt}`;
}

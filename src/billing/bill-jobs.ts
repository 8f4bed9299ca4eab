import { sql, type Transaction } from "../db/database.ts";
import { ConflictError } from "../errors.ts";
import { chargeFor, type Charge } from "../rating/charge.ts";
import { jobColumns, jobSchema, type StoredJob } from "../usage/jobs.ts";
import { readTierOverrides, tierFor, type Pricing } from "../usage/prices/book.ts";
import { repriceJobs } from "../usage/prices/reprice.ts";
import { addToRollup } from "../usage/rollup.ts";
import { LineSums } from "./line-sums.ts";
import { copyItems } from "./receipt-items.ts";

/** A job and the charge it is billed with. */
export interface BilledJob {
  readonly job: StoredJob;
  readonly charge: Exclude<Charge, { kind: "held" | "accruing" }>;
}

const PAGE_JOBS = 5_000;

/** What a receipt's own jobs come to. */
export interface Billed {
  readonly jobs: number;
  readonly hasPriced: boolean;
  readonly accounts: ReadonlySet<string>;
  readonly sums: LineSums;
}

/** Locks, prices and marks the jobs page by page, in constant memory. */
export async function billJobs(
  tx: Transaction,
  pricing: Pricing,
  receipt: { id: bigint; userName: string; endBefore: number },
): Promise<Billed> {
  const overrides = await readTierOverrides(tx, [receipt.userName]);
  const accounts = new Set<string>();
  const sums = new LineSums();
  let jobs = 0;
  let hasPriced = false;
  let last: StoredJob | undefined;
  for (;;) {
    const page = await nextUnbilled(tx, receipt, last);
    last = page.at(-1);
    // Prices on the jobs and in the rollup first become what the receipt will say.
    await repriceJobs(tx, page, pricing);
    const billed = page.flatMap((job): BilledJob[] => {
      const owner = { username: job.user, account: job.account, cluster: job.cluster };
      const charge = chargeFor(job, tierFor(pricing, overrides, owner), pricing.book);
      return charge.kind === "held" || charge.kind === "accruing" ? [] : [{ job, charge }];
    });
    for (const { job, charge } of billed) {
      jobs++;
      if (charge.kind !== "priced") continue;
      hasPriced = true;
      accounts.add(job.account);
      sums.add(charge);
    }
    if (billed.length > 0) await markBilled(tx, receipt.id, billed);
    if (page.length < PAGE_JOBS) return { jobs, hasPriced, accounts, sums };
  }
}

async function nextUnbilled(
  tx: Transaction,
  receipt: { userName: string; endBefore: number },
  after: StoredJob | undefined,
): Promise<StoredJob[]> {
  const from =
    after === undefined || after.endAt === null
      ? sql`true`
      : sql`(j.end_at, j.cluster, j.raw_job_id, j.submit_at) > (to_timestamp(${after.endAt}::bigint), ${after.cluster}::text,
             ${after.rawJobId}::text, to_timestamp(${after.submitAt}::bigint))`;
  return tx.rows(
    jobSchema,
    sql`SELECT ${jobColumns("j")} FROM jobs j
        WHERE j.user_name = ${receipt.userName} AND j.receipt_id IS NULL AND j.phase = 'finished'
          AND j.end_at < to_timestamp(${receipt.endBefore}::bigint) AND ${from}
        ORDER BY j.end_at, j.cluster, j.raw_job_id, j.submit_at
        LIMIT ${PAGE_JOBS} FOR UPDATE OF j`,
  );
}

/** Puts jobs on the receipt: items, the jobs' own mark, and the rollup's "not yet billed". */
async function markBilled(tx: Transaction, receiptId: bigint, billed: readonly BilledJob[]): Promise<void> {
  await copyItems(tx, receiptId, billed);
  const keys = sql`unnest(${billed.map(({ job }) => job.cluster)}::text[], ${billed.map(({ job }) => job.rawJobId)}::text[],
                          ${billed.map(({ job }) => job.submitAt)}::bigint[]) AS k (cluster, raw_job_id, submit_epoch)`;
  const touched = sql`${keys} JOIN jobs j ON j.cluster = k.cluster AND j.raw_job_id = k.raw_job_id
                        AND j.submit_at = to_timestamp(k.submit_epoch)`;
  await addToRollup(tx, touched, -1);
  const marked = await tx.run(
    sql`UPDATE jobs j SET receipt_id = ${receiptId} FROM ${keys}
        WHERE j.cluster = k.cluster AND j.raw_job_id = k.raw_job_id AND j.submit_at = to_timestamp(k.submit_epoch)
          AND j.receipt_id IS NULL`,
  );
  if (marked !== billed.length)
    throw new ConflictError("some of these jobs were billed by somebody else just now; nothing was billed");
  await addToRollup(tx, touched, 1);
}

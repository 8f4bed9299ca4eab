/** Writes the results of a reconciliation. */
import { z } from "zod";
import { sql, type Queries, type Transaction } from "../../db/database.ts";
import type { Break, BreakList } from "./breaks.ts";
import type { TotalsResult } from "./compare-totals.ts";
import { DEAD_AFTER_MINUTES } from "./queries.ts";
import type { RunSums } from "./run-record.ts";

export interface NewRun {
  readonly fromDay: string;
  readonly toDay: string;
  readonly requestedBy: string;
  readonly now: Date;
  readonly daysTotal: number;
}

/** Begins a run, and closes those whose process has died. */
export async function insertRun(tx: Transaction, run: NewRun): Promise<bigint> {
  await tx.run(
    sql`UPDATE reconcile_runs SET status = 'failed', finished_at = ${run.now}, error = 'the process that did it ended before it was done'
        WHERE status = 'running' AND touched_at < clock_timestamp() - make_interval(mins => ${DEAD_AFTER_MINUTES})`,
  );
  const { id } = await tx.one(
    z.object({ id: z.bigint() }),
    sql`INSERT INTO reconcile_runs (from_day, to_day, requested_by, started_at, status, days_total)
        VALUES (${run.fromDay}, ${run.toDay}, ${run.requestedBy}, ${run.now}, 'running', ${run.daysTotal}) RETURNING id`,
  );
  return id;
}

/** A sign of life, with what is done so far. */
export async function touchRun(queries: Queries, id: bigint, daysDone: number): Promise<void> {
  await queries.run(
    sql`UPDATE reconcile_runs SET touched_at = clock_timestamp(), days_done = ${daysDone} WHERE id = ${id} AND status = 'running'`,
  );
}

export interface ClusterRecord {
  readonly cluster: string;
  readonly source: string;
  readonly hiddenRuns: number;
  readonly totals: TotalsResult;
}

export async function insertCluster(queries: Queries, runId: bigint, record: ClusterRecord): Promise<void> {
  await queries.run(
    sql`INSERT INTO reconcile_clusters (run_id, cluster, source, hidden_runs, totals)
        VALUES (${runId}, ${record.cluster}, ${record.source}, ${record.hiddenRuns}, ${exact(record.totals)}::jsonb)`,
  );
}

export interface DayRecord {
  readonly cluster: string;
  readonly day: string;
  readonly isOver: boolean;
  readonly ours: RunSums;
  readonly theirs: RunSums;
}

export async function insertDay(queries: Queries, runId: bigint, record: DayRecord): Promise<void> {
  await queries.run(
    sql`INSERT INTO reconcile_days (run_id, cluster, day, is_over, ours, theirs)
        VALUES (${runId}, ${record.cluster}, ${record.day}, ${record.isOver}, ${sumsText(record.ours)}::jsonb,
                ${sumsText(record.theirs)}::jsonb)`,
  );
}

function sumsText(sums: RunSums): string {
  return exact({
    jobs: sums.jobs,
    cpu_seconds: sums.cpuSeconds,
    gpu_seconds: sums.gpuSeconds,
    mem_mib_seconds: sums.memMibSeconds,
    node_seconds: sums.nodeSeconds,
    billing_seconds: sums.billingSeconds,
  });
}

const BREAKS_AT_A_TIME = 200;

async function insertBreaks(queries: Queries, runId: bigint, breaks: readonly Break[]): Promise<void> {
  for (let first = 0; first < breaks.length; first += BREAKS_AT_A_TIME) {
    const some = breaks.slice(first, first + BREAKS_AT_A_TIME);
    const text = (value: (one: Break) => string | undefined): (string | null)[] =>
      some.map((one) => cleaned(value(one)) ?? null);
    await queries.run(
      sql`INSERT INTO reconcile_breaks (run_id, position, kind, cluster, day, raw_job_id, submit_at, job_id, user_name, account,
                                        receipt_id, receipt_number, what, ours, theirs)
          SELECT ${runId}::bigint, ${first}::integer + place, kind, cluster, day, raw_job_id, to_timestamp(submit_epoch), job_id,
                 user_name, account, receipt_id, receipt_number, what, ours, theirs
          FROM unnest(${text(({ kind }) => kind)}::text[], ${text(({ cluster }) => cluster)}::text[],
                      ${text(({ day }) => day)}::date[], ${text(({ job }) => job?.rawJobId)}::text[],
                      ${some.map(({ job }) => job?.submitAt ?? null)}::bigint[], ${text(({ job }) => job?.jobId)}::text[],
                      ${text(({ userName }) => userName)}::text[], ${text(({ account }) => account)}::text[],
                      ${text(({ receipt }) => receipt?.id.toString())}::bigint[], ${text(({ receipt }) => receipt?.number)}::text[],
                      ${text(({ what }) => what)}::text[], ${text(({ ours }) => ours)}::text[],
                      ${text(({ theirs }) => theirs)}::text[])
            WITH ORDINALITY
            AS t (kind, cluster, day, raw_job_id, submit_epoch, job_id, user_name, account, receipt_id, receipt_number, what,
                  ours, theirs, place)`,
    );
  }
}

/** Rows that could not be read may hold anything; the database knows no NUL. */
function cleaned(text: string | undefined): string | undefined {
  return text?.replaceAll("\0", "\uFFFD");
}

export interface RunEnd {
  readonly status: "balanced" | "broken" | "failed";
  readonly error: string | null;
  readonly breaks: BreakList;
  readonly now: Date;
  /** The sums of our own books, or null where they were not made. */
  readonly books: object | null;
}

/** Ends a run with all that was found. */
export async function finishRun(queries: Queries, id: bigint, end: RunEnd): Promise<void> {
  await queries.run(
    sql`UPDATE reconcile_runs
        SET status = ${end.status}, error = ${end.error}, breaks = ${end.breaks.count}, undated_breaks = ${end.breaks.countOf({})},
            finished_at = ${end.now}, books = ${end.books === null ? null : exact(end.books)}::jsonb
        WHERE id = ${id}`,
  );
  const days = await queries.rows(
    z.object({ cluster: z.string(), day: z.string() }),
    sql`SELECT cluster, day FROM reconcile_days WHERE run_id = ${id}`,
  );
  await queries.run(
    sql`UPDATE reconcile_days d SET breaks = found.breaks
        FROM unnest(${days.map(({ cluster }) => cluster)}::text[], ${days.map(({ day }) => day)}::date[],
                    ${days.map((day) => end.breaks.countOf(day).toString())}::bigint[]) AS found (cluster, day, breaks)
        WHERE d.run_id = ${id} AND d.cluster = found.cluster AND d.day = found.day AND found.breaks > 0`,
  );
  await insertBreaks(queries, id, end.breaks.kept);
}

/** Keeps how far everything is reconciled, as of this run, so that pages need not work it out. */
export async function keepReconciledUntil(queries: Queries, id: bigint, day: string | null): Promise<void> {
  await queries.run(sql`UPDATE reconcile_runs SET reconciled_until = ${day}::date WHERE id = ${id}`);
}

/** JSON with whole numbers of any size as text. */
function exact(value: object): string {
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === "bigint" ? member.toString() : member));
}

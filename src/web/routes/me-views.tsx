/** Reads what the views Jobs, Billed and Trend show. */
import type { FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { openCorrections } from "../../billing/corrections.ts";
import { explainJobs } from "../../billing/explain.ts";
import { listReceipts, receiptTotals, type ReceiptFilter } from "../../billing/queries.ts";
import type { StoredJob } from "../../usage/jobs.ts";
import { readPricing } from "../../usage/prices/book.ts";
import {
  cursorOf,
  decodeJobCursor,
  encodeJobCursor,
  finishedJobs,
  unfinishedJobs,
  type JobFilter,
} from "../../usage/queries/job-list.ts";
import { usageBy, usageTotals, usageValues, type UsageFilter, type UsageSums } from "../../usage/queries/summary.ts";
import { addDays, monthStart } from "../../usage/site-day.ts";
import { FAILED_STATES } from "../../usage/rollup.ts";
import { BilledPage } from "../pages/me/billed.tsx";
import { address } from "../pages/me/address.ts";
import { JobsPage, type JobsFilter } from "../pages/me/jobs.tsx";
import { TrendPage, type TrendMonth } from "../pages/me/trend.tsx";
import { monthEnd } from "../pages/me/empty.tsx";
import type { ComparedDay } from "../pages/ui/index.ts";
import type { MeDeps, MeQuery, MeStart } from "./me-common.ts";
import { jobView } from "./support/job-view.ts";
import { readerOf } from "./support/reader.ts";
import { countDays, daysOf, windowBefore, type DayWindow } from "./support/window.ts";

const JOBS_PER_PAGE = 50;
const RUNNING_SHOWN = 100;
const RECEIPTS_PER_PAGE = 50;
const MOST_DAYS = 400;

/** As the address says it; what is not understood does not narrow anything. */
export function jobsFilterOf({
  q = "",
  state = "",
  account = "",
  billed = "",
}: Pick<MeQuery, "q" | "state" | "account" | "billed">): JobsFilter {
  return {
    q: q.trim(),
    state: state === "failed" || /^[A-Z][A-Z_]{0,40}$/u.test(state) ? state : "",
    account,
    billed: billed === "yes" || billed === "no" ? billed : "",
  };
}

/** The finished jobs of a user that the page and the file hold. */
export function jobFilterOf(userName: string, { fromDay, toDay }: DayWindow, filter: JobsFilter): JobFilter {
  return {
    userName,
    fromDay,
    toDay,
    account: filter.account === "" ? undefined : filter.account,
    state: filter.state === "" || filter.state === "failed" ? undefined : filter.state,
    failed: filter.state === "failed" ? true : undefined,
    billed: filter.billed === "" ? undefined : filter.billed === "yes",
    search: filter.q === "" ? undefined : filter.q,
  };
}

export async function jobsPage(request: FastifyRequest, deps: MeDeps, query: MeQuery, start: MeStart): Promise<VNode> {
  const { billing, days } = deps;
  const { db } = billing;
  const { userName, today, common } = start;
  const { fromDay, toDay } = common.window;
  const filter = jobsFilterOf(query);
  const newer = decodeJobCursor(query.newer);
  const older = newer === undefined ? decodeJobCursor(query.older) : undefined;
  const window: UsageFilter = { userName, fromDay, toDay, account: filter.account === "" ? undefined : filter.account };
  const page = await finishedJobs(db, days, jobFilterOf(userName, common.window, filter), {
    limit: JOBS_PER_PAGE,
    newer,
    older,
  });
  const showsRunning = !page.hasNewer && fromDay <= today && toDay >= today;
  const [pricing, unfinished, totals, accounts] = await Promise.all([
    readPricing(db, billing.currency, { hold: false }),
    showsRunning ? unfinishedJobs(db, { userName, startedOnly: true }, RUNNING_SHOWN + 1) : [],
    usageTotals(db, window),
    usageValues(db, { userName, fromDay, toDay }, "account"),
  ]);
  const running = unfinished.slice(0, RUNNING_SHOWN).filter((job) => isMatch(job, filter));
  const all = [...running, ...page.jobs];
  const now = billing.clock.now();
  const reader = readerOf(request);
  const explanations = await explainJobs(db, pricing, all, now);
  const views = all.flatMap((job, index) => {
    const explanation = explanations[index];
    return explanation === undefined ? [] : [jobView(reader, job, explanation, now)];
  });
  const cursor = (job: StoredJob | undefined): string | null =>
    job === undefined ? null : encodeJobCursor(cursorOf(job));
  return (
    <JobsPage
      common={common}
      filter={filter}
      accounts={accounts}
      running={views.slice(0, running.length)}
      isRunningCut={unfinished.length > RUNNING_SHOWN}
      jobs={views.slice(running.length)}
      totals={{ jobs: totals.jobs, costMinor: totals.costMinor }}
      matching={matchingOf(totals, filter)}
      newer={page.hasNewer ? cursor(page.jobs[0]) : null}
      older={page.hasOlder ? cursor(page.jobs.at(-1)) : null}
      lastDay={start.lastDay}
    />
  );
}

/** Unfinished jobs are few: they are narrowed here by the rules of the finished ones. */
function isMatch(job: StoredJob, { q, state, account, billed }: JobsFilter): boolean {
  const search = q.toLowerCase();
  return (
    billed !== "yes" &&
    (state === "" ||
      state === job.state ||
      (state === "failed" && FAILED_STATES.some((failed) => failed === job.state))) &&
    (account === "" || account === job.account) &&
    (search === "" ||
      job.jobId.startsWith(q) ||
      job.jobName.toLowerCase().includes(search) ||
      job.account.toLowerCase().includes(search))
  );
}

/** The daily sums know some filters; a search or a single state they do not. */
function matchingOf({ jobs, failedJobs, unbilledJobs }: UsageSums, { q, state, billed }: JobsFilter): bigint | null {
  if (q !== "") return null;
  if (state === "") return billed === "" ? jobs : billed === "no" ? unbilledJobs : jobs - unbilledJobs;
  return state === "failed" && billed === "" ? failedJobs : null;
}

export async function billedPage(
  { billing, days }: MeDeps,
  query: MeQuery,
  { userName, common }: MeStart,
): Promise<VNode> {
  const { db } = billing;
  const { fromDay, toDay } = common.window;
  const instant = (day: string): Date => new Date(days.startOf(day) * 1000);
  const filter: ReceiptFilter = { userName, issuedFrom: instant(fromDay), issuedBefore: instant(addDays(toDay, 1)) };
  const before = /^\d{1,18}$/u.test(query.older ?? "") ? BigInt(query.older ?? "") : undefined;
  const [receipts, pending, paid, usage, toSettle] = await Promise.all([
    listReceipts(db, filter, { limit: RECEIPTS_PER_PAGE + 1, before }),
    receiptTotals(db, { ...filter, status: "pending" }),
    receiptTotals(db, { ...filter, status: "paid" }),
    usageTotals(db, { userName, fromDay, toDay }),
    openCorrections(db, { userName }),
  ]);
  const shown = receipts.slice(0, RECEIPTS_PER_PAGE);
  return (
    <BilledPage
      common={common}
      receipts={shown}
      totals={{ count: pending.count + paid.count, totalMinor: pending.totalMinor + paid.totalMinor }}
      toSettleMinor={toSettle.owedMinor}
      jobs={{ billedMinor: usage.costMinor - usage.unbilledMinor, openMinor: usage.unbilledMinor }}
      olderThan={receipts.length > RECEIPTS_PER_PAGE ? (shown.at(-1)?.id ?? null) : null}
    />
  );
}

const MONTHS = 12;

export async function trendPage(
  { billing: { db } }: MeDeps,
  { userName, today, common, lastDay }: MeStart,
): Promise<VNode> {
  const { window } = common;
  const daysBefore = windowBefore(window);
  const lastMonth = monthStart(window.toDay < today ? window.toDay : today);
  const firstMonth = monthStart(lastMonth, -MONTHS);
  const isDrawn = countDays(window) <= MOST_DAYS;
  const perDay = (days: DayWindow) => (isDrawn ? usageBy(db, { userName, ...days }, "day") : []);
  const [now, before, days, dayGroupsBefore, monthGroups] = await Promise.all([
    usageTotals(db, { userName, fromDay: window.fromDay, toDay: window.toDay }),
    usageTotals(db, { userName, ...daysBefore }),
    perDay({ fromDay: window.fromDay, toDay: window.toDay }),
    perDay(daysBefore),
    usageBy(db, { userName, fromDay: firstMonth, toDay: monthEnd(lastMonth) }, "month"),
  ]);
  const costs = new Map([...days, ...dayGroupsBefore].map(({ key, costMinor }) => [key, costMinor]));
  return (
    <TrendPage
      common={common}
      now={now}
      before={before}
      daysBefore={daysBefore}
      days={isDrawn ? compared(window, daysBefore, costs) : null}
      months={monthsOf(lastMonth, monthGroups)}
      lastDay={lastDay}
    />
  );
}

function compared(window: DayWindow, daysBefore: DayWindow, costs: ReadonlyMap<string, bigint>): ComparedDay[] {
  const before = daysOf(daysBefore);
  return daysOf(window).map((day, index) => {
    const dayBefore = before[index];
    const value = costs.get(day);
    return {
      day,
      value: value ?? 0n,
      before: dayBefore === undefined ? undefined : { day: dayBefore, value: costs.get(dayBefore) ?? 0n },
      ...(value !== undefined && { href: address("/me", { view: "detail", start: day, before: day }) }),
    };
  });
}

/** The twelve months up to one, newest first, from their first use on; a month without jobs stands with zeros. */
function monthsOf(lastMonth: string, groups: readonly (UsageSums & { readonly key: string })[]): TrendMonth[] {
  const byKey = new Map(groups.map((group) => [group.key, group]));
  const keys = Array.from({ length: MONTHS }, (_, index) => monthStart(lastMonth, -index).slice(0, 7));
  const first = groups[0]?.key;
  if (first === undefined) return [];
  return keys
    .filter((key) => key >= first)
    .map((key) => {
      const before = monthStart(`${key}-01`, -1).slice(0, 7);
      return {
        ...(byKey.get(key) ?? NO_USAGE),
        key,
        costBeforeMinor: before < first ? null : (byKey.get(before)?.costMinor ?? 0n),
      };
    });
}

const NO_USAGE: UsageSums = {
  jobs: 0n, failedJobs: 0n, heldJobs: 0n, cpuSeconds: 0n, gpuSeconds: 0n, memMibSeconds: 0n, nodeSeconds: 0n, failedCpuSeconds: 0n,
  failedGpuSeconds: 0n, cpuMinor: 0n, gpuMinor: 0n, memMinor: 0n, costMinor: 0n, unbilledJobs: 0n, unbilledMinor: 0n,
}; // prettier-ignore

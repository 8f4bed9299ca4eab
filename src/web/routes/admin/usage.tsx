import type { FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { explainJobs } from "../../../billing/explain.ts";
import type { Queries } from "../../../db/database.ts";
import { readPricing } from "../../../usage/prices/book.ts";
import { openRepriceTasks } from "../../../usage/prices/reprice.ts";
import { cursorOf, decodeJobCursor, encodeJobCursor, finishedJobs } from "../../../usage/queries/job-list.ts";
import {
  countGroups,
  dearestBy,
  usageBy,
  usageDayRange,
  usageTotals,
  usageValues,
  type Grouping,
  type UsageFilter,
  type UsageSums,
} from "../../../usage/queries/summary.ts";
import { usageHref, type UsageAddress } from "../../pages/admin/usage-address.ts";
import { UsagePage, type UsagePageProps } from "../../pages/admin/usage.tsx";
import type { JobView } from "../../pages/me/job-model.ts";
import type { DayColumn } from "../../pages/ui/index.ts";
import { decodeCostCursor, encodeCostCursor } from "../support/cost-cursor.ts";
import { jobView } from "../support/job-view.ts";
import {
  countDays,
  daysOf,
  FIRST_DAY,
  presetDays,
  readWindow,
  windowParams,
  type UsageWindow,
} from "../support/window.ts";
import { adminView, readQuery, type AdminContext } from "./context.ts";
import { addressOf, groupingOf, jobFilterOf, usageFilterOf, usageQuery, type UsageQuery } from "./usage-query.ts";

const PAGE_GROUPS = 50;
const PAGE_JOBS = 50;
/** More days than this are no longer told apart in a chart. */
const MOST_DAYS = 400;

export async function usageSection(context: AdminContext, request: FastifyRequest): Promise<VNode> {
  const query = readQuery(usageQuery, request.query);
  const { reports } = context;
  const view = adminView(request, context, "usage");
  const reading = readWindow(query, view.today);
  const window = await fromFirstUse(reports, reading.window);
  const address = addressOf(query, window);
  const filter = usageFilterOf(query, window);
  const [totals, days, clusters, partitions, accounts, repricing, list] = await Promise.all([
    usageTotals(reports, filter),
    dayColumns(reports, filter, window, address),
    usageValues(reports, { fromDay: window.fromDay, toDay: window.toDay }, "cluster"),
    usageValues(reports, { fromDay: window.fromDay, toDay: window.toDay }, "partition"),
    usageValues(reports, { fromDay: window.fromDay, toDay: window.toDay, userName: filter.userName }, "account"),
    openRepriceTasks(context.db),
    listOf(context, request, query, window, address),
  ]);
  const preset = (name: "thisMonth" | "lastMonth" | "days90") => ({
    ...windowParams({ ...presetDays(name, view.today), preset: name }),
  });
  return (
    <UsagePage
      view={view}
      address={address}
      window={window}
      presets={{ thisMonth: preset("thisMonth"), lastMonth: preset("lastMonth"), days90: preset("days90") }}
      problem={reading.problem}
      repricedJobs={repricing.tasks > 0 ? repricing.jobsSeen : null}
      totals={totals}
      days={days}
      choices={{ clusters, partitions, accounts }}
      lastDay={totals.jobs > 0n ? null : await lastUse(reports, filter)}
      lagSeconds={await reports.lagSeconds()}
      {...list}
      list={withMatching(list.list, totals, query)}
    />
  );
}

/** Where to send somebody who finds nothing. */
async function lastUse(queries: Queries, filter: UsageFilter): Promise<string | null> {
  return (await usageDayRange(queries, { ...filter, fromDay: undefined, toDay: undefined }))?.last ?? null;
}

/** "From the beginning" begins with the first usage there is. */
export async function fromFirstUse(queries: Queries, window: UsageWindow): Promise<UsageWindow> {
  if (window.fromDay !== FIRST_DAY) return window;
  const range = await usageDayRange(queries, {});
  return { ...window, fromDay: range === null || range.first > window.toDay ? window.toDay : range.first };
}

/** One column for each day, each a link to the jobs of that day. */
async function dayColumns(
  queries: Queries,
  filter: UsageFilter,
  window: UsageWindow,
  address: UsageAddress,
): Promise<readonly DayColumn[] | null> {
  if (countDays(window) > MOST_DAYS) return null;
  const sums = new Map((await usageBy(queries, filter, "day")).map((day) => [day.key, day]));
  return daysOf(window).map((day) => {
    const sum = sums.get(day);
    return {
      day,
      cpu: sum?.cpuMinor ?? 0n,
      gpu: sum?.gpuMinor ?? 0n,
      memory: sum?.memMinor ?? 0n,
      href: usageHref({ ...address, start: day, before: day, group: "jobs" }),
    };
  });
}

type Listed = Pick<UsagePageProps, "list" | "backHref" | "onHref">;

async function listOf(
  context: AdminContext,
  request: FastifyRequest,
  query: UsageQuery,
  window: UsageWindow,
  address: UsageAddress,
): Promise<Listed> {
  const grouping = groupingOf(query.group);
  return grouping === null
    ? jobsPage(context, request, query, window, address)
    : groupsPage(context.reports, query, window, address, grouping);
}

async function groupsPage(
  queries: Queries,
  query: UsageQuery,
  window: UsageWindow,
  address: UsageAddress,
  grouping: Grouping,
): Promise<Listed> {
  const filter = usageFilterOf(query, window);
  const before = decodeCostCursor(query.ahead);
  const after = before === undefined ? decodeCostCursor(query.after) : undefined;
  const [found, count] = await Promise.all([
    dearestBy(queries, filter, grouping, { limit: PAGE_GROUPS + 1, after, before }),
    countGroups(queries, filter, grouping),
  ]);
  const hasMore = found.length > PAGE_GROUPS;
  const groups = before === undefined ? found.slice(0, PAGE_GROUPS) : found.slice(-PAGE_GROUPS);
  const [first, last] = [groups.at(0), groups.at(-1)];
  const hasAhead = before === undefined ? after !== undefined : hasMore;
  return {
    list: { kind: "groups", grouping, groups, count },
    backHref: hasAhead && first !== undefined ? usageHref(address, { ahead: encodeCostCursor(first) }) : undefined,
    onHref:
      (before !== undefined || hasMore) && last !== undefined
        ? usageHref(address, { after: encodeCostCursor(last) })
        : undefined,
  };
}

async function jobsPage(
  context: AdminContext,
  request: FastifyRequest,
  query: UsageQuery,
  window: UsageWindow,
  address: UsageAddress,
): Promise<Listed> {
  const { db, days, clock, prices } = context;
  const newer = decodeJobCursor(query.ahead);
  const older = newer === undefined ? decodeJobCursor(query.after) : undefined;
  const [pricing, page] = await Promise.all([
    readPricing(db, prices.currency, { hold: false }),
    finishedJobs(db, days, jobFilterOf(query, window), { limit: PAGE_JOBS, older, newer }),
  ]);
  const now = clock.now();
  const explanations = await explainJobs(db, pricing, page.jobs, now);
  const reader = adminView(request, context, "usage");
  const jobs = page.jobs.flatMap((job, index): JobView[] => {
    const explanation = explanations[index];
    return explanation === undefined ? [] : [withAdminLinks(jobView(reader, job, explanation, now))];
  });
  const [first, last] = [page.jobs.at(0), page.jobs.at(-1)];
  return {
    list: { kind: "jobs", jobs, matching: null },
    backHref:
      page.hasNewer && first !== undefined
        ? usageHref(address, { ahead: encodeJobCursor(cursorOf(first)) })
        : undefined,
    onHref:
      page.hasOlder && last !== undefined ? usageHref(address, { after: encodeJobCursor(cursorOf(last)) }) : undefined,
  };
}

/** From here a receipt's number leads to where it can be settled. */
function withAdminLinks(job: JobView): JobView {
  if (job.billing.kind !== "receipt") return job;
  return { ...job, billing: { ...job.billing, href: job.billing.href.replace(/^\/me\//u, "/admin/") } };
}

/** The daily sums know some filters; a search or a single state they do not. */
function withMatching(
  list: UsagePageProps["list"],
  { jobs, failedJobs, unbilledJobs }: UsageSums,
  { q, state, billed }: UsageQuery,
): UsagePageProps["list"] {
  if (list.kind !== "jobs" || q !== undefined) return list;
  if (state === "")
    return { ...list, matching: billed === "" ? jobs : billed === "no" ? unbilledJobs : jobs - unbilledJobs };
  return state === "failed" && billed === "" ? { ...list, matching: failedJobs } : list;
}

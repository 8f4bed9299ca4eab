import type { FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { lastAuditCheck } from "../../audit/verify.ts";
import { openCorrections } from "../../billing/corrections.ts";
import { readPricing } from "../../usage/prices/book.ts";
import { usageAsOf, usageBy, usageTotals, type UsageFilter, type UsageGroup } from "../../usage/queries/summary.ts";
import { unbilledTotals } from "../../usage/queries/unbilled.ts";
import { lastReconcile, type ReconcileRun } from "../../usage/reconcile/queries.ts";
import type { WebContext } from "../plugins/context.ts";
import type { DayColumn, TrustItem } from "../pages/ui/index.ts";
import { address } from "../pages/me/address.ts";
import { OverviewPage, type OverviewProps, type Unbilled } from "../pages/me/overview.tsx";
import { monthEnd } from "../pages/me/empty.tsx";
import { taxText, tierText } from "../pages/me/words.ts";
import { requireUser } from "../route-kit.ts";
import { tierOfUser, type MeDeps, type MeStart } from "./me-common.ts";
import { readerOf, type Reader } from "./support/reader.ts";
import { countDays, daysOf, windowBefore } from "./support/window.ts";

/** More days than these cannot be told apart in a chart. */
const MOST_DAYS = 400;
const MOST_ACCOUNTS = 500;
/** A source that gave nothing for so long has probably stopped. */
const STALE_SECONDS = 26 * 3_600;

export async function overviewPage(
  request: FastifyRequest,
  { db }: Pick<WebContext, "db">,
  deps: MeDeps,
  start: MeStart,
): Promise<VNode> {
  const { billing } = deps;
  const { userName, today, common } = start;
  const { fromDay, toDay } = common.window;
  const reader = readerOf(request);
  const filter: UsageFilter = { userName, fromDay, toDay };
  const daysBefore = windowBefore(common.window);
  const pricing = await readPricing(db, billing.currency, { hold: false });
  const [tier, unbilled, toSettle, now, before, accounts, chart, asOf, audit, reconciled] = await Promise.all([
    tierOfUser(deps, pricing, userName),
    unbilledOf(db, userName, { upToDay: toDay, today }),
    openCorrections(db, { userName }),
    usageTotals(db, filter),
    usageTotals(db, { userName, ...daysBefore }),
    usageBy(db, filter, "account", { limit: MOST_ACCOUNTS }),
    chartOf(db, filter, start),
    usageAsOf(db),
    lastAuditCheck(db),
    lastReconcile(db),
  ]);
  const clock = billing.clock.now().getTime();
  const ageOf = (at: Date): number => Math.max(0, Math.floor((clock - at.getTime()) / 1000));
  const isAdmin = requireUser(request).role === "admin";
  const trust = [
    dataTrust(reader, asOf === null ? null : { at: asOf, ageSeconds: ageOf(asOf) }),
    ...reconcileTrust(reader, reconciled, isAdmin),
    ...(audit === undefined
      ? []
      : [auditTrust(reader, { ok: audit.ok, ageSeconds: ageOf(audit.checked_at), isAdmin })]),
  ];
  const { tax } = billing;
  return (
    <OverviewPage
      common={common}
      tier={tierText(reader.t, tier)}
      dataAgeSeconds={asOf === null ? null : ageOf(asOf)}
      trust={trust}
      unbilled={unbilled}
      toSettleMinor={toSettle.owedMinor}
      tax={tax === null || tax.inclusive ? null : taxText(reader.fmt, tax.label, tax.rateMicro)}
      now={now}
      before={before}
      daysBefore={daysBefore}
      chart={chart}
      accounts={accounts}
      lastDay={start.lastDay}
    />
  );
}

/**
 * What a receipt up to the window's last day would bill; where that is nothing, what one up to today would: nobody who
 * looks at an old month should think they owe nothing.
 */
async function unbilledOf(
  db: WebContext["db"],
  userName: string,
  { upToDay, today }: { readonly upToDay: string; readonly today: string },
): Promise<Unbilled> {
  const toDay = upToDay < today ? upToDay : today;
  const open = await unbilledTotals(db, { userName, toDay });
  if (open.firstDay === null) {
    if (toDay < today) return unbilledOf(db, userName, { upToDay: today, today });
    return { upToDay: toDay, today, jobs: 0n, heldJobs: 0n, minor: 0n };
  }
  const { heldJobs } = await usageTotals(db, { userName, fromDay: open.firstDay, toDay });
  return { upToDay: toDay, today, jobs: open.jobs - heldJobs, heldJobs, minor: open.minor };
}

function dataTrust({ t, fmt }: Reader, data: { readonly at: Date; readonly ageSeconds: number } | null): TrustItem {
  if (data === null) return { ok: false, text: t("me.trust.dataNone") };
  if (data.ageSeconds > STALE_SECONDS)
    return { ok: false, text: t("me.trust.dataStale", { age: fmt.age(data.ageSeconds) }) };
  return { ok: true, text: t("me.trust.data", { time: fmt.dateTimeShort(data.at) }) };
}

/** Absent until somebody has compared, and while a comparison that failed is all there is. */
function reconcileTrust({ t, fmt }: Reader, last: ReconcileRun | undefined, isAdmin: boolean): TrustItem[] {
  if (last === undefined) return [];
  const link = isAdmin ? { href: "/admin?section=reconcile" } : {};
  if (last.status === "broken") return [{ ok: false, text: t("me.trust.reconcileBroken"), ...link }];
  if (last.reconciledUntil === null) return [];
  return [{ ok: true, text: t("me.trust.reconciled", { day: fmt.date(last.reconciledUntil) }), ...link }];
}

function auditTrust(
  { t, fmt }: Reader,
  check: { readonly ok: boolean; readonly ageSeconds: number; readonly isAdmin: boolean },
): TrustItem {
  const text = check.ok ? t("me.trust.audit", { age: fmt.age(check.ageSeconds) }) : t("me.trust.auditBroken");
  return { ok: check.ok, text, ...(check.isAdmin && { href: "/admin?section=audit" }) };
}

async function chartOf(
  db: WebContext["db"],
  filter: UsageFilter,
  { common }: MeStart,
): Promise<OverviewProps["chart"]> {
  const { window } = common;
  if (countDays(window) > MOST_DAYS) {
    return { kind: "months", months: (await usageBy(db, filter, "month")).reverse() };
  }
  const groups = new Map((await usageBy(db, filter, "day")).map((group) => [group.key, group]));
  // The present month keeps its place for the days to come, so that the chart does not shrink day by day.
  const shown = window.preset === "thisMonth" ? { fromDay: window.fromDay, toDay: monthEnd(window.fromDay) } : window;
  return { kind: "days", days: daysOf(shown).map((day) => dayColumn(day, groups.get(day))) };
}

function dayColumn(day: string, group: UsageGroup | undefined): DayColumn {
  if (group === undefined) return { day, cpu: 0n, gpu: 0n, memory: 0n };
  const href = address("/me", { view: "detail", start: day, before: day });
  return { day, cpu: group.cpuMinor, gpu: group.gpuMinor, memory: group.memMinor, href };
}

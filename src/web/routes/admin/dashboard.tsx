import type { FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { lastAuditCheck } from "../../../audit/verify.ts";
import { paidTotals, receivableTotals } from "../../../billing/queries.ts";
import { openRepriceTasks } from "../../../usage/prices/reprice.ts";
import { defaultAccounts } from "../../../usage/prices/tier-users.ts";
import {
  dearestBy,
  mostLostBy,
  usageAsOf,
  usageBy,
  usageDayRange,
  usageTotals,
} from "../../../usage/queries/summary.ts";
import { unbilledTotals } from "../../../usage/queries/unbilled.ts";
import { lastReconcile } from "../../../usage/reconcile/queries.ts";
import { monthStart } from "../../../usage/site-day.ts";
import { DashboardPage } from "../../pages/admin/dashboard.tsx";
import { usageHref } from "../../pages/admin/usage-address.ts";
import { daysOf, presetDays, windowBefore } from "../support/window.ts";
import { monthWorthBilling, overdueBefore, startOfDay } from "./billing.tsx";
import { adminView, type AdminContext } from "./context.ts";

const SHOWN_USERS = 5;

export async function dashboardSection(context: AdminContext, request: FastifyRequest): Promise<VNode> {
  const { db, days } = context;
  const view = adminView(request, context, "dashboard");
  const window = presetDays("days90", view.today);
  const thisMonth = presetDays("thisMonth", view.today);
  const daysBefore = windowBefore(thisMonth);
  const [asOf, auditCheck, reconciled, repricing, unbilled, monthToBill] = await Promise.all([
    usageAsOf(db),
    lastAuditCheck(db),
    lastReconcile(db),
    openRepriceTasks(db),
    unbilledTotals(db),
    monthWorthBilling(context, view.today),
  ]);
  const [receivable, overdue, paidThisMonth, month, monthBefore] = await Promise.all([
    receivableTotals(db),
    receivableTotals(db, { issuedBefore: overdueBefore(view.now) }),
    paidTotals(db, startOfDay(days, thisMonth.fromDay), startOfDay(days, monthStart(view.today, 1))),
    usageTotals(db, thisMonth),
    usageTotals(db, daysBefore),
  ]);
  const [perDay, users, tiers, lost, range] = await Promise.all([
    usageBy(db, window, "day"),
    dearestBy(db, window, "user", { limit: SHOWN_USERS }),
    dearestBy(db, window, "tier", { limit: 10 }),
    mostLostBy(db, window, "user", SHOWN_USERS),
    usageDayRange(db, {}),
  ]);
  const accounts = await defaultAccounts(
    db,
    users.map(({ key }) => key),
  );
  const sums = new Map(perDay.map((day) => [day.key, day]));
  return (
    <DashboardPage
      view={view}
      usageAsOf={asOf}
      isSynced={context.config.slurm.clusters.length > 0}
      auditCheck={auditCheck}
      reconciled={reconciled}
      repricing={repricing}
      unbilled={unbilled}
      monthToBill={monthToBill}
      receivable={receivable}
      overdue={overdue}
      paidThisMonth={paidThisMonth}
      month={month}
      monthBefore={monthBefore}
      daysBefore={daysBefore}
      window={window}
      days={daysOf(window).map((day) => {
        const sum = sums.get(day);
        return {
          day,
          cpu: sum?.cpuMinor ?? 0n,
          gpu: sum?.gpuMinor ?? 0n,
          memory: sum?.memMinor ?? 0n,
          href: usageHref({ start: day, before: day, group: "jobs" }),
        };
      })}
      users={users.map((user) => ({ ...user, account: accounts.get(user.key) }))}
      tiers={tiers}
      lost={lost}
      lastDay={range?.last ?? null}
    />
  );
}

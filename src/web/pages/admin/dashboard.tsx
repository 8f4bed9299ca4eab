/** Is the centre's money and data in order? */
import type { AuditCheck } from "../../../audit/verify.ts";
import type { UnbilledTotals } from "../../../usage/queries/unbilled.ts";
import type { ReconcileRun } from "../../../usage/reconcile/queries.ts";
import type { UsageGroup, UsageSums } from "../../../usage/queries/summary.ts";
import { AdminShell } from "../layout.tsx";
import {
  AnswerPanel,
  Columns,
  EmptyState,
  FigureGrid,
  KeyFigure,
  LinkButton,
  Panel,
  StackedColumns,
  TrustLine,
  type DayColumn,
  type TrustItem,
} from "../ui/index.ts";
import { unbilledHref, type Sum } from "./billing.tsx";
import { addressOf, Lost, Tiers, TopUsers } from "./dashboard-who.tsx";
import { drillDown, usageHref } from "./usage-address.ts";
import { hrefOf, sectionHref, type AdminView } from "./view.ts";

export interface DayRange {
  readonly fromDay: string;
  readonly toDay: string;
}

export interface DashboardPageProps {
  readonly view: AdminView;
  /** How fresh usage is; null before anything was read. */
  readonly usageAsOf: Date | null;
  /** True where clusters are connected: their page says more. */
  readonly isSynced: boolean;
  readonly auditCheck: AuditCheck | undefined;
  /** The last comparison with the scheduler. */
  readonly reconciled: ReconcileRun | undefined;
  readonly repricing: { readonly tasks: number; readonly jobsSeen: bigint };
  readonly unbilled: UnbilledTotals;
  /** `YYYY-MM` */
  readonly monthToBill: string;
  readonly receivable: Sum;
  readonly overdue: Sum;
  readonly paidThisMonth: Sum;
  readonly month: UsageSums;
  readonly monthBefore: UsageSums;
  /** The days of the month before that the present month so far is compared with. */
  readonly daysBefore: DayRange;
  readonly window: DayRange;
  readonly days: readonly DayColumn[];
  readonly users: readonly (UsageGroup & { readonly account: string | undefined })[];
  readonly tiers: readonly UsageGroup[];
  readonly lost: readonly UsageGroup[];
  /** Day of the last finished job; null when there is none. */
  readonly lastDay: string | null;
}

/** Data older than this is worth a warning: a scheduler that works ends jobs every day. */
const STALE_SECONDS = 26 * 3_600;

export function DashboardPage(props: DashboardPageProps) {
  const { view, days, window } = props;
  const { t, fmt, frame, today } = view;
  const isEmpty = days.every(({ cpu, gpu, memory }) => cpu + gpu + memory === 0n) && props.users.length === 0;
  return (
    <AdminShell frame={frame} title={t("dashboard.title")} subtitle={fmt.dateFull(today)}>
      <TrustLine t={t} look="panel" items={trustItems(props)} />
      <Answer {...props} />
      {isEmpty ? (
        <Empty {...props} />
      ) : (
        <>
          <StackedColumns
            t={t}
            fmt={fmt}
            id="cost"
            title={t("dashboard.chart")}
            days={days}
            actions={
              <LinkButton
                href={hrefOf("/admin/usage.csv", { group: "day", start: window.fromDay, before: window.toDay })}
                icon="download"
                size="small"
                download
              >
                {t("dashboard.csv")}
              </LinkButton>
            }
          />
          <Columns layout="wide" main={<TopUsers {...props} />} aside={<Tiers {...props} />} />
          <Lost {...props} />
        </>
      )}
    </AdminShell>
  );
}

function trustItems(props: DashboardPageProps): TrustItem[] {
  const { view, usageAsOf, isSynced, auditCheck, reconciled, repricing } = props;
  const { t, fmt, now } = view;
  const age = usageAsOf === null ? 0 : (now.getTime() - usageAsOf.getTime()) / 1000;
  const usage: TrustItem = {
    ok: usageAsOf !== null && age <= STALE_SECONDS,
    subject: t("dashboard.trust.usage"),
    text: usageAsOf === null ? t("dashboard.trust.usageNone") : t("dashboard.trust.usageText", { age: fmt.age(age) }),
    href: sectionHref(isSynced ? "sources" : "usage"),
  };
  const audit: TrustItem = {
    ok: auditCheck?.ok === true,
    subject: t("dashboard.trust.audit"),
    text: auditText(view, auditCheck),
    href: sectionHref("audit"),
  };
  const prices: TrustItem = {
    ok: false,
    subject: t("dashboard.trust.prices"),
    text: t("dashboard.trust.pricesText", { count: Number(repricing.jobsSeen) }),
    href: sectionHref("rates"),
  };
  return [usage, ...reconcileTrust(view, reconciled), audit, ...(repricing.tasks > 0 ? [prices] : [])];
}

/** Absent until somebody has compared. */
function reconcileTrust({ t, fmt }: AdminView, last: ReconcileRun | undefined): TrustItem[] {
  if (last === undefined) return [];
  const { status, breaks, reconciledUntil } = last;
  const href = sectionHref("reconcile");
  const trouble = { ok: false, subject: t("dashboard.trust.reconciliation"), href };
  if (status === "broken")
    return [{ ...trouble, text: t("dashboard.trust.reconcileBroken", { count: Number(breaks) }) }];
  if (status === "failed") return [{ ...trouble, text: t("dashboard.trust.reconcileFailed") }];
  if (reconciledUntil === null) return [];
  const text = t("dashboard.trust.reconcileText", { day: fmt.date(reconciledUntil) });
  return [{ ok: true, subject: t("dashboard.trust.reconciled"), text, href }];
}

function auditText({ t, fmt }: AdminView, check: AuditCheck | undefined): string {
  if (check === undefined) return t("dashboard.trust.auditNever");
  return check.ok
    ? t("dashboard.trust.auditText", { count: Number(check.records) })
    : t("dashboard.trust.auditBroken", { id: fmt.integer(check.broken_at ?? 0n) });
}

function Answer(props: DashboardPageProps) {
  const { view, unbilled, monthToBill, receivable, overdue, paidThisMonth, month, monthBefore, daysBefore } = props;
  const { t, fmt, today } = view;
  const isAllBilled = unbilled.minor === 0n;
  const counted = t("dashboard.unbilledNote", { jobs: Number(unbilled.jobs), people: unbilled.users });
  const range = daysInMonth(view, daysBefore);
  const change = fmt.percentChange(month.jobs, monthBefore.jobs);
  return (
    <AnswerPanel
      answer={
        <>
          <KeyFigure
            label={t("dashboard.unbilled")}
            value={fmt.moneyParts(unbilled.minor)}
            note={isAllBilled ? t("dashboard.allBilled") : <a href={unbilledHref(unbilled, today)}>{counted}</a>}
          />
          {isAllBilled ? null : (
            <div class="actions">
              <LinkButton kind="primary" href={hrefOf("/admin/invoices/create_month", { month: monthToBill })}>
                {t("dashboard.bill", { month: fmt.monthName(`${monthToBill}-01`) })}
              </LinkButton>
            </div>
          )}
        </>
      }
    >
      <FigureGrid
        figures={[
          {
            label: t("dashboard.receivable"),
            value: fmt.money(receivable.totalMinor),
            note: (
              <>
                {t("dashboard.receivableNote", { count: receivable.count })}
                {overdue.count === 0 ? null : (
                  <>
                    ,{" "}
                    <a href={sectionHref("billing", { status: "pending", age: 30 })}>
                      {t("dashboard.overdue", { count: overdue.count })}
                    </a>
                  </>
                )}
              </>
            ),
            href: sectionHref("billing", { status: "pending" }),
          },
          {
            label: t("dashboard.paid"),
            value: fmt.money(paidThisMonth.totalMinor),
            note: t("dashboard.receivableNote", { count: paidThisMonth.count }),
            href: sectionHref("billing", { status: "paid", paid: today.slice(0, 7) }),
          },
          {
            label: t("dashboard.jobs"),
            value: fmt.integer(month.jobs),
            note:
              change === null ? t("dashboard.jobsNoChange", { range }) : t("dashboard.jobsChange", { change, range }),
            href: usageHref({ group: "jobs" }),
          },
          {
            label: t("dashboard.failed"),
            value: fmt.percent(month.failedJobs, month.jobs) ?? "–",
            note: t("dashboard.failedNote", { hours: fmt.hours(month.failedGpuSeconds, 0) }),
            href: usageHref({ group: "jobs", state: "failed" }),
          },
        ]}
      />
    </AnswerPanel>
  );
}

/** `1–23 Oct`, `1 Oct`: always the first days of one month. */
function daysInMonth({ fmt }: AdminView, { fromDay, toDay }: DayRange): string {
  return fromDay === toDay ? fmt.dayMonth(toDay) : `${Number(fromDay.slice(8))}\u2013${fmt.dayMonth(toDay)}`;
}

function Empty({ view: { t, fmt }, window, lastDay }: DashboardPageProps) {
  const there = lastDay === null ? null : drillDown(addressOf(window), "month", lastDay.slice(0, 7));
  return (
    <Panel>
      <EmptyState
        title={t("dashboard.emptyTitle")}
        action={
          there === null || lastDay === null ? undefined : (
            <LinkButton href={usageHref(there)}>{t("dashboard.emptyGo", { month: fmt.monthYear(lastDay) })}</LinkButton>
          )
        }
      >
        {lastDay === null ? t("dashboard.emptyNever") : t("dashboard.emptyLast", { day: fmt.dateLong(lastDay) })}
      </EmptyState>
    </Panel>
  );
}

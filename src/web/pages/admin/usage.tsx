/** Who used what? From the month down to the job. */
import type { Grouping, UsageGroup, UsageSums } from "../../../usage/queries/summary.ts";
import { AdminShell } from "../layout.tsx";
import { JobTable } from "../me/job-table.tsx";
import type { JobView } from "../me/job-model.ts";
import {
  DateRangePicker,
  EmptyState,
  LinkButton,
  Notice,
  Panel,
  StackedColumns,
  Tabs,
  type DayColumn,
  type RangePreset,
} from "../ui/index.ts";
import { KeyPager } from "./parts.tsx";
import { drillDown, usageHref, type UsageAddress } from "./usage-address.ts";
import { UsageFilters } from "./usage-filters.tsx";
import { GROUP_WORDS, UsageGroups } from "./usage-groups.tsx";
import { hrefOf, textParams, type AdminView, type Params } from "./view.ts";

export interface UsagePageProps {
  readonly view: AdminView;
  readonly address: UsageAddress;
  readonly window: { readonly fromDay: string; readonly toDay: string; readonly preset: RangePreset };
  readonly presets: Readonly<Record<Exclude<RangePreset, "custom">, Params>>;
  readonly problem:
    | { readonly kind: "notADay"; readonly text: string }
    | { readonly kind: "backwards"; readonly fromDay: string; readonly toDay: string }
    | null;
  /** Jobs priced anew so far, while that goes on. */
  readonly repricedJobs: bigint | null;
  readonly totals: UsageSums;
  /** Null where there are too many days to draw. */
  readonly days: readonly DayColumn[] | null;
  readonly choices: {
    readonly clusters: readonly string[];
    readonly partitions: readonly string[];
    readonly accounts: readonly string[];
  };
  readonly list:
    | {
        readonly kind: "groups";
        readonly grouping: Grouping;
        readonly groups: readonly UsageGroup[];
        readonly count: number;
      }
    /** `matching` is null where no sum tells how many there are. */
    | { readonly kind: "jobs"; readonly jobs: readonly JobView[]; readonly matching: bigint | null };
  readonly backHref: string | undefined;
  readonly onHref: string | undefined;
  /** Day of the last job by the same filters; null when there is none. */
  readonly lastDay: string | null;
  /** How far behind the read replica is that the sums are from; null where they are not. */
  readonly lagSeconds: number | null;
}

const GROUP_ORDER = ["user", "account", "partition", "cluster", "tier", "month", "day"] as const;

export function UsagePage(props: UsagePageProps) {
  const { view, address, window, presets, totals, days, list } = props;
  const { t, fmt, frame } = view;
  const preset = (name: keyof typeof presets): string =>
    usageHref({ ...address, start: undefined, before: undefined, ...presets[name] });
  const isNoMatch = list.kind === "jobs" && list.jobs.length === 0;
  return (
    <AdminShell
      frame={frame}
      title={t("usage.title")}
      subtitle={
        <>
          {fmt.dateRange(window.fromDay, window.toDay)} ·{" "}
          {t("usage.jobsAndCost", { jobs: Number(totals.jobs), cost: fmt.money(totals.costMinor) })}
          {props.lagSeconds === null ? null : <> · {t("usage.replicaLag", { seconds: props.lagSeconds })}</>}
        </>
      }
      actions={
        <DateRangePicker
          t={t}
          current={window.preset}
          hrefs={{ thisMonth: preset("thisMonth"), lastMonth: preset("lastMonth"), days90: preset("days90") }}
          custom={{
            action: "/admin",
            from: { name: "start", value: window.fromDay },
            to: { name: "before", value: window.toDay },
            keep: textParams({ section: "usage", ...address, start: undefined, before: undefined }),
          }}
        />
      }
      tabs={
        <Tabs
          label={t("usage.by")}
          items={[
            ...GROUP_ORDER.map((group) => ({
              label: t(GROUP_WORDS[group][0]),
              href: usageHref({ ...address, group, state: "", billed: "", q: "" }),
              current: address.group === group,
            })),
            {
              label: t("usage.by.jobs"),
              href: usageHref({ ...address, group: "jobs" }),
              current: address.group === "jobs",
            },
          ]}
        />
      }
    >
      <News {...props} />
      <UsageFilters {...props} />
      {totals.jobs === 0n ? (
        <Nothing {...props} />
      ) : (
        <>
          {days === null ? null : (
            <StackedColumns t={t} fmt={fmt} id="cost" title={t("usage.costPerDay")} days={days} />
          )}
          <Panel
            id="list"
            title={address.group === "jobs" ? t("usage.by.jobs") : t(GROUP_WORDS[address.group][0])}
            body="flush"
            actions={<Csv {...props} />}
          >
            {list.kind === "groups" ? <UsageGroups {...props} list={list} /> : null}
            {list.kind === "jobs" && list.jobs.length > 0 ? (
              <JobTable t={t} fmt={fmt} caption={t("usage.by.jobs")} jobs={list.jobs} withUser="yes" />
            ) : null}
            {isNoMatch ? <NoMatch {...props} /> : null}
          </Panel>
          {isNoMatch ? null : (
            <KeyPager t={t} text={showingText(props)} backHref={props.backHref} onHref={props.onHref} />
          )}
        </>
      )}
    </AdminShell>
  );
}

function showingText({ view: { t }, list }: UsagePageProps): string {
  if (list.kind === "groups") return t("usage.showing", { shown: list.groups.length, total: list.count });
  const shown = list.jobs.length;
  return list.matching === null
    ? t("usage.showingSome", { shown })
    : t("usage.showingJobs", { shown, total: Number(list.matching) });
}

function Csv({ view: { t }, address, window }: UsagePageProps) {
  return (
    <LinkButton
      href={hrefOf("/admin/usage.csv", { ...address, start: window.fromDay, before: window.toDay })}
      icon="download"
      size="small"
      download
    >
      {t("usage.csv")}
    </LinkButton>
  );
}

function News({ view: { t, fmt }, problem, repricedJobs }: UsagePageProps) {
  return (
    <>
      {problem === null ? null : (
        <Notice kind="error" t={t} title={t("usage.problemTitle")}>
          {problem.kind === "notADay"
            ? t("usage.notADay", { text: problem.text })
            : t("usage.backwards", { from: fmt.date(problem.fromDay), to: fmt.date(problem.toDay) })}
        </Notice>
      )}
      {repricedJobs === null ? null : (
        <Notice kind="info" t={t} title={t("usage.repricing")}>
          {t("usage.repricingText", { count: Number(repricedJobs) })}
        </Notice>
      )}
    </>
  );
}

/** There are jobs in these days, but none that the list's own filters let through. */
function NoMatch({ view: { t }, address }: UsagePageProps) {
  const href = usageHref({ ...address, state: "", billed: "", q: "" });
  return (
    <EmptyState title={t("usage.noMatch")} action={<LinkButton href={href}>{t("usage.noMatchAction")}</LinkButton>} />
  );
}

function Nothing({ view: { t, fmt }, address, lastDay }: UsagePageProps) {
  const isFiltered = [address.cluster, address.user, address.account, address.partition, address.tier].some(
    (value) => value !== "",
  );
  const why =
    lastDay !== null
      ? t("usage.emptyElsewhere", { day: fmt.dateLong(lastDay) })
      : isFiltered
        ? t("usage.emptyFilter")
        : t("usage.emptyNever");
  const there = lastDay === null ? null : drillDown(address, "month", lastDay.slice(0, 7));
  return (
    <Panel>
      <EmptyState
        title={t("usage.emptyTitle")}
        action={
          there === null || lastDay === null ? undefined : (
            <LinkButton href={usageHref({ ...there, group: address.group })}>
              {t("usage.emptyGo", { month: fmt.monthYear(lastDay) })}
            </LinkButton>
          )
        }
      >
        {why}
      </EmptyState>
    </Panel>
  );
}

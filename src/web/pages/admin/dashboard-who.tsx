/** Who used most, at which price, and who lost most to failed jobs. */
import type { UsageGroup } from "../../../usage/queries/summary.ts";
import { BarList, DataTable, Panel } from "../ui/index.ts";
import type { DashboardPageProps, DayRange } from "./dashboard.tsx";
import { drillDown, usageHref, type UsageAddress } from "./usage-address.ts";
import { tierName } from "./view.ts";

/** The address of the 90 days, without any narrowing. */
export function addressOf({ fromDay, toDay }: DayRange): UsageAddress {
  return {
    start: fromDay,
    before: toDay,
    group: "user",
    cluster: "",
    user: "",
    account: "",
    partition: "",
    tier: "",
    state: "",
    billed: "",
    q: "",
  };
}

function downHref(window: DayRange, grouping: "user" | "tier", key: string): string {
  return usageHref(drillDown(addressOf(window), grouping, key) ?? addressOf(window));
}

export function TopUsers({ view: { t, fmt }, users, window }: DashboardPageProps) {
  return (
    <Panel
      id="users"
      title={t("dashboard.users")}
      body="flush"
      foot={<a href={usageHref(addressOf(window))}>{t("dashboard.allUsers")}</a>}
    >
      <BarList
        items={users.map(({ key, account, costMinor }) => ({
          label: <a href={downHref(window, "user", key)}>{key}</a>,
          ...(account !== undefined && { note: account }),
          size: costMinor,
          value: fmt.money(costMinor),
        }))}
      />
    </Panel>
  );
}

export function Tiers({ view: { t, fmt }, tiers, window }: DashboardPageProps) {
  return (
    <Panel id="tiers" title={t("dashboard.tiers")} body="flush">
      <BarList
        items={tiers.map(({ key, costMinor }) => ({
          label: <a href={downHref(window, "tier", key)}>{tierName(key, t)}</a>,
          size: costMinor,
          value: fmt.money(costMinor),
        }))}
      />
    </Panel>
  );
}

export function Lost({ view: { t, fmt }, lost, window }: DashboardPageProps) {
  return (
    <Panel id="lost" title={t("dashboard.lost")} body="flush">
      {lost.length === 0 ? (
        <p class="second panel-text">{t("dashboard.lostNone")}</p>
      ) : (
        <DataTable<UsageGroup>
          caption={t("dashboard.lost")}
          rows={lost}
          columns={[
            {
              key: "user",
              header: t("dashboard.lostUser"),
              cell: ({ key }) => (
                <a href={usageHref({ ...addressOf(window), user: key, group: "jobs", state: "failed" })}>{key}</a>
              ),
            },
            {
              key: "jobs",
              header: t("dashboard.lostJobs"),
              align: "end",
              cell: ({ failedJobs, jobs }) => (
                <>
                  {fmt.integer(failedJobs)} <span class="third">({fmt.percent(failedJobs, jobs)})</span>
                </>
              ),
            },
            {
              key: "cpu",
              header: t("dashboard.lostCpu"),
              align: "end",
              cell: ({ failedCpuSeconds }) => fmt.hours(failedCpuSeconds),
            },
            {
              key: "gpu",
              header: t("dashboard.lostGpu"),
              align: "end",
              phone: "line",
              cell: ({ failedGpuSeconds }) => fmt.hours(failedGpuSeconds),
            },
          ]}
        />
      )}
    </Panel>
  );
}

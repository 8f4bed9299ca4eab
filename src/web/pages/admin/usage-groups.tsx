/** Usage summed by something: rows that lead to what they are made of, and their total. */
import type { ComponentChildren } from "preact";
import type { Grouping, UsageGroup } from "../../../usage/queries/summary.ts";
import { DataTable, type Column } from "../ui/index.ts";
import { drillDown, jobsOf, usageHref, type UsageAddress } from "./usage-address.ts";
import type { UsagePageProps } from "./usage.tsx";
import { tierName, type AdminView } from "./view.ts";

/** What rows are called, all of them and one. */
export const GROUP_WORDS = {
  user: ["usage.by.user", "usage.one.user"],
  account: ["usage.by.account", "usage.one.account"],
  partition: ["usage.by.partition", "usage.one.partition"],
  cluster: ["usage.by.cluster", "usage.one.cluster"],
  tier: ["usage.by.tier", "usage.one.tier"],
  month: ["usage.by.month", "usage.one.month"],
  day: ["usage.by.day", "usage.one.day"],
} as const satisfies Record<Grouping, readonly [string, string]>;

interface GroupsProps extends UsagePageProps {
  readonly list: Extract<UsagePageProps["list"], { kind: "groups" }>;
}

export function UsageGroups({ view, address, totals, list }: GroupsProps) {
  const { t } = view;
  const { grouping, groups, count } = list;
  const columns: Column<UsageGroup>[] = [
    {
      key: "key",
      header: t(GROUP_WORDS[grouping][1]),
      nowrap: true,
      cell: ({ key }) => <GroupLink view={view} address={address} grouping={grouping} groupKey={key} />,
    },
    ...sumColumns(view, (group) => jobsHref(address, grouping, group.key)),
  ];
  const foot = Object.fromEntries(
    sumColumns(view, () => usageHref({ ...address, group: "jobs" })).map((column) => [
      column.key,
      column.cell({ key: "", ...totals }),
    ]),
  );
  return (
    <DataTable
      caption={t(GROUP_WORDS[grouping][0])}
      rows={groups}
      columns={columns}
      foot={[{ cells: { key: count > groups.length ? t("usage.totalOf", { count }) : t("usage.total"), ...foot } }]}
    />
  );
}

function jobsHref(address: UsageAddress, grouping: Grouping, key: string): string | null {
  const down = jobsOf(address, grouping, key);
  return down === null ? null : usageHref(down);
}

/** Usage in hours and money, each with its unit in the header; the number of jobs leads to them. */
function sumColumns({ t, fmt }: AdminView, jobsLink: (group: UsageGroup) => string | null): Column<UsageGroup>[] {
  return [
    {
      key: "jobs",
      header: t("usage.jobs"),
      align: "end",
      cell: (group) => {
        const href = jobsLink(group);
        return href === null ? fmt.integer(group.jobs) : <a href={href}>{fmt.integer(group.jobs)}</a>;
      },
    },
    { key: "cpu", header: t("usage.cpu"), align: "end", cell: ({ cpuSeconds }) => fmt.hours(cpuSeconds) },
    { key: "gpu", header: t("usage.gpu"), align: "end", cell: ({ gpuSeconds }) => fmt.hours(gpuSeconds) },
    { key: "mem", header: t("usage.mem"), align: "end", cell: ({ memMibSeconds }) => fmt.gibHours(memMibSeconds) },
    {
      key: "unbilled",
      header: t("usage.unbilled"),
      align: "end",
      cell: ({ unbilledMinor }) => fmt.money(unbilledMinor),
    },
    { key: "amount", header: t("usage.amount"), align: "end", cell: ({ costMinor }) => fmt.money(costMinor) },
  ];
}

interface GroupLinkProps {
  readonly view: AdminView;
  readonly address: UsageAddress;
  readonly grouping: Grouping;
  readonly groupKey: string;
}

function GroupLink({ view, address, grouping, groupKey }: GroupLinkProps) {
  const down = drillDown(address, grouping, groupKey);
  const name = groupName(view, grouping, groupKey);
  return down === null ? <span class="second">{name}</span> : <a href={usageHref(down)}>{name}</a>;
}

function groupName({ t, fmt }: AdminView, grouping: Grouping, key: string): ComponentChildren {
  if (key === "") return t("usage.unnamed");
  if (grouping === "tier") return tierName(key, t);
  if (grouping === "month") return fmt.monthYear(`${key}-01`);
  return grouping === "day" ? fmt.date(key) : key;
}

/** Reads what the view Group shows. */
import type { VNode } from "preact";
import type { Queries } from "../../db/database.ts";
import { coordinatedAccounts, type CoordinatedAccount } from "../../usage/accounts/coordinated.ts";
import { groupDayRange, isMember, usageByAccount, type AccountUsage } from "../../usage/accounts/group-usage.ts";
import {
  countGroups,
  dearestBy,
  usageBy,
  usageDayRange,
  usageTotals,
  type UsageFilter,
  type UsageGroup,
} from "../../usage/queries/summary.ts";
import { address } from "../pages/me/address.ts";
import { GroupPage } from "../pages/me/group.tsx";
import { groupHref, type GroupAccount } from "../pages/me/group-model.ts";
import { MessageError } from "../plugins/message-error.ts";
import type { DayColumn } from "../pages/ui/index.ts";
import type { MeQuery, MeStart } from "./me-common.ts";
import { decodeCostCursor, encodeCostCursor } from "./support/cost-cursor.ts";
import { countDays, daysOf, windowBefore, type DayWindow } from "./support/window.ts";

const MEMBERS_PER_PAGE = 50;
const MOST_ACCOUNTS = 100;
/** More days than these cannot be told apart in a chart. */
const MOST_DAYS = 400;

/** What somebody asks to see of the accounts they coordinate. */
export interface Group {
  readonly accounts: readonly CoordinatedAccount[];
  /** Empty for all. */
  readonly account: string;
  readonly member: string;
  readonly range: () => ReturnType<typeof usageDayRange>;
}

/**
 * The accounts that the reader coordinates, narrowed as asked. An account they do not coordinate, and a person who never
 * was on one of theirs, are as unknown to them as ones that never were.
 *
 * @throws {MessageError} 404 then, and for whoever coordinates nothing.
 */
export async function groupOf(
  queries: Queries,
  username: string,
  { account = "", member = "" }: Pick<MeQuery, "account" | "member">,
): Promise<Group> {
  const accounts = await coordinatedAccounts(queries, username, { account: account === "" ? undefined : account });
  const isKnown = accounts.length > 0 && (member === "" || (await isMember(queries, accounts, member)));
  if (!isKnown) throw new MessageError("error.text.notFound", { status: 404 });
  const range = () =>
    member === "" ? groupDayRange(queries, accounts) : usageDayRange(queries, { userName: member, accounts });
  return { accounts, account, member, range };
}

export async function groupPage(
  queries: Queries,
  query: MeQuery,
  { common, lastDay }: MeStart,
  group: Group,
): Promise<VNode> {
  const { account, member } = group;
  const { fromDay, toDay } = common.window;
  const daysBefore = windowBefore(common.window);
  const userName = member === "" ? undefined : member;
  const filter: UsageFilter = { fromDay, toDay, userName, accounts: group.accounts };
  const [now, before, days, people, accounts] = await Promise.all([
    usageTotals(queries, filter),
    usageTotals(queries, { ...filter, ...daysBefore }),
    dayColumns(queries, filter, { fromDay, toDay }, { account, member }),
    peopleOf(queries, filter, query, (cursor) => groupHref(common, { account, member, ...cursor })),
    usageByAccount(queries, group.accounts, { fromDay, toDay, userName }),
  ]);
  const placed = withPlaces(accounts, group.accounts);
  return (
    <GroupPage
      common={common}
      account={account}
      member={member}
      accountsInScope={group.accounts.length}
      now={now}
      before={before}
      daysBefore={daysBefore}
      days={days}
      {...people}
      accounts={placed.slice(0, MOST_ACCOUNTS)}
      usedAccounts={placed.length}
      lastDay={lastDay}
    />
  );
}

/** Dearest first, each with where it is. */
function withPlaces(usage: readonly AccountUsage[], accounts: readonly CoordinatedAccount[]): GroupAccount[] {
  const isOneCluster = new Set(accounts.map(({ cluster }) => cluster)).size === 1;
  const keyOf = ({ cluster, account }: { readonly cluster: string; readonly account: string }) =>
    JSON.stringify([cluster, account]);
  const paths = new Map(accounts.map((account) => [keyOf(account), account.path]));
  return usage
    .map((one) => ({ ...one, place: [...(isOneCluster ? [] : [one.cluster]), ...(paths.get(keyOf(one)) ?? [])] }))
    .sort((a, b) => (a.costMinor === b.costMinor ? 0 : a.costMinor > b.costMinor ? -1 : 1));
}

async function dayColumns(
  queries: Queries,
  filter: UsageFilter,
  window: DayWindow,
  narrowed: { readonly account: string; readonly member: string },
): Promise<DayColumn[] | null> {
  if (countDays(window) > MOST_DAYS) return null;
  const sums = new Map((await usageBy(queries, filter, "day")).map((day) => [day.key, day]));
  return daysOf(window).map((day) => {
    const sum = sums.get(day);
    if (sum === undefined) return { day, cpu: 0n, gpu: 0n, memory: 0n };
    const href = address("/me", { view: "group", start: day, before: day, ...narrowed });
    return { day, cpu: sum.cpuMinor, gpu: sum.gpuMinor, memory: sum.memMinor, href };
  });
}

interface People {
  readonly people: number;
  readonly members: readonly UsageGroup[];
  readonly backHref: string | undefined;
  readonly onHref: string | undefined;
}

async function peopleOf(
  queries: Queries,
  filter: UsageFilter,
  query: Pick<MeQuery, "newer" | "older">,
  hrefAt: (cursor: { readonly newer?: string; readonly older?: string }) => string,
): Promise<People> {
  const before = decodeCostCursor(query.newer);
  const after = before === undefined ? decodeCostCursor(query.older) : undefined;
  const [found, people] = await Promise.all([
    dearestBy(queries, filter, "user", { limit: MEMBERS_PER_PAGE + 1, after, before }),
    countGroups(queries, filter, "user"),
  ]);
  const hasMore = found.length > MEMBERS_PER_PAGE;
  const members = before === undefined ? found.slice(0, MEMBERS_PER_PAGE) : found.slice(-MEMBERS_PER_PAGE);
  const [first, last] = [members.at(0), members.at(-1)];
  const hasDearer = before === undefined ? after !== undefined : hasMore;
  const hasCheaper = before !== undefined || hasMore;
  return {
    people,
    members,
    backHref: hasDearer && first !== undefined ? hrefAt({ newer: encodeCostCursor(first) }) : undefined,
    onHref: hasCheaper && last !== undefined ? hrefAt({ older: encodeCostCursor(last) }) : undefined,
  };
}

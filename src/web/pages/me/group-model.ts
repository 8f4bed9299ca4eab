/** What the view of a group is made of. */
import type { AccountUsage } from "../../../usage/accounts/group-usage.ts";
import type { UsageGroup, UsageSums } from "../../../usage/queries/summary.ts";
import type { DayColumn } from "../ui/index.ts";
import { address, type Params } from "./address.ts";
import type { MeCommon } from "./shell.tsx";

export interface GroupAccount extends AccountUsage {
  /** Where it is: its cluster where there are several, and the coordinated accounts above it. */
  readonly place: readonly string[];
}

export interface GroupProps {
  readonly common: MeCommon;
  /** What the page is narrowed to; empty for everything the reader coordinates. */
  readonly account: string;
  readonly member: string;
  /** How many accounts, and how many people used them in these days. */
  readonly accountsInScope: number;
  readonly people: number;
  readonly now: UsageSums;
  readonly before: UsageSums;
  /** The days the sums are compared with. */
  readonly daysBefore: { readonly fromDay: string; readonly toDay: string };
  /** Null where there are too many days to draw. */
  readonly days: readonly DayColumn[] | null;
  /** A page of people, dearest first. */
  readonly members: readonly UsageGroup[];
  readonly backHref: string | undefined;
  readonly onHref: string | undefined;
  /** Accounts with usage, dearest first, and how many there are of them in all. */
  readonly accounts: readonly GroupAccount[];
  readonly usedAccounts: number;
  readonly lastDay: string | null;
}

/** The address of the group's view in the same days. */
export function groupHref(common: Pick<MeCommon, "window">, params: Params): string {
  return address("/me", { view: "group", ...common.window.params, ...params });
}

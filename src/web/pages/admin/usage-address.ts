/** The usage section's address: every filter stands in it, so that each number can lead to what it is made of. */
import type { Grouping } from "../../../usage/queries/summary.ts";
import { addDays, monthStart } from "../../../usage/site-day.ts";
import { sectionHref } from "./view.ts";

export interface UsageAddress {
  /** Absent for the present month. */
  readonly start?: string | undefined;
  readonly before?: string | undefined;
  readonly group: Grouping | "jobs";
  readonly cluster: string;
  readonly user: string;
  readonly account: string;
  readonly partition: string;
  readonly tier: string;
  /** These three narrow the list of jobs only. */
  readonly state: string;
  readonly billed: string;
  readonly q: string;
}

export function usageHref(
  address: Partial<UsageAddress>,
  place: { readonly after?: string; readonly ahead?: string } = {},
): string {
  return sectionHref("usage", { ...address, group: address.group === "user" ? undefined : address.group, ...place });
}

/** One step down from a row: the row becomes a filter, and what it is made of is shown by the next finer thing. */
export function drillDown(address: UsageAddress, grouping: Grouping, key: string): UsageAddress | null {
  if (key === "") return null;
  if (grouping === "day") return { ...address, start: key, before: key, group: finer(address) };
  if (grouping === "month")
    return { ...address, start: `${key}-01`, before: addDays(monthStart(`${key}-01`, 1), -1), group: finer(address) };
  const narrowed = { ...address, [grouping]: key };
  return { ...narrowed, group: finer(narrowed) };
}

/** User, then account, then the jobs themselves. */
function finer({ user, account }: UsageAddress): UsageAddress["group"] {
  if (user === "") return "user";
  return account === "" ? "account" : "jobs";
}

/** The jobs of a row. */
export function jobsOf(address: UsageAddress, grouping: Grouping, key: string): UsageAddress | null {
  const down = drillDown(address, grouping, key);
  return down === null ? null : { ...down, group: "jobs" };
}

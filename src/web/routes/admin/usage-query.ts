/** What the address of the usage section says, and what it means to the features. */
import { z } from "zod";
import type { JobFilter } from "../../../usage/queries/job-list.ts";
import { GROUPINGS, type Grouping, type UsageFilter } from "../../../usage/queries/summary.ts";
import { TIERS } from "../../../rating/tiers.ts";
import type { UsageAddress } from "../../pages/admin/usage-address.ts";
import { windowParams, type UsageWindow } from "../support/window.ts";
import { filled, text } from "./context.ts";

export const usageQuery = z.object({
  start: text(40).optional(),
  before: text(40).optional(),
  group: z.enum([...GROUPINGS, "jobs"], { error: `takes one of ${GROUPINGS.join(", ")}, jobs` }).default("user"),
  cluster: filled,
  user: filled,
  account: filled,
  partition: filled,
  tier: z.enum([...TIERS, ""], { error: `takes one of ${TIERS.join(", ")}` }).default(""),
  state: z
    .string()
    .regex(/^(?:failed|[A-Z_]{0,40})$/u, "takes failed, or a state such as TIMEOUT")
    .default(""),
  billed: z.enum(["yes", "no", ""], { error: "takes yes or no" }).default(""),
  q: filled,
  after: text(1_000).optional(),
  ahead: text(1_000).optional(),
});

export type UsageQuery = z.output<typeof usageQuery>;

export function addressOf(query: UsageQuery, window: UsageWindow): UsageAddress {
  const { cluster = "", user = "", account = "", partition = "", tier, group } = query;
  const isJobs = group === "jobs";
  return {
    ...windowParams(window),
    group,
    cluster,
    user,
    account,
    partition,
    tier,
    // Sums know nothing of a single job.
    state: isJobs ? query.state : "",
    billed: isJobs ? query.billed : "",
    q: isJobs ? (query.q ?? "") : "",
  };
}

export function usageFilterOf(
  query: UsageQuery,
  { fromDay, toDay }: Pick<UsageWindow, "fromDay" | "toDay">,
): UsageFilter {
  const { cluster, user, account, partition, tier } = query;
  return { fromDay, toDay, cluster, userName: user, account, partition, tier: tier === "" ? undefined : tier };
}

export function jobFilterOf(query: UsageQuery, { fromDay, toDay }: Pick<UsageWindow, "fromDay" | "toDay">): JobFilter {
  const { cluster, user, account, partition, tier, state, billed, q } = query;
  return {
    fromDay,
    toDay,
    cluster,
    userName: user,
    account,
    partition,
    tier: tier === "" ? undefined : tier,
    state: state === "" || state === "failed" ? undefined : state,
    failed: state === "failed" ? true : undefined,
    billed: billed === "" ? undefined : billed === "yes",
    search: q,
  };
}

export function groupingOf(group: UsageQuery["group"]): Grouping | null {
  return group === "jobs" ? null : group;
}

/** What every view of the own usage starts from: who asks, which days, and what there is to say first. */
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { BillingContext } from "../../billing/issue.ts";
import { findUser } from "../../identity/index.ts";
import type { Tier } from "../../rating/tiers.ts";
import { isCoordinator } from "../../usage/accounts/coordinated.ts";
import { readTierOverrides, tierFor, type Pricing } from "../../usage/prices/book.ts";
import { openRepriceTasks } from "../../usage/prices/reprice.ts";
import { usageDayRange } from "../../usage/queries/summary.ts";
import type { SiteDays } from "../../usage/site-day.ts";
import { ME_VIEWS, type MeCommon, type MeNotice, type MeView, type WindowView } from "../pages/me/shell.tsx";
import { requireUser, userFrame } from "../route-kit.ts";
import { readerOf } from "./support/reader.ts";
import {
  FIRST_DAY,
  presetDays,
  readWindow,
  windowParams,
  type UsageWindow,
  type WindowProblem,
} from "./support/window.ts";

export interface MeDeps {
  readonly billing: BillingContext;
  readonly days: SiteDays;
}

/** Free text of an address; the database knows no NUL. */
export const addressText = z
  .string()
  .max(200)
  .regex(/^[^\0]*$/u, "takes up to 200 characters of text")
  .optional();

export const meQuery = z.object({
  view: z.string().optional(),
  start: addressText,
  before: addressText,
  q: addressText,
  state: addressText,
  account: addressText,
  billed: addressText,
  newer: z.string().max(1_000).optional(),
  older: z.string().max(1_000).optional(),
  member: addressText,
  notice: addressText,
});

export type MeQuery = z.output<typeof meQuery>;

/** Anything that is no view shows the first one. */
export function viewOf(query: MeQuery): MeView {
  return ME_VIEWS.find((view) => view === query.view) ?? "aggregate";
}

/** The day it is at the site. */
export function todayOf({ billing, days }: MeDeps): string {
  return days.dayOf(Math.floor(billing.clock.now().getTime() / 1000));
}

export interface MeStart {
  readonly userName: string;
  readonly today: string;
  readonly common: MeCommon;
  /** When the last of the jobs ended; null when there is none. */
  readonly lastDay: string | null;
  /** The address was wrong; the answer's status says so. */
  readonly hasProblem: boolean;
}

export interface StartOptions {
  readonly news?: readonly MeNotice[];
  /** First and last day of what the view is about, where it is not the own usage. */
  readonly range?: (() => ReturnType<typeof usageDayRange>) | undefined;
}

export async function startOf(
  request: FastifyRequest,
  deps: MeDeps,
  query: Pick<MeQuery, "start" | "before">,
  options: StartOptions = {},
): Promise<MeStart> {
  const { username } = requireUser(request);
  const { db } = deps.billing;
  const today = todayOf(deps);
  const reading = readWindow(query, today);
  const [range, repricing, coordinates] = await Promise.all([
    options.range === undefined ? usageDayRange(db, { userName: username }) : options.range(),
    openRepriceTasks(db),
    isCoordinator(db, username),
  ]);
  const window = fromFirstUse(reading.window, range?.first);
  const notices: MeNotice[] = [...(options.news ?? [])];
  if (reading.problem !== null) notices.unshift(noticeOf(reading.problem));
  if (repricing.tasks > 0) notices.push({ kind: "repricing", jobsSeen: repricing.jobsSeen });
  return {
    userName: username,
    today,
    common: {
      frame: userFrame(request, "usage"),
      fmt: readerOf(request).fmt,
      window: viewOfWindow(window, today),
      views: coordinates ? ME_VIEWS : ME_VIEWS.filter((view) => view !== "group"),
      notices,
    },
    lastDay: range?.last ?? null,
    hasProblem: reading.problem !== null,
  };
}

/** "From the beginning" begins with the first job. */
function fromFirstUse(window: UsageWindow, first: string | undefined): UsageWindow {
  if (window.fromDay !== FIRST_DAY) return window;
  return { ...window, fromDay: first === undefined || first > window.toDay ? window.toDay : first };
}

function viewOfWindow(window: UsageWindow, today: string): WindowView {
  const preset = (name: "thisMonth" | "lastMonth" | "days90") =>
    windowParams({ ...presetDays(name, today), preset: name });
  return {
    fromDay: window.fromDay,
    toDay: window.toDay,
    preset: window.preset,
    params: { ...windowParams(window) },
    presets: {
      thisMonth: { ...preset("thisMonth") },
      lastMonth: { ...preset("lastMonth") },
      days90: { ...preset("days90") },
    },
  };
}

function noticeOf(problem: WindowProblem): MeNotice {
  return problem.kind === "notADay" ? { kind: "notADay", text: problem.text } : problem;
}

/** The tier a user's next job on their default account is priced by. */
export async function tierOfUser(
  { billing: { db } }: Pick<MeDeps, "billing">,
  pricing: Pricing,
  username: string,
): Promise<Tier> {
  const [overrides, user] = await Promise.all([readTierOverrides(db, [username]), findUser(db, username)]);
  return tierFor(pricing, overrides, { username, account: user?.defaultAccount ?? "", cluster: null });
}

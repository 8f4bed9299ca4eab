import type { FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { z } from "zod";
import { lastDayOfMonth } from "../../../billing/month.ts";
import {
  listReceipts,
  paidTotals,
  receiptTotals,
  receivableTotals,
  type ReceiptFilter,
} from "../../../billing/queries.ts";
import { UserError } from "../../../errors.ts";
import { unbilledTotals, type UnbilledTotals } from "../../../usage/queries/unbilled.ts";
import { addDays, monthStart, type SiteDays } from "../../../usage/site-day.ts";
import { BillingPage, type BillingFilter } from "../../pages/admin/billing.tsx";
import { sectionHref } from "../../pages/admin/view.ts";
import { adminView, filled, readQuery, type AdminContext } from "./context.ts";

const PAGE_RECEIPTS = 50;
/** From this age on a receipt counts as overdue. */
export const OVERDUE_DAYS = 30;

const NONE = { count: 0, totalMinor: 0n };

const receiptId = z
  .string()
  .regex(/^\d{1,18}$/u, "takes the id of a receipt")
  .transform((text) => BigInt(text))
  .optional();

const billingQuery = z.object({
  status: z.enum(["pending", "paid", "void", ""], { error: "takes pending, paid or void" }).default(""),
  user: filled,
  age: z.enum([String(OVERDUE_DAYS), ""], { error: `takes ${OVERDUE_DAYS}` }).default(""),
  paid: filled,
  older: receiptId,
  newer: receiptId,
  done: z.coerce.number().int().min(0).max(1_000_000).optional(),
  month: filled,
});

export async function billingSection(context: AdminContext, request: FastifyRequest): Promise<VNode> {
  const { older, newer, done, month, ...query } = readQuery(billingQuery, request.query);
  const { db, days } = context;
  const view = adminView(request, context, "billing");
  const shown: BillingFilter = {
    status: query.status,
    user: query.user ?? "",
    age: query.status === "paid" ? "" : query.age,
    paid: query.status === "paid" ? (query.paid ?? "") : "",
  };
  const filter = receiptFilterOf(shown, view.now, days);
  const page = await listReceipts(db, filter, {
    limit: PAGE_RECEIPTS + 1,
    ...(newer !== undefined ? { after: newer } : { before: older }),
  });
  const receipts = newer !== undefined ? page.slice(-PAGE_RECEIPTS) : page.slice(0, PAGE_RECEIPTS);
  const hasMore = page.length > PAGE_RECEIPTS;
  const [sum, voidSum, receivable, overdue, paidThisMonth, unbilled, monthToBill] = await Promise.all([
    receiptTotals(db, filter),
    shown.status === "" ? receiptTotals(db, { ...filter, status: "void" }) : NONE,
    receivableTotals(db),
    receivableTotals(db, { issuedBefore: overdueBefore(view.now) }),
    paidTotals(db, startOfDay(days, monthStart(view.today)), startOfDay(days, monthStart(view.today, 1))),
    unbilledTotals(db),
    monthWorthBilling(context, view.today),
  ]);
  const [first, last] = [receipts.at(0), receipts.at(-1)];
  const hasNewer = newer !== undefined ? hasMore : older !== undefined;
  const hasOlder = newer !== undefined || hasMore;
  return (
    <BillingPage
      view={view}
      filter={shown}
      receipts={receipts}
      sum={sum}
      voidSum={voidSum}
      receivable={receivable}
      overdue={overdue}
      paidThisMonth={paidThisMonth}
      unbilled={unbilled}
      months={monthsToBill(unbilled, view.today)}
      monthToBill={monthToBill}
      backHref={hasNewer && first !== undefined ? sectionHref("billing", { ...shown, newer: first.id }) : undefined}
      onHref={hasOlder && last !== undefined ? sectionHref("billing", { ...shown, older: last.id }) : undefined}
      done={done !== undefined && month !== undefined && isMonth(month) ? { month, count: done } : undefined}
    />
  );
}

function receiptFilterOf({ status, user, age, paid }: BillingFilter, now: Date, days: SiteDays): ReceiptFilter {
  return {
    status: status === "pending" || status === "paid" || status === "void" ? status : undefined,
    userName: user === "" ? undefined : user,
    issuedBefore: age === "" ? undefined : overdueBefore(now),
    ...paidWithin(paid, days),
  };
}

function paidWithin(month: string, days: SiteDays): Pick<ReceiptFilter, "paidFrom" | "paidBefore"> {
  if (month === "") return {};
  if (!isMonth(month)) throw new UserError("paid: takes a month written YYYY-MM, such as 2026-10");
  return { paidFrom: startOfDay(days, `${month}-01`), paidBefore: startOfDay(days, monthStart(`${month}-01`, 1)) };
}

export function overdueBefore(now: Date): Date {
  return new Date(now.getTime() - OVERDUE_DAYS * 86_400_000);
}

export function startOfDay(days: SiteDays, day: string): Date {
  return new Date(days.startOf(day) * 1000);
}

export function isMonth(text: string): boolean {
  return /^(?:19[7-9]\d|[2-8]\d{3})-(?:0[1-9]|1[0-2])$/u.test(text);
}

/** The month that has ended, while something of it (or of an earlier one) is still to be billed; else the present one. */
export async function monthWorthBilling({ db }: AdminContext, today: string): Promise<string> {
  const lastMonth = monthStart(today, -1).slice(0, 7);
  const left = await unbilledTotals(db, { toDay: lastDayOfMonth(lastMonth) });
  return left.minor > 0n ? lastMonth : today.slice(0, 7);
}

const MOST_MONTHS = 24;

/** From the present month back to the first one with something to bill. */
function monthsToBill({ firstDay }: UnbilledTotals, today: string): string[] {
  const months: string[] = [];
  for (let day = monthStart(today); months.length < MOST_MONTHS; day = monthStart(addDays(day, -1))) {
    months.push(day.slice(0, 7));
    if (firstDay === null ? months.length === 2 : day <= firstDay) break;
  }
  return months;
}

/** Creating receipts: asked about on a page of its own, done one receipt after the other. */
import { z } from "zod";
import { openCorrections } from "../../../billing/corrections.ts";
import { issueReceipt } from "../../../billing/issue.ts";
import { billMonth, lastDayOfMonth } from "../../../billing/month.ts";
import { UserError } from "../../../errors.ts";
import { findUser } from "../../../identity/index.ts";
import { unbilledTotals } from "../../../usage/queries/unbilled.ts";
import { isDay } from "../../../usage/site-day.ts";
import { BillMonthPage, BillOnePage } from "../../pages/admin/bill-confirm.tsx";
import { hrefOf, sectionHref } from "../../pages/admin/view.ts";
import { renderPage, type App } from "../../route-kit.ts";
import { isMonth } from "./billing.tsx";
import { actorOf, adminView, filled, text, type AdminContext } from "./context.ts";

/** Well within what proxies wait for an answer; what is left then is done by pressing the button again. */
const TIME_FOR_ONE_GO_MS = 20_000;

const month = z.string().refine(isMonth, "takes a month written YYYY-MM, such as 2026-10");
const monthForm = z.object({ month, user: filled });
const oneForm = z.object({
  user: text(64).trim().min(1, "takes a username"),
  before: z.string().trim().refine(isDay, "takes a day written YYYY-MM-DD, such as 2026-10-31"),
});

export function invoiceRoutes(app: App, context: AdminContext): void {
  const { db, billing, metrics } = context;
  const config = { access: "admin" } as const;

  app.get(
    "/admin/invoices/create_month",
    { config, schema: { querystring: monthForm.extend({ done: z.coerce.number().int().min(0).optional() }) } },
    async (request, reply) => {
      const view = adminView(request, context, "billing");
      const { month: asked, user, done } = request.query;
      requireBegun(`${asked}-01`, view.today);
      const lastDay = lastDayOfMonth(asked);
      const [unbilled, corrections] = await Promise.all([
        unbilledTotals(db, { toDay: lastDay, userName: user }),
        openCorrections(db, { userName: user }),
      ]);
      return renderPage(
        reply,
        <BillMonthPage
          view={view}
          unbilled={unbilled}
          corrections={corrections}
          tax={billing.tax}
          lastDay={lastDay}
          month={asked}
          user={user}
          createdSoFar={done ?? 0}
        />,
      );
    },
  );

  app.post("/admin/invoices/create_month", { config, schema: { body: monthForm } }, async (request, reply) => {
    const { month: asked, user } = request.body;
    requireBegun(`${asked}-01`, adminView(request, context, "billing").today);
    const signal = AbortSignal.timeout(TIME_FOR_ONE_GO_MS);
    const issued = await billMonth(billing, { month: asked, userName: user, signal }, actorOf(request), () =>
      metrics.receiptsIssued.inc(),
    );
    const isUnfinished =
      signal.aborted && (await unbilledTotals(db, { toDay: lastDayOfMonth(asked), userName: user })).minor > 0n;
    const place = isUnfinished
      ? hrefOf("/admin/invoices/create_month", { month: asked, user, done: issued.length })
      : sectionHref("billing", { done: issued.length, month: asked });
    return reply.redirect(place, 303);
  });

  app.get("/admin/invoices/create_one", { config, schema: { querystring: oneForm } }, async (request, reply) => {
    const view = adminView(request, context, "billing");
    const { user, before } = request.query;
    requireBegun(before, view.today);
    await requireKnown(user);
    const [unbilled, corrections] = await Promise.all([
      unbilledTotals(db, { toDay: before, userName: user }),
      openCorrections(db, { userName: user }),
    ]);
    return renderPage(
      reply,
      <BillOnePage
        view={view}
        unbilled={unbilled}
        corrections={corrections}
        tax={billing.tax}
        lastDay={before}
        user={user}
      />,
    );
  });

  app.post("/admin/invoices/create_one", { config, schema: { body: oneForm } }, async (request, reply) => {
    const { user, before } = request.body;
    requireBegun(before, adminView(request, context, "billing").today);
    await requireKnown(user);
    const issued = await issueReceipt(billing, { userName: user, cutoffDay: before }, actorOf(request));
    // Somebody was faster: the page that asked says that nothing is left.
    if (issued === undefined) return reply.redirect(hrefOf("/admin/invoices/create_one", { user, before }), 303);
    metrics.receiptsIssued.inc();
    return reply.redirect(`/admin/receipts/${issued.id}?notice=created`, 303);
  });

  async function requireKnown(username: string): Promise<void> {
    if ((await findUser(db, username)) === undefined)
      throw new UserError(`there is no user "${username}"`, { status: 404 });
  }
}

/** Nobody is billed for what is still to come. */
function requireBegun(day: string, today: string): void {
  if (day > today) throw new UserError(`${day} is still to come: bill up to today, ${today}, or an earlier day`);
}

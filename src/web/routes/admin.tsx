/** The console of those who run the centre: one address with sections, and what they do. */
import type { FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { z } from "zod";
import { MessageError } from "../plugins/message-error.ts";
import { renderPage, type RouteModule } from "../route-kit.ts";
import { auditRoutes, auditSection } from "./admin/audit.tsx";
import { billingSection } from "./admin/billing.tsx";
import type { AdminContext, AdminDeps } from "./admin/context.ts";
import { dashboardSection } from "./admin/dashboard.tsx";
import { exportRoutes } from "./admin/exports.ts";
import { invoiceRoutes } from "./admin/invoices.tsx";
import { paymentAdminRoutes, paymentsSection } from "./admin/payments.tsx";
import { ratesRoutes, ratesSection } from "./admin/rates.tsx";
import { receiptRoutes } from "./admin/receipts.tsx";
import { reconcileRoutes, reconcileSection } from "./admin/reconcile.tsx";
import { sourcesRoutes, sourcesSection } from "./admin/sources.tsx";
import { tiersRoutes, tiersSection } from "./admin/tiers.tsx";
import { usageRoutes } from "./admin/usage-csv.ts";
import { usageSection } from "./admin/usage.tsx";

export type { AdminDeps, SyncRequests } from "./admin/context.ts";

type Section = (context: AdminContext, request: FastifyRequest) => Promise<VNode>;

const SECTIONS: ReadonlyMap<string, Section> = new Map([
  ["dashboard", dashboardSection],
  ["usage", usageSection],
  ["billing", billingSection],
  ["payments", paymentsSection],
  ["rates", ratesSection],
  ["tiers", tiersSection],
  ["audit", auditSection],
  ["sources", sourcesSection],
  ["reconcile", reconcileSection],
]);

export function adminRoutes(deps: AdminDeps): RouteModule {
  return async (app, server) => {
    const context: AdminContext = { ...server, ...deps };

    app.get(
      "/admin",
      {
        config: { access: "admin" },
        schema: { querystring: z.looseObject({ section: z.string().default("dashboard") }) },
      },
      async (request, reply) => {
        const { section } = request.query;
        // An admin's own usage is the same page as everybody's.
        if (section === "myusage") return reply.redirect("/me");
        const show = SECTIONS.get(section);
        if (show === undefined) throw new MessageError("error.text.notFound", { status: 404 });
        return renderPage(reply, await show(context, request));
      },
    );

    usageRoutes(app, context);
    ratesRoutes(app, context);
    tiersRoutes(app, context);
    invoiceRoutes(app, context);
    receiptRoutes(app, context);
    await paymentAdminRoutes(app, context);
    auditRoutes(app, context);
    sourcesRoutes(app, context);
    reconcileRoutes(app, context);
    exportRoutes(app, context);
  };
}

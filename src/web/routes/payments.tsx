import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { ConflictError } from "../../errors.ts";
import { paymentsOf, startCheckout, type PaymentContext } from "../../payments/checkout.ts";
import { translator } from "../i18n/index.ts";
import { ConfirmPaymentPage } from "../pages/payments/confirm.tsx";
import { ThanksPage } from "../pages/payments/thanks.tsx";
import { providerText, storyOf } from "../pages/receipts/story.tsx";
import { langOfRequest, renderPage, requireUser, userFrame, type RouteModule } from "../route-kit.ts";
import { simulationRoutes } from "./payments-simulate.tsx";
import { webhookRoutes } from "./payments-webhook.ts";
import { readerOf } from "./support/reader.ts";
import { paymentStateOf, receiptFor } from "./support/receipt-access.ts";

export interface PaymentDeps {
  readonly payments: PaymentContext;
}

const receiptParams = z.object({ id: z.string() });
const receiptQuery = z.object({ rid: z.string().max(30).optional().meta({ description: "Id of one's own receipt" }) });
const status = z.object({ status: z.enum(["open", "waiting", "failed", "canceled", "paid", "void"]) });

/** Paying a receipt: asking, sending to the provider, and saying how it went. Only its owner pays. */
export function paymentRoutes(deps: PaymentDeps): RouteModule {
  const { payments } = deps;
  return async (app, ctx) => {
    const { db, config } = ctx;

    app.get(
      "/payments/receipt/:id/start",
      { config: { access: "user" }, schema: { params: receiptParams } },
      async (request, reply) => {
        const receipt = await receiptFor(request, db, request.params.id, { admins: "mayNot" });
        if (receipt.status !== "pending") return reply.redirect(`/payments/thanks?rid=${receipt.id}`);
        // The receipt says how else to pay it.
        if (!payments.provider.takesPayments) return reply.redirect(`/me/receipts/${receipt.id}`);
        const { fmt } = readerOf(request, receipt.currency);
        const provider = providerText(translator(langOfRequest(request)), payments.provider.name);
        return renderPage(
          reply,
          <ConfirmPaymentPage frame={userFrame(request, "receipts")} fmt={fmt} receipt={receipt} provider={provider} />,
        );
      },
    );

    app.post(
      "/payments/receipt/:id/start",
      { config: { access: "user" }, schema: { params: receiptParams } },
      async (request, reply) => {
        const receipt = await receiptFor(request, db, request.params.id, { admins: "mayNot" });
        try {
          const { url } = await startCheckout(payments, receipt.id, {
            actor: requireUser(request).username,
            requestId: request.id,
          });
          return reply.redirect(url, 303);
        } catch (error) {
          // Paid or void meanwhile: the status page says which.
          if (error instanceof ConflictError) return reply.redirect(`/payments/thanks?rid=${receipt.id}`, 303);
          throw error;
        }
      },
    );

    app.get(
      "/payments/thanks",
      { config: { access: "user" }, schema: { querystring: receiptQuery } },
      async (request, reply) => {
        const receipt = await receiptFor(request, db, request.query.rid, { admins: "mayNot" });
        const attempts = await paymentsOf(db, receipt.id);
        const { t, fmt } = readerOf(request, receipt.currency);
        return renderPage(
          reply,
          <ThanksPage
            frame={userFrame(request, "receipts")}
            fmt={fmt}
            receipt={receipt}
            state={paymentStateOf(receipt, attempts)}
            steps={storyOf({ t, fmt, receipt, payments: attempts, reader: receipt.userName })}
            checkoutHref={attempts.find((attempt) => attempt.status === "pending")?.checkoutUrl ?? null}
          />,
        );
      },
    );

    app.get(
      "/payments/status",
      {
        config: { access: "user", errors: "json" },
        schema: {
          tags: ["Payments"],
          summary: "Where the payment of a receipt stands",
          description:
            "`open`: nothing was tried yet; `waiting`: a checkout is under way; `failed`, `canceled`: how the last one ended; `paid`, `void`: how the receipt ended.",
          security: [{ session: [] }],
          querystring: receiptQuery,
          response: { 200: status },
        },
      },
      async (request) => {
        const receipt = await receiptFor(request, db, request.query.rid, { admins: "mayNot" });
        return { status: paymentStateOf(receipt, await paymentsOf(db, receipt.id)) };
      },
    );

    // The real thing must not have a page that lets anybody call a receipt paid.
    if (config.appEnv === "development" && payments.provider.name === "dummy") simulationRoutes(app, ctx);
    await app.register(async (scope) => {
      webhookRoutes(scope.withTypeProvider<ZodTypeProvider>(), ctx, payments);
    });
  };
}

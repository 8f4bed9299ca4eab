import type { FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { ConflictError, UpstreamError } from "../../errors.ts";
import { checkPayment } from "../../payments/check.ts";
import { paymentsOf, startCheckout } from "../../payments/checkout.ts";
import type { PaymentContext } from "../../payments/context.ts";
import { ConfirmPaymentPage } from "../pages/payments/confirm.tsx";
import { ThanksPage } from "../pages/payments/thanks.tsx";
import { providerText, storyOf } from "../pages/receipts/story.tsx";
import { langOfRequest, renderPage, requireUser, userFrame, type RouteModule } from "../route-kit.ts";
import { simulationRoutes } from "./payments-simulate.tsx";
import { webhookRoutes } from "./payments-webhook.ts";
import { moneyOf } from "./support/receipt-money.ts";
import { readerOf } from "./support/reader.ts";
import { PAYMENT_STATES, paymentStateOf, receiptFor } from "./support/receipt-access.ts";

export interface PaymentDeps {
  readonly payments: PaymentContext;
}

const receiptParams = z.object({ id: z.string() });
const receiptQuery = z.object({ rid: z.string().max(30).optional().meta({ description: "Id of one's own receipt" }) });
/** The provider somebody chose, where several are enabled. */
const choice = z.object({ provider: z.string().max(30).optional() }).optional();
const status = z.object({ status: z.enum(PAYMENT_STATES) });

/** Paying a receipt: asking, sending to the provider, and saying how it went. Only its owner pays. */
export function paymentRoutes(deps: PaymentDeps): RouteModule {
  const { payments } = deps;
  return async (app, ctx) => {
    const { db, config } = ctx;

    app.get(
      "/payments/receipt/:id/start",
      {
        config: { access: "user" },
        schema: {
          params: receiptParams,
          querystring: z.object({ failed: z.string().max(1).optional(), provider: z.string().max(30).optional() }),
        },
      },
      async (request, reply) => {
        const receipt = await receiptFor(request, db, request.params.id, { admins: "mayNot" });
        const state = paymentStateOf(receipt, await paymentsOf(db, receipt.id));
        if (receipt.status !== "pending" || state === "processing")
          return reply.redirect(`/payments/thanks?rid=${receipt.id}`);
        // The receipt says how else to pay it.
        const takers = [...payments.providers.values()].filter(({ takesPayments }) => takesPayments);
        const chosen = takers.find(({ name }) => name === request.query.provider) ?? takers[0];
        if (chosen === undefined) return reply.redirect(`/me/receipts/${receipt.id}`);
        const { t, fmt } = readerOf(request, receipt.currency);
        return renderPage(
          reply,
          <ConfirmPaymentPage
            frame={userFrame(request, "receipts")}
            fmt={fmt}
            receipt={receipt}
            provider={{ name: chosen.name, label: providerText(t, chosen.name), sendsBack: chosen.sendsBack }}
            others={takers.flatMap(({ name }) =>
              name === chosen.name ? [] : [{ name, label: providerText(t, name) }],
            )}
            failed={request.query.failed !== undefined}
          />,
        );
      },
    );

    app.post(
      "/payments/receipt/:id/start",
      { config: { access: "user" }, schema: { params: receiptParams, body: choice } },
      async (request, reply) => {
        const receipt = await receiptFor(request, db, request.params.id, { admins: "mayNot" });
        try {
          const by = { actor: requireUser(request).username, requestId: request.id };
          const { url } = await startCheckout(payments, receipt.id, by, {
            provider: request.body?.provider,
            lang: langOfRequest(request),
          });
          return reply.redirect(url, 303);
        } catch (error) {
          // Paid or void meanwhile: the status page says which.
          if (error instanceof ConflictError) return reply.redirect(`/payments/thanks?rid=${receipt.id}`, 303);
          if (!(error instanceof UpstreamError)) throw error;
          // Nothing was charged and nothing was changed: the same page says so and offers another try.
          request.log.error({ err: error }, "the payment provider could not open a checkout");
          const again = new URLSearchParams({
            failed: "1",
            ...(request.body?.provider !== undefined && { provider: request.body.provider }),
          });
          return reply.redirect(`/payments/receipt/${receipt.id}/start?${again.toString()}`, 303);
        }
      },
    );

    app.get(
      "/payments/thanks",
      { config: { access: "user" }, schema: { querystring: receiptQuery } },
      async (request, reply) => {
        await lookNow(request, (await receiptFor(request, db, request.query.rid, { admins: "mayNot" })).id);
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
            steps={storyOf({
              t,
              fmt,
              receipt,
              payments: attempts,
              money: await moneyOf(db, receipt),
              reader: receipt.userName,
            })}
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
            "`open`: nothing was tried yet; `waiting`: a checkout is under way; `processing`: paid, and the bank takes its time; `failed`, `canceled`, `expired`: how the last one ended; `paid`, `void`: how the receipt ended.",
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

    /** Who comes back from the provider should not have to wait for its event. What cannot be asked now is asked later. */
    async function lookNow(request: FastifyRequest, receiptId: bigint): Promise<void> {
      const waiting = (await paymentsOf(db, receiptId)).find(
        ({ status }) => status === "pending" || status === "processing",
      );
      if (waiting === undefined) return;
      await checkPayment(payments, waiting.id).catch((error: unknown) => {
        request.log.warn({ err: error }, "the payment provider could not be asked about a payment");
      });
    }

    // The real thing must not have a page that lets anybody call a receipt paid.
    if (config.appEnv === "development" && payments.providers.has("dummy")) simulationRoutes(app, ctx);
    await app.register(async (scope) => {
      webhookRoutes(scope.withTypeProvider<ZodTypeProvider>(), ctx, payments);
    });
  };
}

/** Development only: a page in place of a provider's, which reports to our own webhook as a provider would. */
import type { FastifyRequest } from "fastify";
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { UpstreamError, UserError } from "../../errors.ts";
import { paymentsOf } from "../../payments/checkout.ts";
import { DUMMY_SIGNATURE_HEADER, signDummyBody } from "../../payments/dummy.ts";
import { SimulatePage, type SimulatedCheckout } from "../pages/payments/simulate.tsx";
import { pageFrame, renderPage, type App, type WebContext } from "../route-kit.ts";
import { readerOf } from "./support/reader.ts";
import { receiptFor } from "./support/receipt-access.ts";

const text = z.string().max(200).optional();
const checkoutFields = z.object({ rid: text, external_payment_id: text, amount_cents: text, currency: text });
const outcomeFields = checkoutFields.extend({
  outcome: z.enum(["succeeded", "failed", "canceled"], "takes succeeded, failed or canceled").default("succeeded"),
});

const PATIENCE_MS = 10_000;

export function simulationRoutes(app: App, { db, config }: WebContext): void {
  /** What the checkout's address says; what it leaves out is as the receipt's newest payment has it. */
  async function checkoutOf(
    request: FastifyRequest,
    fields: z.output<typeof checkoutFields>,
  ): Promise<SimulatedCheckout> {
    const receipt = await receiptFor(request, db, fields.rid, { admins: "mayNot" });
    const newest = (await paymentsOf(db, receipt.id)).at(-1);
    const checkout = {
      rid: String(receipt.id),
      external_payment_id: fields.external_payment_id ?? newest?.externalPaymentId ?? "",
      amount_cents: fields.amount_cents ?? String(receipt.dueMinor),
      currency: fields.currency ?? receipt.currency,
    };
    if (!/^\d{1,15}$/u.test(checkout.amount_cents))
      throw new UserError("amount_cents takes a whole number of minor units");
    if (!/^[A-Za-z]{3}$/u.test(checkout.currency))
      throw new UserError("currency takes a code of ISO 4217, such as THB");
    return checkout;
  }

  app.get(
    "/payments/simulate",
    { config: { access: "user" }, schema: { querystring: checkoutFields } },
    async (request, reply) => {
      const checkout = await checkoutOf(request, request.query);
      const { fmt } = readerOf(request, checkout.currency.toUpperCase());
      return renderPage(
        reply,
        <SimulatePage
          frame={pageFrame(request)}
          fmt={fmt}
          checkout={checkout}
          amountMinor={BigInt(checkout.amount_cents)}
        />,
      );
    },
  );

  app.post(
    "/payments/simulate",
    { config: { access: "user" }, schema: { querystring: checkoutFields, body: outcomeFields } },
    async (request, reply) => {
      const { body: form, query } = request;
      const checkout = await checkoutOf(request, {
        rid: form.rid ?? query.rid,
        external_payment_id: form.external_payment_id ?? query.external_payment_id,
        amount_cents: form.amount_cents ?? query.amount_cents,
        currency: form.currency ?? query.currency,
      });
      const body = JSON.stringify({
        event_id: `dev_${randomUUID()}`,
        event_type: `payment.${form.outcome}`,
        external_payment_id: checkout.external_payment_id,
        amount_cents: Number(checkout.amount_cents),
        currency: checkout.currency,
      });
      await report(ownAddress(app), body, signDummyBody(config.payments.dummy.webhookSecret, body));
      return reply.redirect(`/payments/thanks?rid=${checkout.rid}`, 303);
    },
  );
}

async function report(origin: string, body: string, signature: string): Promise<void> {
  const headers = { "content-type": "application/json", [DUMMY_SIGNATURE_HEADER]: signature };
  const response = await fetch(`${origin}/payments/webhook/dummy`, {
    method: "POST",
    headers,
    body,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!response.ok) throw new UpstreamError(`our own webhook answered ${response.status} to a simulated event`);
}

/** Where this very server listens; its public address need not lead here from inside. */
function ownAddress(app: App): string {
  const address = app.server.address();
  if (address === null || typeof address === "string")
    throw new UpstreamError("the server does not listen on a port, so no event can be sent to it");
  const host = address.address === "0.0.0.0" || address.address === "::" ? "127.0.0.1" : address.address;
  return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

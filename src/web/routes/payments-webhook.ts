import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { UserError } from "../../errors.ts";
import type { PaymentContext } from "../../payments/context.ts";
import type { PaymentProvider } from "../../payments/provider.ts";
import { receiveWebhook } from "../../payments/webhook.ts";
import { receiveRawBodies, type App, type WebContext } from "../route-kit.ts";

/** Events are short; a body larger than this is none. */
const BODY_LIMIT_BYTES = 64 * 1024;
/** A limit of its own: many receipts are paid at the end of a month, and all events come from a few addresses. */
const CALLS_PER_MINUTE = 300;

const taken = z.object({ status: z.enum(["ok", "ignored"]), reason: z.string().optional() });

/** Only described here: what comes is bytes, and the provider's own reader says what they mean. */
const event = z.custom<Buffer | undefined>().meta({
  type: "object",
  description:
    "The provider's event. Of the built-in provider: event_id (optional), event_type (payment.succeeded, payment.failed or payment.canceled), " +
    "external_payment_id, amount_cents, currency; signed in the header X-DUMMY-SIGNATURE.",
});

const ANSWERS = { 200: taken, 400: z.object({ error: z.string(), code: z.literal(400) }) };

/** What payment providers call. Needs a scope of its own: here bodies stay the bytes that were signed. */
export function webhookRoutes(app: App, { metrics }: WebContext, payments: PaymentContext): void {
  receiveRawBodies(app);
  const options = {
    bodyLimit: BODY_LIMIT_BYTES,
    config: { access: "provider", errors: "json", rateLimit: { max: CALLS_PER_MINUTE, timeWindow: 60_000 } },
  } as const;
  const description =
    "Authenticated by the provider's signature over the raw body. An event that was applied before is `ok` and changes nothing; one that matches no payment, amount or currency is `ignored`.";

  app.post(
    "/payments/webhook",
    {
      ...options,
      schema: {
        tags: ["Payments"],
        summary: "Take an event of the default payment provider",
        description,
        body: event,
        response: ANSWERS,
      },
    },
    (request) => take(request, payments.provider),
  );

  app.post(
    "/payments/webhook/:provider",
    {
      ...options,
      schema: {
        tags: ["Payments"],
        summary: "Take an event of one of the enabled payment providers",
        description,
        params: z.object({ provider: z.string().meta({ description: "As in PAYMENT_PROVIDER" }) }),
        body: event,
        response: ANSWERS,
      },
    },
    (request) => {
      const provider = payments.providers.get(request.params.provider);
      if (provider === undefined) throw new UserError("no such payment provider is enabled here", { status: 404 });
      return take(request, provider);
    },
  );

  async function take(request: FastifyRequest, provider: PaymentProvider): Promise<z.output<typeof taken>> {
    const { verdict, reason } = await receiveWebhook(payments, provider, {
      rawBody: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      header: (name) => {
        const value = request.headers[name.toLowerCase()];
        return Array.isArray(value) ? value[0] : value;
      },
      requestId: request.id,
    });
    metrics.webhookEvents.inc({ verdict });
    const line = { verdict, reason, provider: provider.name };
    if (verdict === "applied" || verdict === "replay") request.log.info(line, "payment event");
    else request.log.warn(line, "payment event");
    if (verdict === "refused")
      throw new UserError("the signature is missing or does not match the body", { status: 400 });
    // The true reason would help whoever tries out forged events.
    return verdict === "ignored" ? { status: "ignored", reason: "not applied" } : { status: "ok" };
  }
}

/** Stripe: payers are sent to a Checkout Session, whose id names the payment. Source: docs.stripe.com/api. */
import type { Stripe } from "stripe";
import type { Clock } from "../../clock.ts";
import { UpstreamError } from "../../errors.ts";
import type { CheckoutRequest, PaymentProvider, ProviderPayment } from "../provider.ts";
import { toStripeAmount } from "./amount.ts";
import { readEvent } from "./event.ts";
import { askStripe, isMissing } from "./failure.ts";
import { firstIssue, sessionSchema, type StripeSession } from "./session.ts";
import { isSignedByStripe, SIGNATURE_HEADER } from "./signature.ts";

/** Of one attempt; up to two more follow where Stripe's rules allow it. */
const TIMEOUT_MS = 10_000;
const RETRIES = 2;

export interface StripeOptions {
  readonly secretKey: string;
  /** Those of the webhook endpoint: one, or two while it is rolled. */
  readonly webhookSecrets: readonly string[];
  readonly clock: Clock;
  /** Where Stripe's API is spoken, if not at Stripe. */
  readonly baseUrl?: { readonly protocol: "http" | "https"; readonly host: string; readonly port: number };
}

/** Payments through Stripe Checkout. An event is believed by its signature, and needs no question back. */
export function stripeProvider(options: StripeOptions): PaymentProvider {
  let opened: Promise<Stripe> | undefined;
  const client = () => (opened ??= openClient(options));
  return {
    name: "stripe",
    takesPayments: true,
    confirmsByFetching: false,
    sendsBack: true,
    keepsPayments: true,
    createCheckout: async (request) => createCheckout(await client(), request),
    parseEvent(rawBody, header) {
      const by = { secrets: options.webhookSecrets, now: options.clock.now() };
      return isSignedByStripe(rawBody, header(SIGNATURE_HEADER), by) ? readEvent(rawBody) : { kind: "bad_signature" };
    },
    fetchPayment: async (externalPaymentId) => fetchPayment(await client(), externalPaymentId),
  };
}

/** Loaded when it is first needed: the vendor's package takes 35 MB and a tenth of a second. */
async function openClient({ secretKey, baseUrl }: StripeOptions): Promise<Stripe> {
  const { Stripe } = await import("stripe");
  return new Stripe(secretKey, { timeout: TIMEOUT_MS, maxNetworkRetries: RETRIES, telemetry: false, ...baseUrl });
}

async function createCheckout(client: Stripe, request: CheckoutRequest): ReturnType<PaymentProvider["createCheckout"]> {
  const params = sessionParams(request);
  const what = `open a checkout for receipt ${request.receiptNumber}`;
  const answer = await askStripe(what, () =>
    client.checkout.sessions.create(params, { idempotencyKey: request.idempotencyKey }),
  );
  const session = readSession(answer, what);
  if (session.url === null) throw new UpstreamError(`Stripe could not ${what}: it gave no address to pay at`);
  if (session.amountMinor !== request.amountMinor || session.currency !== request.currency.code) {
    throw new UpstreamError(`Stripe could not ${what}: it asks for another amount than the receipt's`);
  }
  return { externalPaymentId: session.id, url: session.url };
}

/** Payment methods are those switched on in the dashboard, and a session expires after 24 hours. */
function sessionParams(request: CheckoutRequest): Stripe.Checkout.SessionCreateParams {
  const metadata = { receipt: request.receiptNumber };
  return {
    mode: "payment",
    line_items: [
      {
        quantity: 1,
        price_data: {
          currency: request.currency.code.toLowerCase(),
          unit_amount: toStripeAmount(request.amountMinor, request.currency),
          product_data: { name: request.receiptNumber },
        },
      },
    ],
    // The payer pays what the receipt says, in the receipt's currency.
    adaptive_pricing: { enabled: false },
    client_reference_id: request.receiptNumber,
    metadata,
    // So that charges, refunds and disputes name the receipt, too.
    payment_intent_data: { metadata },
    locale: request.lang,
    success_url: request.returnUrl,
    cancel_url: request.returnUrl,
  };
}

async function fetchPayment(client: Stripe, externalPaymentId: string): Promise<ProviderPayment | null> {
  const what = `tell how payment ${externalPaymentId} stands`;
  const answer = await askStripe(what, () => retrieveSession(client, externalPaymentId));
  if (answer === null) return null;
  const session = readSession(answer, what);
  return { status: statusOf(session), amountMinor: session.amountMinor, currency: session.currency };
}

async function retrieveSession(client: Stripe, id: string): Promise<unknown> {
  try {
    return await client.checkout.sessions.retrieve(id, { expand: ["payment_intent"] });
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** A session whose delayed payment failed stays complete and unpaid for good; only its payment intent tells. */
function statusOf(session: StripeSession): ProviderPayment["status"] {
  if (session.status === "expired") return "canceled";
  if (session.status !== "complete") return "pending";
  if (session.isPaid) return "succeeded";
  return session.intentStatus === "requires_payment_method" || session.intentStatus === "canceled"
    ? "failed"
    : "pending";
}

function readSession(answer: unknown, what: string): StripeSession {
  const session = sessionSchema.safeParse(answer);
  if (session.success) return session.data;
  throw new UpstreamError(`Stripe could not ${what}: its answer cannot be read: ${firstIssue(session.error)}`);
}

/** Stripe: payers are sent to a Checkout Session, whose id names the payment. Source: docs.stripe.com/api. */
import type { Clock } from "../../clock.ts";
import type { PaymentProvider } from "../provider.ts";
import { closeSession, openSession } from "./checkout.ts";
import { readEvent } from "./event.ts";
import { payBack } from "./refunds.ts";
import type { StripeAccount } from "./session.ts";
import { isSignedByStripe, SIGNATURE_HEADER } from "./signature.ts";
import { standingOfSession } from "./standing.ts";

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
  const isLive = !/^[rs]k_test_/u.test(options.secretKey);
  let opened: Promise<StripeAccount> | undefined;
  const account = () => (opened ??= openAccount(options, isLive));
  return {
    name: "stripe",
    takesPayments: true,
    confirmsByFetching: false,
    sendsBack: true,
    keepsPayments: true,
    signatureHeaders: [SIGNATURE_HEADER],
    createCheckout: async (request) => openSession(await account(), request),
    cancelCheckout: async (externalPaymentId) => closeSession(await account(), externalPaymentId),
    parseEvent(rawBody, header) {
      const by = { secrets: options.webhookSecrets, now: options.clock.now() };
      const isSigned = isSignedByStripe(rawBody, header(SIGNATURE_HEADER), by);
      return isSigned ? readEvent(rawBody, { isLiveKey: isLive }) : { kind: "bad_signature" };
    },
    readEvent: (rawBody) => readEvent(rawBody, { isLiveKey: isLive }),
    fetchPayment: async (externalPaymentId) => standingOfSession(await account(), externalPaymentId),
    refund: async (request) => payBack(await account(), request),
  };
}

/** Loaded when it is first needed: the vendor's package takes 35 MB and a tenth of a second. */
async function openAccount({ secretKey, baseUrl }: StripeOptions, isLive: boolean): Promise<StripeAccount> {
  const { Stripe } = await import("stripe");
  const settings = { timeout: TIMEOUT_MS, maxNetworkRetries: RETRIES, telemetry: false, ...baseUrl };
  return { client: new Stripe(secretKey, settings), isLive };
}

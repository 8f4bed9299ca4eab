import type { Clock } from "../../clock.ts";
import type { PaymentProvider } from "../provider.ts";
import { openLink } from "./checkout.ts";
import { isLiveKey } from "./client.ts";
import { closeLink } from "./close.ts";
import { readEvent } from "./event.ts";
import { payBack } from "./refunds.ts";
import { isSigned, readWebhookSecret, SIGNATURE_HEADER, TIMESTAMP_HEADER } from "./signature.ts";
import { standingOfLink } from "./standing.ts";

export interface OmiseOptions {
  readonly secretKey: string;
  /** As the dashboard shows them; two while one is being rolled. */
  readonly webhookSecrets: readonly string[];
  readonly clock: Clock;
  readonly baseUrl?: string;
  /** How long Omise may take to answer one question. */
  readonly patienceMs?: number;
}

/**
 * Omise (Opn Payments): the payer chooses PromptPay or a card on the page of a payment link, and the link's id is the
 * payment's. Without a webhook secret an event is not more than a hint, and with one it is still written in the
 * account's version of the API: what counts is what Omise says when it is asked for the link.
 *
 * @throws {UserError} when a webhook secret is not base64.
 */
export function omiseProvider({ webhookSecrets, clock, ...access }: OmiseOptions): PaymentProvider {
  const account = { ...access, baseUrl: access.baseUrl ?? "https://api.omise.co" };
  const secrets = webhookSecrets.map(readWebhookSecret);
  const mode = { isLiveKey: isLiveKey(access.secretKey) };
  return {
    name: "omise",
    takesPayments: true,
    confirmsByFetching: true,
    sendsBack: false,
    keepsPayments: true,
    signatureHeaders: [SIGNATURE_HEADER, TIMESTAMP_HEADER],
    createCheckout: (request) => openLink(account, request, clock.now()),
    cancelCheckout: (externalPaymentId) => closeLink(account, externalPaymentId),
    parseEvent(rawBody, header) {
      if (secrets.length > 0 && !isSigned(secrets, rawBody, header, clock.now())) return { kind: "bad_signature" };
      return readEvent(rawBody, mode);
    },
    readEvent: (rawBody) => readEvent(rawBody, mode),
    fetchPayment: (externalPaymentId) => standingOfLink(account, externalPaymentId),
    refund: (request) => payBack(account, request),
  };
}

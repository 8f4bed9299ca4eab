import { violates } from "../db/database.ts";
import { applyEvent, recordAttempt, type Reported, type WebhookVerdict } from "./apply.ts";
import type { PaymentContext } from "./context.ts";
import type { PaymentEvent, PaymentProvider } from "./provider.ts";

/** One call of a webhook, as it came. */
export interface WebhookCall {
  readonly rawBody: Buffer;
  readonly header: (name: string) => string | undefined;
  readonly requestId: string;
}

/**
 * Takes one webhook call: verifies, matches, settles payment and receipt in one transaction, and records the attempt
 * with its verdict. Safe to call with the same event any number of times, also at once on several replicas.
 *
 * @throws {UpstreamError} when the provider has to confirm what it reported and does not answer: it will report again.
 */
export async function receiveWebhook(
  context: PaymentContext,
  provider: PaymentProvider,
  { rawBody, header, requestId }: WebhookCall,
): Promise<WebhookVerdict> {
  const parsed = provider.parseEvent(rawBody, header);
  const call = { provider: provider.name, rawBody };
  if (parsed.kind !== "event") {
    const isForged = parsed.kind === "bad_signature";
    const reason = parsed.kind === "bad_signature" ? "the signature does not match the body" : parsed.reason;
    const verdict: WebhookVerdict = { verdict: isForged ? "refused" : "ignored", reason };
    await context.db.transaction((tx) => recordAttempt(context, tx, call, { ...verdict, keepBody: !isForged }));
    return verdict;
  }
  const doubt = await doubtAbout(provider, parsed.event);
  if (doubt !== null) {
    const verdict: WebhookVerdict = { verdict: "ignored", reason: doubt };
    const attempt = { ...verdict, keepBody: true, event: parsed.event };
    await context.db.transaction((tx) => recordAttempt(context, tx, call, attempt));
    return verdict;
  }
  return settle(context, { ...call, event: parsed.event, requestId });
}

/** Applies an event once, whoever else applies it at the same moment. */
export async function settle(context: PaymentContext, reported: Reported): Promise<WebhookVerdict> {
  try {
    return await context.db.transaction((tx) => applyEvent(context, tx, reported));
  } catch (error) {
    // Another replica applied the same event between our look and our insert.
    if (!violates(error, "payment_events_applied_once")) throw error;
    return context.db.transaction((tx) => applyEvent(context, tx, reported));
  }
}

/** Why a reported outcome is not believed yet; null when it is, or when the provider's signature is enough. */
async function doubtAbout(provider: PaymentProvider, event: PaymentEvent): Promise<string | null> {
  if (!provider.confirmsByFetching || event.outcome === "other") return null;
  const payment = await provider.fetchPayment(event.externalPaymentId);
  if (payment === null) return `the provider knows no payment ${event.externalPaymentId}`;
  // A charge that was declined need not be the end of a checkout that can be tried again.
  if (payment.status !== event.outcome) return `the provider was asked and says that the payment is ${payment.status}`;
  const isSame = payment.amountMinor === event.amountMinor && payment.currency === event.currency;
  return isSame ? null : `the provider was asked and says ${payment.amountMinor} ${payment.currency}`;
}

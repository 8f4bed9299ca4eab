/** Works on what providers sent, with retries; what cannot be settled waits for somebody to look at it. */
import { z } from "zod";
import { sql } from "../db/database.ts";
import { ConflictError, messageOf } from "../errors.ts";
import { settleEvent } from "./apply.ts";
import type { PaymentContext } from "./context.ts";
import { recordEvent } from "./events.ts";
import { findPayment } from "./payment-row.ts";
import type { PaymentEvent, PaymentProvider, ProviderPayment } from "./provider.ts";
import { syncPayment } from "./sync-payment.ts";
import { applied, ignored, type Verdict } from "./verdict.ts";

/** Pauses between attempts, in seconds; after the last one somebody has to look. In all two days. */
const PAUSES = [10, 60, 300, 900, 3_600, 14_400, 43_200, 86_400] as const;
/** A payment that is still unknown after so many attempts (a quarter of an hour) is somebody else's. */
const UNKNOWN_ATTEMPTS = 4;
/** Whoever works on a delivery has so long before another takes it over. */
export const LEASE_SECONDS = 60;

/** A delivery that is being worked on. */
export interface Delivery {
  readonly id: bigint;
  readonly provider: string;
  readonly body: Buffer;
  readonly requestId: string | null;
  /** With this one. */
  readonly attempts: number;
}

const claimedSchema = z
  .object({
    id: z.bigint(),
    provider: z.string(),
    body: z.instanceof(Buffer),
    request_id: z.string().nullable(),
    attempts: z.number(),
  })
  .transform(({ request_id, ...row }): Delivery => ({ ...row, requestId: request_id }));

/**
 * Works on all deliveries that are due, one after the other; any number of processes may do so at once.
 * @param onVerdict is told what was made of each.
 */
export async function workOnDeliveries(
  context: PaymentContext,
  options: { readonly signal?: AbortSignal; readonly onVerdict?: (provider: string, verdict: Verdict) => void } = {},
): Promise<void> {
  for (;;) {
    options.signal?.throwIfAborted();
    const delivery = await claim(context);
    if (delivery === undefined) return;
    const verdict = await workOn(context, delivery, () => attemptDelivery(context, delivery));
    if (verdict !== undefined) options.onVerdict?.(delivery.provider, verdict);
  }
}

function claim({ db, clock }: PaymentContext): Promise<Delivery | undefined> {
  const now = clock.now();
  return db.maybeOne(
    claimedSchema,
    sql`UPDATE webhook_deliveries
        SET attempts = attempts + 1, next_attempt_at = ${new Date(now.getTime() + LEASE_SECONDS * 1000)}
        WHERE id = (SELECT id FROM webhook_deliveries WHERE status = 'waiting' AND next_attempt_at <= ${now}
                    ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, provider, body, request_id, attempts`,
  );
}

/** Makes one attempt and keeps what came of it; undefined when it failed and is tried again. */
export async function workOn(
  context: PaymentContext,
  delivery: Delivery,
  attempt: () => Promise<Verdict>,
): Promise<Verdict | undefined> {
  try {
    const verdict = await attempt();
    await finish(context, delivery, verdict.next, verdict.reason);
    return verdict;
  } catch (error) {
    // A bug must not lose what a provider sent either: whatever was thrown, it is kept and tried again.
    context.onTrouble(error, delivery);
    await finish(context, delivery, "retry", messageOf(error));
    return undefined;
  }
}

async function finish(
  { db, clock }: PaymentContext,
  { id, attempts }: Delivery,
  next: Verdict["next"],
  reason: string,
): Promise<void> {
  const pause = PAUSES[attempts - 1];
  const isTriedAgain = (next === "retry" || next === "wait") && pause !== undefined;
  const status = isTriedAgain ? "waiting" : next === "done" ? "done" : "dead";
  const nextAttemptAt = isTriedAgain ? new Date(clock.now().getTime() + pause * 1000) : null;
  await db.run(
    sql`UPDATE webhook_deliveries SET status = ${status}, next_attempt_at = ${nextAttemptAt}, reason = ${reason}
        WHERE id = ${id} AND status = 'waiting' AND attempts = ${attempts}`,
  );
}

/**
 * Reads a delivery again and settles it.
 * @throws {UpstreamError} when the provider has to be asked and does not answer.
 */
export async function attemptDelivery(context: PaymentContext, delivery: Delivery): Promise<Verdict> {
  const provider = context.providers.get(delivery.provider);
  if (provider === undefined) return ignored(`the provider ${delivery.provider} is not enabled any more`, "look");
  const parsed = provider.readEvent(delivery.body);
  if (parsed.kind !== "event") {
    const reason = parsed.kind === "unreadable" ? parsed.reason : "it cannot be read";
    return record(context, delivery, undefined, ignored(reason, "look"));
  }
  const { event } = parsed;
  const verdict = await settleParsed(context, provider, delivery, event);
  return verdict.next === "wait" && delivery.attempts >= UNKNOWN_ATTEMPTS ? { ...verdict, next: "done" } : verdict;
}

async function settleParsed(
  context: PaymentContext,
  provider: PaymentProvider,
  delivery: Delivery,
  event: PaymentEvent,
): Promise<Verdict> {
  const reported = {
    provider: provider.name,
    event,
    requestId: delivery.requestId ?? undefined,
    deliveryId: delivery.id,
  };
  const isHint = event.outcome === "changed" || (provider.confirmsByFetching && event.outcome !== "other");
  const payment = isHint ? await findPayment(context.db, provider.name, event.externalPaymentId) : undefined;
  if (!isHint) return settleEvent(context, reported);
  // A hint is believed by nobody before the provider was asked, and there is nothing to ask about yet.
  if (payment === undefined)
    return record(context, delivery, event, ignored(`no payment ${event.externalPaymentId} is known here`, "wait"));
  const found = await provider.fetchPayment(payment.externalPaymentId);
  const doubt =
    found === null ? `the provider knows no payment ${payment.externalPaymentId}` : doubtAbout(event, found);
  if (found === null || doubt !== null) {
    // Money that was reported is not forgotten because the provider does not know of it yet, or any more.
    const next = event.outcome === "succeeded" ? "retry" : "done";
    return record(context, delivery, event, ignored(doubt ?? "", next), payment.id);
  }
  const asked = { eventId: event.eventId, requestId: reported.requestId };
  if (event.outcome !== "changed") {
    const verdict = await settleEvent(context, { ...reported, event: { ...event, reference: found.reference } });
    if (verdict.verdict !== "applied") return verdict;
    await syncPayment(context, payment, found, asked);
    return verdict;
  }
  return record(
    context,
    delivery,
    event,
    await syncVerdict(() => syncPayment(context, payment, found, asked)),
    payment.id,
  );
}

async function syncVerdict(sync: () => Promise<string[]>): Promise<Verdict> {
  try {
    const changes = await sync();
    return changes.length === 0 ? ignored("it is in the books already") : applied(changes.join("; "));
  } catch (error) {
    if (error instanceof ConflictError) return ignored(error.message, "look");
    throw error;
  }
}

/** Why a reported outcome is not believed; null when the provider says the same now that it is asked. */
function doubtAbout({ outcome, amountMinor, currency }: PaymentEvent, found: ProviderPayment): string | null {
  if (outcome === "changed") return null;
  // A charge that was declined need not be the end of a checkout that can be tried again.
  if (found.status !== outcome) return `the provider was asked and says that the payment is ${found.status}`;
  const isSame = found.amountMinor === amountMinor && found.currency === currency;
  return isSame ? null : `the provider was asked and says ${found.amountMinor} ${found.currency}`;
}

async function record(
  context: PaymentContext,
  { id, provider }: Delivery,
  event: PaymentEvent | undefined,
  verdict: Verdict,
  paymentId?: bigint,
): Promise<Verdict> {
  await context.db.transaction((tx) =>
    recordEvent(context, tx, { ...verdict, provider, event, deliveryId: id, paymentId }),
  );
  return verdict;
}

/** What providers send: kept first, then worked on. */
import { z } from "zod";
import { sql } from "../db/database.ts";
import type { PaymentContext } from "./context.ts";
import { attemptDelivery, LEASE_SECONDS, workOn } from "./deliveries.ts";
import { recordEvent } from "./events.ts";
import type { ParsedEvent, PaymentProvider } from "./provider.ts";
import type { Verdict } from "./verdict.ts";

/** One call of a webhook, as it came. */
export interface WebhookCall {
  readonly rawBody: Buffer;
  readonly header: (name: string) => string | undefined;
  readonly requestId: string;
}

/** `stored`: it is safe, and worked on in the background. */
export type WebhookAnswer = Omit<Verdict, "next" | "verdict"> & { readonly verdict: Verdict["verdict"] | "stored" };

/**
 * Takes one webhook call: checks the signature, keeps what was sent, and settles it at once where that takes no question
 * to the provider. Whatever goes wrong after it was kept is tried again in the background. Safe to call with the same
 * event any number of times, also at once on several replicas.
 */
export async function receiveWebhook(
  context: PaymentContext,
  provider: PaymentProvider,
  { rawBody, header, requestId }: WebhookCall,
): Promise<WebhookAnswer> {
  const parsed = provider.parseEvent(rawBody, header);
  if (parsed.kind === "bad_signature") {
    const refusal = { verdict: "refused", reason: "the signature does not match the body" } as const;
    await context.db.transaction((tx) =>
      recordEvent(context, tx, { ...refusal, provider: provider.name, deliveryId: null, rawBody }),
    );
    return refusal;
  }
  const isAtOnce = canSettleAlone(provider, parsed);
  const id = await keep(context, provider, { rawBody, header, requestId }, isAtOnce);
  if (!isAtOnce) return { verdict: "stored", reason: `kept as delivery ${id}; the provider is asked about it` };
  const delivery = { id, provider: provider.name, body: rawBody, requestId, attempts: 1 };
  const verdict = await workOn(context, delivery, () => attemptDelivery(context, delivery));
  return verdict ?? { verdict: "stored", reason: `kept as delivery ${id}; it is tried again` };
}

/** Whether what was sent can be settled without asking the provider. */
function canSettleAlone({ confirmsByFetching }: PaymentProvider, parsed: ParsedEvent): boolean {
  if (parsed.kind !== "event" || parsed.event.outcome === "other") return true;
  return !confirmsByFetching && parsed.event.outcome !== "changed";
}

async function keep(
  { db, clock }: PaymentContext,
  provider: PaymentProvider,
  { rawBody, header, requestId }: WebhookCall,
  isAtOnce: boolean,
): Promise<bigint> {
  const now = clock.now();
  const headers = Object.fromEntries(
    provider.signatureHeaders.flatMap((name) => {
      const value = header(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  // What is settled at once is nobody else's until then.
  const nextAttemptAt = isAtOnce ? new Date(now.getTime() + LEASE_SECONDS * 1000) : now;
  const { id } = await db.one(
    z.object({ id: z.bigint() }),
    sql`INSERT INTO webhook_deliveries (provider, received_at, request_id, headers, body, status, attempts, next_attempt_at)
        VALUES (${provider.name}, ${now}, ${requestId}, ${JSON.stringify(headers)}, ${rawBody}, 'waiting', ${isAtOnce ? 1 : 0},
                ${nextAttemptAt})
        RETURNING id`,
  );
  return id;
}

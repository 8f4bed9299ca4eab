import { createHash, createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { readJsonEvent } from "./event-body.ts";
import type { CheckoutRequest, ParsedEvent, PaymentEvent, PaymentProvider } from "./provider.ts";

export const DUMMY_SIGNATURE_HEADER = "x-dummy-signature";

const OUTCOMES: ReadonlyMap<string, PaymentEvent["outcome"]> = new Map([
  ["payment.processing", "processing"],
  ["payment.succeeded", "succeeded"],
  ["payment.failed", "failed"],
  ["payment.canceled", "canceled"],
  ["payment.expired", "expired"],
]);

const bodySchema = z.object({
  event_id: z.string().min(1).max(200).optional(),
  event_type: z.string().min(1).max(100),
  external_payment_id: z.string().min(1).max(200),
  amount_cents: z.int().nonnegative(),
  currency: z.string().regex(/^[A-Za-z]{3}$/u),
});

/** Hex HMAC-SHA256 of the raw body: what the dummy provider puts into its signature header. */
export function signDummyBody(secret: string, rawBody: Buffer | string): string {
  return createHmac("sha256", secret).update(rawBody).digest("hex");
}

/** The built-in provider: its checkout is our own simulation page, its events are signed like a real one's. */
export function dummyProvider(options: {
  readonly webhookSecret: string;
  /** True where the simulation page exists, which is in development only. */
  readonly simulates: boolean;
  readonly newId?: () => string;
}): PaymentProvider {
  const newId = options.newId ?? randomUUID;
  return {
    name: "dummy",
    takesPayments: options.simulates,
    confirmsByFetching: false,
    sendsBack: true,
    keepsPayments: false,
    signatureHeaders: [DUMMY_SIGNATURE_HEADER],
    fetchPayment: () => Promise.resolve(null),
    cancelCheckout: () => Promise.resolve(),
    createCheckout(request: CheckoutRequest) {
      const externalPaymentId = `dev_${newId()}`;
      const query = new URLSearchParams({
        rid: request.receiptId.toString(),
        external_payment_id: externalPaymentId,
        amount_cents: request.amountMinor.toString(),
        currency: request.currency.code,
      });
      const url = options.simulates
        ? `/payments/simulate?${query.toString()}`
        : `/payments/thanks?rid=${request.receiptId}`;
      return Promise.resolve({ externalPaymentId, url });
    },
    parseEvent(rawBody, header) {
      if (!isSigned(options.webhookSecret, rawBody, header(DUMMY_SIGNATURE_HEADER))) return { kind: "bad_signature" };
      return readDummyEvent(rawBody);
    },
    readEvent: readDummyEvent,
  };
}

function isSigned(secret: string, rawBody: Buffer, signature: string | undefined): boolean {
  if (signature === undefined || !/^[0-9a-f]{64}$/iu.test(signature)) return false;
  return timingSafeEqual(Buffer.from(signature, "hex"), Buffer.from(signDummyBody(secret, rawBody), "hex"));
}

function readDummyEvent(rawBody: Buffer): ParsedEvent {
  return readJsonEvent(rawBody, (json) => readBody(rawBody, json));
}

function readBody(rawBody: Buffer, json: unknown): ParsedEvent {
  const body = bodySchema.safeParse(json);
  if (!body.success) {
    const issue = body.error.issues[0];
    return { kind: "unreadable", reason: `${issue?.path.join(".") ?? "body"}: ${issue?.message ?? "not as expected"}` };
  }
  return {
    kind: "event",
    event: {
      eventId: body.data.event_id ?? createHash("sha256").update(rawBody).digest("hex"),
      outcome: OUTCOMES.get(body.data.event_type) ?? "other",
      eventType: body.data.event_type,
      externalPaymentId: body.data.external_payment_id,
      amountMinor: BigInt(body.data.amount_cents),
      currency: body.data.currency.toUpperCase(),
    },
  };
}

/** A provider that keeps its books in memory, and does what the test says: payers, banks, outages, events. */
import { UpstreamError, UserError } from "../../src/errors.ts";
import { z } from "zod";
import type {
  CheckoutRequest,
  ParsedEvent,
  PaymentEvent,
  PaymentProvider,
  PaymentStatus,
  ProviderDispute,
  ProviderPayment,
  ProviderRefund,
  RefundRequest,
} from "../../src/payments/provider.ts";

interface PaperPayment {
  status: PaymentStatus;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly reference: string;
  readonly refunds: Map<string, ProviderRefund>;
  readonly disputes: Map<string, ProviderDispute>;
}

const eventSchema = z.object({
  id: z.string(),
  type: z.string(),
  outcome: z.enum(["processing", "succeeded", "failed", "canceled", "expired", "changed", "other"]),
  payment: z.string(),
  amount: z.string().transform((text) => BigInt(text)),
  currency: z.string(),
  reference: z.string().optional(),
});

export class PaperProvider implements PaymentProvider {
  readonly name: string;
  readonly takesPayments = true;
  readonly sendsBack = true;
  readonly keepsPayments = true;
  readonly signatureHeaders = ["x-paper"];
  confirmsByFetching = false;
  isAway = false;
  /** How refunds stand when they are made. */
  refundsAre: ProviderRefund["status"] = "succeeded";
  readonly asked: CheckoutRequest[] = [];
  readonly payments = new Map<string, PaperPayment>();
  /** Bodies of events that were not delivered yet. */
  readonly outbox: Buffer[] = [];
  readonly #refundsByKey = new Map<string, ProviderRefund>();
  #ids = 0;

  constructor(name: string) {
    this.name = name;
  }

  async createCheckout(request: CheckoutRequest) {
    this.#refuseIfAway();
    this.asked.push(request);
    const externalPaymentId = `${this.name}:${request.idempotencyKey}`;
    if (!this.payments.has(externalPaymentId)) {
      this.payments.set(externalPaymentId, {
        status: "pending",
        amountMinor: request.amountMinor,
        currency: request.currency.code,
        reference: `ref:${externalPaymentId}`,
        refunds: new Map(),
        disputes: new Map(),
      });
    }
    return { externalPaymentId, url: `https://pay.example/${externalPaymentId}` };
  }

  async cancelCheckout(externalPaymentId: string) {
    this.#refuseIfAway();
    const payment = this.payments.get(externalPaymentId);
    if (payment?.status === "pending") payment.status = "canceled";
  }

  parseEvent(rawBody: Buffer, header: (name: string) => string | undefined): ParsedEvent {
    return header("x-paper") === "forged" ? { kind: "bad_signature" } : this.readEvent(rawBody);
  }

  readEvent(rawBody: Buffer): ParsedEvent {
    const read = eventSchema.safeParse(JSON.parse(rawBody.toString("utf8")));
    if (!read.success) return { kind: "unreadable", reason: "not a paper event" };
    const { id, type, outcome, payment, amount, currency, reference } = read.data;
    const event: PaymentEvent = {
      eventId: id,
      eventType: type,
      outcome,
      externalPaymentId: payment,
      amountMinor: amount,
      currency,
      reference,
    };
    return { kind: "event", event };
  }

  async fetchPayment(externalPaymentId: string): Promise<ProviderPayment | null> {
    this.#refuseIfAway();
    const payment = this.payments.get(externalPaymentId);
    if (payment === undefined) return null;
    return { ...payment, refunds: [...payment.refunds.values()], disputes: [...payment.disputes.values()] };
  }

  readonly refund = async (request: RefundRequest): Promise<ProviderRefund> => {
    this.#refuseIfAway();
    const known = this.#refundsByKey.get(request.idempotencyKey);
    if (known !== undefined) return known;
    const payment = this.#payment(request.externalPaymentId);
    if (request.amountMinor > this.leftOf(request.externalPaymentId))
      throw new UserError("more than is left to refund");
    const { amountMinor, refundId } = request;
    const refund = { externalRefundId: `re_${++this.#ids}`, refundId, status: this.refundsAre, amountMinor };
    payment.refunds.set(refund.externalRefundId, refund);
    this.#refundsByKey.set(request.idempotencyKey, refund);
    if (refund.status === "pending") return refund;
    this.#emit(request.externalPaymentId, "changed");
    return refund;
  };

  /** What can still be paid back or disputed of a payment. */
  leftOf(id: string): bigint {
    const { amountMinor, refunds, disputes, status } = this.#payment(id);
    if (status !== "succeeded") return 0n;
    const back = [...refunds.values()].filter((one) => one.status !== "failed");
    const taken = [...disputes.values()].filter((one) => one.status !== "won");
    return [...back, ...taken].reduce((left, one) => left - one.amountMinor, amountMinor);
  }

  /** Lets a payment end or go on, and puts its event into the outbox. False where it has ended already. */
  end(id: string, status: Exclude<PaymentStatus, "pending">): boolean {
    const payment = this.#payment(id);
    const isOpen = payment.status === "pending" || payment.status === "processing";
    if (!isOpen || payment.status === status) return false;
    payment.status = status;
    this.#emit(id, status);
    return true;
  }

  /** Somebody pays back in the provider's own dashboard. */
  refundOutside(id: string, amountMinor: bigint): void {
    const externalRefundId = `re_${++this.#ids}`;
    this.#payment(id).refunds.set(externalRefundId, {
      externalRefundId,
      refundId: null,
      status: "succeeded",
      amountMinor,
    });
    this.#emit(id, "changed");
  }

  /** Decides a refund that is on its way, or lets one that had succeeded come back. */
  endRefund(id: string, externalRefundId: string, status: "succeeded" | "failed"): void {
    const { refunds } = this.#payment(id);
    const refund = refunds.get(externalRefundId);
    if (refund === undefined || refund.status === "failed" || refund.status === status) return;
    refunds.set(externalRefundId, { ...refund, status });
    this.#emit(id, "changed");
  }

  dispute(id: string, amountMinor: bigint): string {
    const externalDisputeId = `dp_${++this.#ids}`;
    this.#payment(id).disputes.set(externalDisputeId, { externalDisputeId, status: "open", amountMinor });
    this.#emit(id, "changed");
    return externalDisputeId;
  }

  decide(id: string, externalDisputeId: string, status: "won" | "lost"): void {
    const { disputes } = this.#payment(id);
    const dispute = disputes.get(externalDisputeId);
    if (dispute?.status !== "open") return;
    disputes.set(externalDisputeId, { ...dispute, status });
    this.#emit(id, "changed");
  }

  /** The body of an event about a payment. */
  eventOf(id: string, outcome: PaymentEvent["outcome"], overrides: Partial<z.input<typeof eventSchema>> = {}): Buffer {
    const { amountMinor, currency, reference } = this.payments.get(id) ?? {
      amountMinor: 100n,
      currency: "THB",
      reference: `ref:${id}`,
    };
    const event: z.input<typeof eventSchema> = {
      id: `evt_${++this.#ids}`,
      type: `payment.${outcome}`,
      outcome,
      payment: outcome === "changed" ? reference : id,
      amount: amountMinor.toString(),
      currency,
      reference,
      ...overrides,
    };
    return Buffer.from(JSON.stringify(event));
  }

  #emit(id: string, outcome: PaymentEvent["outcome"]): void {
    this.outbox.push(this.eventOf(id, outcome));
  }

  #payment(id: string): PaperPayment {
    const payment = this.payments.get(id);
    if (payment === undefined) throw new Error(`no payment ${id}`);
    return payment;
  }

  #refuseIfAway(): void {
    if (this.isAway) throw new UpstreamError(`${this.name} does not answer`);
  }
}

/** A webhook call with this body. */
export function callOf(rawBody: Buffer) {
  return { rawBody, header: () => undefined, requestId: "a request" };
}

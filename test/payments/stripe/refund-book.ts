/** The double's refunds; every move makes its events. Source: docs.stripe.com/refunds and /api/refunds. */
import type { Stripe } from "stripe";
import type { Clock } from "../../../src/clock.ts";
import { refusal, type ApiAnswer } from "./api-answer.ts";
import { listAnswer } from "./list-answer.ts";
import type { Outbox } from "./outbox.ts";
import type { SessionBook } from "./session-book.ts";
import { newId, type KeptSession } from "./sessions.ts";

type RefundStatus = "pending" | "requires_action" | "succeeded" | "failed" | "canceled";

const KNOWN = /^(payment_intent|amount|reason|metadata\[\w+\])$/u;

export class RefundBook {
  /** How refunds begin: banks that take their time leave them `pending`, and PromptPay asks the payer where to pay. */
  beginsAs: RefundStatus = "succeeded";
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #sessions: SessionBook;

  constructor(outbox: Outbox, clock: Clock, sessions: SessionBook) {
    this.#outbox = outbox;
    this.#clock = clock;
    this.#sessions = sessions;
  }

  /** The merchant pays back in the dashboard, all or a part; for whatever the API refuses, so does the dashboard. */
  make(sessionId: string, amount: number, metadata: Readonly<Record<string, string>> = {}): Stripe.Refund {
    const kept = this.#sessions.kept(sessionId);
    const refused = refusedRefund(kept, amount);
    if (refused !== null) throw new Error(JSON.stringify(refused.body));
    return this.#add(kept, amount, metadata);
  }

  /** How a refund goes on, or ends; banks return some that had succeeded. */
  end(refundId: string, status: RefundStatus): void {
    const kept = this.#sessions.everyKept.find(({ refunds }) => refunds.some(({ id }) => id === refundId));
    const refund = kept?.refunds.find(({ id }) => id === refundId);
    if (refund === undefined) throw new Error(`there is no refund ${refundId}`);
    refund.status = status;
    if (status === "failed") refund.failure_reason = "expired_or_canceled_card";
    this.#outbox.add(status === "failed" ? "refund.failed" : "refund.updated", refund);
    this.#outbox.add("charge.refund.updated", refund);
  }

  /** `POST /v1/refunds` */
  request(form: URLSearchParams): ApiAnswer {
    const unknown = [...form.keys()].find((name) => !KNOWN.test(name));
    if (unknown !== undefined) return invalid(`Received unknown parameter: ${unknown}`, "parameter_unknown", unknown);
    const intent = form.get("payment_intent") ?? "";
    const kept = this.#sessions.everyKept.find(({ session }) => session.payment_intent === intent);
    if (kept === undefined) {
      const message = `No such payment_intent: '${intent}'`;
      const type = "invalid_request_error";
      return refusal(404, { type, code: "resource_missing", message, param: "payment_intent" });
    }
    const text = form.get("amount") ?? refundable(kept).toString();
    if (!/^[1-9]\d*$/u.test(text)) return invalid(`Invalid positive integer: ${text}`, "parameter_invalid_integer");
    const metadata = [...form].flatMap(([name, value]) => {
      const key = /^metadata\[(\w+)\]$/u.exec(name)?.[1];
      return key === undefined ? [] : [[key, value] as const];
    });
    const amount = Number(text);
    return refusedRefund(kept, amount) ?? { status: 200, body: this.#add(kept, amount, Object.fromEntries(metadata)) };
  }

  /** `GET /v1/refunds` */
  list(query: URLSearchParams): ApiAnswer {
    const intent = query.get("payment_intent");
    const asked = this.#sessions.everyKept.filter(
      ({ session }) => intent === null || session.payment_intent === intent,
    );
    const refunds = asked.flatMap((kept) => kept.refunds);
    return listAnswer("/v1/refunds", refunds, query);
  }

  #add(kept: KeptSession, amount: number, metadata: Readonly<Record<string, string>>): Stripe.Refund {
    const refund: Stripe.Refund = {
      id: newId("re"),
      object: "refund",
      amount,
      balance_transaction: newId("txn"),
      charge: kept.chargeId,
      created: Math.floor(this.#clock.now().getTime() / 1000),
      currency: kept.session.currency ?? "",
      customer: null,
      customer_account: null,
      metadata: { ...metadata },
      payment_intent: kept.session.payment_intent,
      payment_method: null,
      reason: null,
      receipt_number: null,
      source_transfer_reversal: null,
      status: this.beginsAs,
      transfer_reversal: null,
    };
    kept.refunds.push(refund);
    this.#outbox.add("refund.created", refund);
    this.#outbox.add("charge.refunded", {
      id: kept.chargeId ?? "",
      object: "charge",
      amount: kept.session.amount_total ?? 0,
      amount_refunded: (kept.session.amount_total ?? 0) - refundable(kept),
      currency: refund.currency,
      metadata: { ...kept.intentMetadata },
      payment_intent: refund.payment_intent,
      refunded: refundable(kept) === 0,
    });
    return refund;
  }
}

/** What of a charge was not paid back, in Stripe's minor units. */
function refundable({ session, refunds }: KeptSession): number {
  const paidBack = refunds.filter(({ status }) => status !== "failed" && status !== "canceled");
  return (session.amount_total ?? 0) - paidBack.reduce((sum, { amount }) => sum + amount, 0);
}

function refusedRefund(kept: KeptSession, amount: number): ApiAnswer | null {
  const intent = typeof kept.session.payment_intent === "string" ? kept.session.payment_intent : "";
  if (kept.intentStatus !== "succeeded") {
    return invalid(`This PaymentIntent (${intent}) does not have a successful charge to refund.`);
  }
  if (kept.disputes.some((dispute) => !dispute.is_charge_refundable)) {
    return invalid(`Charge ${kept.chargeId ?? ""} has been charged back; cannot issue a refund.`, "charge_disputed");
  }
  const left = refundable(kept);
  if (left === 0) return invalid(`Charge ${kept.chargeId ?? ""} has already been refunded.`, "charge_already_refunded");
  if (amount <= left) return null;
  return invalid(
    `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`,
    undefined,
    "amount",
  );
}

function invalid(message: string, code?: string, param?: string): ApiAnswer {
  return refusal(400, {
    type: "invalid_request_error",
    message,
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  });
}

/** The double's checkouts, and what payers, the merchant and time do to them; every move makes its event. */
import type { Stripe } from "stripe";
import type { Clock } from "../../../src/clock.ts";
import type { Outbox, SentEvent } from "./outbox.ts";
import type { SessionRequest } from "./session-request.ts";
import { newId, openSession, type KeptSession } from "./sessions.ts";

export class SessionBook {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #sessions = new Map<string, KeptSession>();

  constructor(outbox: Outbox, clock: Clock) {
    this.#outbox = outbox;
    this.#clock = clock;
  }

  /** As they stand now, oldest first. */
  get all(): readonly Stripe.Checkout.Session[] {
    return [...this.#sessions.values()].map((kept) => kept.session);
  }

  open(request: SessionRequest, origin: string): Stripe.Checkout.Session {
    const kept = openSession(request, this.#clock, origin);
    this.#sessions.set(kept.session.id, kept);
    return kept.session;
  }

  find(id: string): KeptSession | undefined {
    return this.#sessions.get(id);
  }

  /** The payer pays with a method that answers at once. */
  pay(id: string): SentEvent {
    const kept = this.#complete(id, "paid", "succeeded");
    return this.#outbox.add("checkout.session.completed", kept.session);
  }

  /** The payer chooses a method that takes days; `finish` tells how it ended. */
  payLater(id: string): SentEvent {
    const kept = this.#complete(id, "unpaid", "processing");
    return this.#outbox.add("checkout.session.completed", kept.session);
  }

  finish(id: string, outcome: "succeeded" | "failed"): SentEvent {
    const kept = this.#kept(id);
    kept.intentStatus = outcome === "succeeded" ? "succeeded" : "requires_payment_method";
    if (outcome === "succeeded") kept.session = { ...kept.session, payment_status: "paid" };
    return this.#outbox.add(`checkout.session.async_payment_${outcome}`, kept.session);
  }

  /** Nobody paid for a day. */
  expire(id: string): SentEvent {
    const kept = this.#kept(id);
    if (kept.session.status !== "open") throw new Error(`session ${id} is not open`);
    kept.session = { ...kept.session, status: "expired", url: null };
    return this.#outbox.add("checkout.session.expired", kept.session);
  }

  /** The merchant pays back in the dashboard, all or a part. */
  refund(id: string, amount: number): SentEvent {
    const { session, intentMetadata } = this.#kept(id);
    const total = session.amount_total ?? 0;
    return this.#outbox.add("charge.refunded", {
      id: newId("ch"),
      object: "charge",
      amount: total,
      amount_refunded: amount,
      currency: session.currency ?? "",
      metadata: { ...intentMetadata },
      payment_intent: session.payment_intent,
      refunded: amount === total,
    });
  }

  /** The payer's bank takes the money back. */
  dispute(id: string): SentEvent {
    const { session } = this.#kept(id);
    return this.#outbox.add("charge.dispute.created", {
      id: newId("du"),
      object: "dispute",
      amount: session.amount_total ?? 0,
      charge: newId("ch"),
      currency: session.currency ?? "",
      payment_intent: session.payment_intent,
      reason: "fraudulent",
      status: "needs_response",
    });
  }

  #complete(
    id: string,
    status: Stripe.Checkout.Session.PaymentStatus,
    intentStatus: Stripe.PaymentIntent.Status,
  ): KeptSession {
    const kept = this.#kept(id);
    if (kept.session.status !== "open") throw new Error(`session ${id} is not open`);
    kept.session = {
      ...kept.session,
      status: "complete",
      payment_status: status,
      payment_intent: newId("pi"),
      url: null,
    };
    kept.intentStatus = intentStatus;
    return kept;
  }

  #kept(id: string): KeptSession {
    const kept = this.#sessions.get(id);
    if (kept === undefined) throw new Error(`there is no session ${id}`);
    return kept;
  }
}

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

  /** One that must be there. */
  kept(id: string): KeptSession {
    const kept = this.#sessions.get(id);
    if (kept === undefined) throw new Error(`there is no session ${id}`);
    return kept;
  }

  /** Oldest first. */
  get everyKept(): readonly KeptSession[] {
    return [...this.#sessions.values()];
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
    const kept = this.kept(id);
    kept.intentStatus = outcome === "succeeded" ? "succeeded" : "requires_payment_method";
    if (outcome === "succeeded") kept.session = { ...kept.session, payment_status: "paid" };
    return this.#outbox.add(`checkout.session.async_payment_${outcome}`, kept.session);
  }

  /** Nobody paid for a day, or the merchant calls it off. */
  expire(id: string): SentEvent {
    const kept = this.kept(id);
    if (kept.session.status !== "open") throw new Error(`session ${id} is not open`);
    kept.session = { ...kept.session, status: "expired", url: null };
    return this.#outbox.add("checkout.session.expired", kept.session);
  }

  #complete(
    id: string,
    status: Stripe.Checkout.Session.PaymentStatus,
    intentStatus: Stripe.PaymentIntent.Status,
  ): KeptSession {
    const kept = this.kept(id);
    if (kept.session.status !== "open") throw new Error(`session ${id} is not open`);
    kept.session = {
      ...kept.session,
      status: "complete",
      payment_status: status,
      payment_intent: newId("pi"),
      url: null,
    };
    kept.intentStatus = intentStatus;
    kept.chargeId = newId("ch");
    return kept;
  }
}

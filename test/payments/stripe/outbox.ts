/** Events: made, signed by the vendor's own library, and delivered. Source: docs.stripe.com/webhooks. */
import { Stripe } from "stripe";
import type { Clock } from "../../../src/clock.ts";
import { newId, type KeptDispute } from "./sessions.ts";
import { shuffled } from "./shuffled.ts";

/** Of the API's objects, those whose events are sent here. */
export type EventObject =
  | Stripe.Checkout.Session
  | Stripe.Refund
  | KeptDispute
  | (Partial<Stripe.Charge> & Pick<Stripe.Charge, "id" | "object">);

export interface SentEvent {
  readonly id: string;
  readonly object: "event";
  readonly api_version: string;
  readonly created: number;
  readonly data: { readonly object: EventObject };
  readonly livemode: boolean;
  readonly pending_webhooks: number;
  readonly request: { readonly id: null; readonly idempotency_key: null };
  readonly type: string;
}

export interface Delivery {
  readonly event: SentEvent;
  /** Null when nobody answered. */
  readonly status: number | null;
}

/** What waits to be delivered, and what was. */
export class Outbox {
  /** All events, oldest first. */
  readonly events: SentEvent[] = [];
  /** The endpoint's: while one is rolled, both sign. */
  secrets: readonly string[];
  /** True for a webhook of live mode that points here by mistake. */
  livemode = false;
  /** Events that are stuck on the way: they wait, whatever is delivered. */
  holds: (event: SentEvent) => boolean = () => false;
  readonly #clock: Clock;
  #waiting: SentEvent[] = [];

  constructor(secrets: readonly string[], clock: Clock) {
    this.secrets = secrets;
    this.#clock = clock;
  }

  /** The object is copied: an event tells how things stood when it was made. */
  add(type: string, object: EventObject): SentEvent {
    const event: SentEvent = {
      id: newId("evt"),
      object: "event",
      api_version: Stripe.API_VERSION,
      created: Math.floor(this.#clock.now().getTime() / 1000),
      data: { object: structuredClone(object) },
      livemode: this.livemode,
      pending_webhooks: 1,
      request: { id: null, idempotency_key: null },
      type,
    };
    this.events.push(event);
    this.#waiting.push(event);
    return event;
  }

  /** The bytes of an event, and the header that signs them; `v0` stands there for test events and proves nothing. */
  sign(event: unknown): { readonly body: Buffer; readonly header: string } {
    const payload = typeof event === "string" ? event : JSON.stringify(event, null, 2);
    const timestamp = Math.floor(this.#clock.now().getTime() / 1000);
    const signatures = this.secrets.map((secret) => signatureIn(payload, secret, timestamp, "v1"));
    const test = signatureIn(payload, this.secrets[0] ?? "none", timestamp, "v0");
    return { body: Buffer.from(payload), header: [`t=${timestamp}`, ...signatures, test].join(",") };
  }

  /** Tries once to deliver all that waits and is not held; what is not answered with 2xx waits on. */
  async deliver(
    url: string,
    options: { readonly order?: "newest first" | { readonly shuffledBy: number }; readonly copies?: number } = {},
  ): Promise<Delivery[]> {
    const due = inOrder(
      this.#waiting.filter((event) => !this.holds(event)),
      options.order,
    );
    this.#waiting = this.#waiting.filter((event) => this.holds(event));
    const deliveries: Delivery[] = [];
    for (const event of due) {
      const copies = Array.from({ length: options.copies ?? 1 }, () => this.#post(url, event));
      const statuses = await Promise.all(copies);
      deliveries.push(...statuses.map((status) => ({ event, status })));
      if (statuses.some((status) => status === null || status < 200 || status > 299)) this.#waiting.push(event);
    }
    return deliveries;
  }

  /** What waits is lost, and is delivered by nobody. */
  forgetWaiting(): void {
    this.#waiting = [];
  }

  /** Delivers one event once more, however long ago it was taken: null when nobody answers. */
  deliverAgain(url: string, event: SentEvent): Promise<number | null> {
    return this.#post(url, event);
  }

  async #post(url: string, event: SentEvent): Promise<number | null> {
    const { body, header } = this.sign(event);
    const headers = { "content-type": "application/json; charset=utf-8", "stripe-signature": header };
    try {
      const answer = await fetch(url, { method: "POST", headers, body: new Uint8Array(body) });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return null;
    }
  }
}

function inOrder(
  events: readonly SentEvent[],
  order: "newest first" | { readonly shuffledBy: number } | undefined,
): readonly SentEvent[] {
  if (order === undefined) return events;
  return order === "newest first" ? events.toReversed() : shuffled(events, order.shuffledBy);
}

function signatureIn(payload: string, secret: string, timestamp: number, scheme: "v0" | "v1"): string {
  return Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp, scheme }).split(",")[1] ?? "";
}

/** What the double keeps: links, charges and events. */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../../src/clock.ts";
import { chargeJson } from "./double-json.ts";

export interface DoubleCharge {
  readonly id: string;
  readonly link: string;
  readonly amount: number;
  readonly currency: string;
  readonly description: string;
  readonly method: "promptpay" | "card";
  readonly createdAt: Date;
  /** Oldest first. */
  readonly refunds: DoubleRefund[];
  dispute: DoubleDispute | null;
  status: "pending" | "successful" | "failed" | "expired";
  failureCode: string | null;
}

export interface DoubleRefund {
  readonly id: string;
  readonly charge: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  status: "pending" | "closed" | "failed";
}

export interface DoubleDispute {
  readonly id: string;
  readonly charge: string;
  readonly amount: number;
  readonly currency: string;
  readonly createdAt: Date;
  status: "open" | "pending" | "won" | "lost";
}

export interface DoubleLink {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly title: string;
  readonly description: string;
  readonly multiple: boolean;
  readonly createdAt: Date;
  readonly charges: DoubleCharge[];
  livemode: boolean;
  usedAt: Date | null;
  deletedAt: Date | null;
}

export interface DoubleEvent {
  readonly id: string;
  readonly key: string;
  /** As it was when the event happened, serialised. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly livemode: boolean;
}

export interface NewLink {
  readonly amount: number;
  readonly currency: string;
  readonly title: string;
  readonly description: string;
  readonly multiple: boolean;
}

export class OmiseBooks {
  readonly links = new Map<string, DoubleLink>();
  readonly events: DoubleEvent[] = [];
  readonly clock: Clock;
  /** True for a live account, whose webhook points here by mistake. */
  livemode = false;
  /** Told of each event, after it was written down. */
  onEvent: (event: DoubleEvent) => void = () => undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  addLink(asked: NewLink): DoubleLink {
    const link: DoubleLink = {
      ...asked,
      id: newId("link"),
      createdAt: this.#now(),
      charges: [],
      livemode: this.livemode,
      usedAt: null,
      deletedAt: null,
    };
    this.links.set(link.id, link);
    return link;
  }

  delete(link: DoubleLink): void {
    link.deletedAt = this.#now();
  }

  /** A charge that waits for the payer: a QR that was not paid yet, a card at its bank's page. */
  startCharge(link: DoubleLink, method: DoubleCharge["method"]): DoubleCharge {
    const charge = this.#addCharge(link, method);
    this.tell("charge.create", chargeJson(charge));
    return charge;
  }

  /** How a charge that waited has ended. */
  endCharge(charge: DoubleCharge, status: "successful" | "failed" | "expired"): void {
    this.#end(charge, status);
    this.tell("charge.complete", chargeJson(charge));
  }

  /** A card without 3-D Secure: made and ended in one, with one event. */
  chargeAtOnce(link: DoubleLink, status: "successful" | "failed"): DoubleCharge {
    const charge = this.#addCharge(link, "card");
    this.#end(charge, status);
    this.tell("charge.create", chargeJson(charge));
    return charge;
  }

  findCharge(id: string): DoubleCharge | undefined {
    return [...this.links.values()].flatMap(({ charges }) => charges).find((charge) => charge.id === id);
  }

  #addCharge(link: DoubleLink, method: DoubleCharge["method"]): DoubleCharge {
    const charge: DoubleCharge = {
      id: newId("chrg"),
      link: link.id,
      amount: link.amount,
      currency: link.currency,
      description: `${link.title}\n\n${link.description}`,
      method,
      createdAt: this.#now(),
      refunds: [],
      dispute: null,
      status: "pending",
      failureCode: null,
    };
    link.charges.push(charge);
    return charge;
  }

  #end(charge: DoubleCharge, status: "successful" | "failed" | "expired"): void {
    charge.status = status;
    charge.failureCode = status === "failed" ? "payment_rejected" : null;
    const link = this.links.get(charge.link);
    if (status === "successful" && link !== undefined && !link.multiple) link.usedAt = this.#now();
  }

  /** Writes an event down. */
  tell(key: string, data: Readonly<Record<string, unknown>>): void {
    const event = { id: newId("evnt"), key, data, createdAt: this.#now(), livemode: this.livemode };
    this.events.push(event);
    this.onEvent(event);
  }

  #now(): Date {
    return this.clock.now();
  }
}

export function newId(prefix: string): string {
  return `${prefix}_test_${randomBytes(10).toString("hex").slice(0, 19)}`;
}

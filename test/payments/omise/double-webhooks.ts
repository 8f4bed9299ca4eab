import { createHmac } from "node:crypto";
import { shuffled } from "../stripe/shuffled.ts";
import type { DoubleEvent, OmiseBooks } from "./double-books.ts";
import { eventJson } from "./double-json.ts";

/** The part of the double that sends events: in order or not, once or more often, at once or late. */
export class OmiseWebhooks {
  readonly books: OmiseBooks;
  /** Where events go as soon as they happen; null keeps them until they are asked for. */
  webhookUrl: string | null = null;
  /** Base64; two while one is being rolled. */
  webhookSecrets: string[] = ["d2ViaG9vayBzZWNyZXQgb2YgYSB0ZXN0"];
  /** Events that are stuck on the way: they wait, whatever is delivered. */
  holds: (event: DoubleEvent) => boolean = () => false;
  #undelivered: DoubleEvent[] = [];
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(books: OmiseBooks) {
    this.books = books;
    this.books.onEvent = (event) => this.#onEvent(event);
  }

  /** Waits until events on their way have arrived, or have failed to. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  /** Sends what is not held and was not taken with 2xx, in the order in which it happened or in another. */
  async redeliver(order: "as_made" | "reversed" | { readonly shuffledBy: number } = "as_made"): Promise<void> {
    const due = this.#undelivered.filter((event) => !this.holds(event));
    this.#undelivered = this.#undelivered.filter((event) => this.holds(event));
    const ordered =
      order === "as_made" ? due : order === "reversed" ? due.toReversed() : shuffled(due, order.shuffledBy);
    for (const event of ordered) await this.deliver(event);
  }

  /** Sends one event, as often as it is called. Returns the answer's status; null when there was no answer. */
  async deliver(event: DoubleEvent): Promise<number | null> {
    const status = this.webhookUrl === null ? null : await this.#post(this.webhookUrl, event);
    if (status === null || status < 200 || status > 299) this.#undelivered.push(event);
    return status;
  }

  /** Body and headers of a delivery that is made now. */
  signed(event: DoubleEvent): { body: string; headers: Record<string, string> } {
    const body = JSON.stringify(eventJson(event));
    const timestamp = Math.floor(this.books.clock.now().getTime() / 1000).toString();
    const signatures = this.webhookSecrets.map((secret) =>
      createHmac("sha256", Buffer.from(secret, "base64")).update(`${timestamp}.${body}`).digest("hex"),
    );
    const signing = { "omise-signature": signatures.join(","), "omise-signature-timestamp": timestamp };
    return { body, headers: { "content-type": "application/json", ...(signatures.length === 0 ? {} : signing) } };
  }

  async #post(url: string, event: DoubleEvent): Promise<number | null> {
    try {
      return (await fetch(url, { method: "POST", ...this.signed(event) })).status;
    } catch {
      return null;
    }
  }

  #onEvent(event: DoubleEvent): void {
    if (this.webhookUrl === null || this.holds(event)) this.#undelivered.push(event);
    else this.#underWay = this.#underWay.then(() => this.deliver(event));
  }
}

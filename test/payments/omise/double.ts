import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { systemClock, type Clock } from "../../../src/clock.ts";
import { answerCall, errorAnswer, type ApiAnswer } from "./double-api.ts";
import { OmiseBooks, type DoubleEvent, type DoubleLink } from "./double-books.ts";
import { eventJson } from "./double-json.ts";
import { pageOf, pressButton } from "./double-page.ts";

/** What may go wrong with one call: refused; done or not done but never answered; answered with rubbish. */
export type Fault =
  | { readonly kind: "refuse"; readonly status: number; readonly code: string; readonly message: string }
  | { readonly kind: "lose_call" | "lose_answer" | "hang" | "rubbish" };

export interface SeenCall {
  readonly method: string;
  readonly path: string;
  readonly version: string | undefined;
}

/**
 * Omise in a real HTTP server on loopback: its API at `url`, the payer's page at each link's `payment_uri`, and signed
 * webhooks to `webhookUrl`. One thing is easier than there: a card needs no number.
 */
export class OmiseDouble {
  readonly secretKey = "skey_test_of_the_double";
  readonly books: OmiseBooks;
  readonly calls: SeenCall[] = [];
  /** Where events go as soon as they happen; null keeps them until they are asked for. */
  webhookUrl: string | null = null;
  /** Base64; two while one is being rolled. */
  webhookSecrets: string[] = ["d2ViaG9vayBzZWNyZXQgb2YgYSB0ZXN0"];
  /** Whether cards go through 3-D Secure. */
  asksBank = true;
  /** Awaited before a call is answered: tests hold calls back with it. */
  beforeAnswer: (call: SeenCall) => void | Promise<void> = () => undefined;
  readonly #server: Server;
  readonly #faults: { fault: Fault; method: string }[] = [];
  #undelivered: DoubleEvent[] = [];
  #underWay: Promise<unknown> = Promise.resolve();

  private constructor(clock: Clock) {
    this.books = new OmiseBooks(clock);
    this.books.onEvent = (event) => this.#onEvent(event);
    this.#server = createServer((request, response) => {
      // A caller that has hung up is no fault of ours.
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(clock: Clock = systemClock): Promise<OmiseDouble> {
    const double = new OmiseDouble(clock);
    await new Promise<void>((resolve) => double.#server.listen(0, "127.0.0.1", resolve));
    return double;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#underWay;
  }

  /** The next calls by this method fail so, one for each time this was called. */
  failNext(method: string, fault: Fault): void {
    this.#faults.push({ fault, method });
  }

  link(id: string): DoubleLink {
    const link = this.books.links.get(id);
    if (link === undefined) throw new Error(`the double has no link ${id}`);
    return link;
  }

  /** Links that somebody could still pay. */
  payable(): DoubleLink[] {
    return [...this.books.links.values()].filter((link) => link.usedAt === null && link.deletedAt === null);
  }

  /** Presses a button of the payer's page, as a browser would. */
  press(link: DoubleLink, button: "promptpay" | "card" | "declined" | "confirm" | "expire"): void {
    pressButton(this.books, link, button, this);
  }

  /** Waits until events on their way have arrived, or have failed to. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  /** Sends once more what was not taken with 2xx, in the order in which it happened or the other way round. */
  async redeliver(order: "as_made" | "reversed" = "as_made"): Promise<void> {
    const waiting = this.#undelivered;
    this.#undelivered = [];
    for (const event of order === "as_made" ? waiting : waiting.toReversed()) await this.deliver(event);
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
    if (this.webhookUrl === null) this.#undelivered.push(event);
    else this.#underWay = this.#underWay.then(() => this.deliver(event));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const form = new URLSearchParams(await text(request));
    const call = { method: request.method ?? "GET", path: url.pathname, query: url.searchParams, form };
    const paying = /^\/pay\/(\w+)$/u.exec(url.pathname);
    if (paying !== null) return this.#servePage(response, paying[1] ?? "", call);
    const seen = {
      method: call.method,
      path: `${url.pathname}${url.search}`,
      version: String(request.headers["omise-version"]),
    };
    this.calls.push(seen);
    await this.beforeAnswer(seen);
    const fault = this.#takeFault(call.method);
    if (fault?.kind === "hang") return;
    if (fault?.kind === "lose_call") return void request.socket.destroy();
    const answer =
      fault?.kind === "refuse" ? errorAnswer(fault.status, fault.code, fault.message) : this.#answer(request, call);
    if (fault?.kind === "lose_answer") return void request.socket.destroy();
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(fault?.kind === "rubbish" ? "<html>" : JSON.stringify(answer.json));
  }

  #answer(request: IncomingMessage, call: Parameters<typeof answerCall>[1]): ApiAnswer {
    const expected = `Basic ${Buffer.from(`${this.secretKey}:`).toString("base64")}`;
    if (request.headers.authorization !== expected) {
      return errorAnswer(401, "authentication_failure", "authentication failed");
    }
    return answerCall(this.books, call, (link) => `${this.url}/pay/${link.id}`);
  }

  #servePage(response: ServerResponse, id: string, call: { method: string; form: URLSearchParams }): void {
    const link = this.books.links.get(id);
    if (link === undefined || link.deletedAt !== null) {
      response.writeHead(404, { "content-type": "text/html" }).end("<p>This link is no longer available.</p>");
    } else if (call.method === "POST") {
      pressButton(this.books, link, call.form.get("button") ?? "", this);
      response.writeHead(303, { location: `/pay/${id}` }).end();
    } else {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(pageOf(link));
    }
  }

  #takeFault(method: string): Fault | undefined {
    const at = this.#faults.findIndex((one) => one.method === method);
    return at < 0 ? undefined : this.#faults.splice(at, 1)[0]?.fault;
  }
}

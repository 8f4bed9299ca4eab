import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { systemClock, type Clock } from "../../../src/clock.ts";
import { answerCall, errorAnswer, type ApiAnswer } from "./double-api.ts";
import { OmiseBooks, type DoubleCharge, type DoubleLink } from "./double-books.ts";
import { MoneyBack } from "./double-money.ts";
import { pageOf, pressButton } from "./double-page.ts";
import { OmiseWebhooks } from "./double-webhooks.ts";

/** What may go wrong with one call: refused; done or not done but never answered; answered with rubbish. */
export type Fault =
  | {
      readonly kind: "refuse";
      readonly status: number;
      readonly code: string;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: "lose_call" | "lose_answer" | "hang" | "rubbish" };

/** Too many requests: https://docs.omise.co/api-errors, 429. */
export function rateLimited(retryAfterSeconds: number): Fault {
  const headers = { "retry-after": retryAfterSeconds.toString() };
  return { kind: "refuse", status: 429, code: "too_many_requests", message: "rate limit exceeded", headers };
}

export interface SeenCall {
  readonly method: string;
  readonly path: string;
  readonly version: string | undefined;
}

/**
 * Omise in a real HTTP server on loopback: its API at `url`, the payer's page at each link's `payment_uri`, and signed
 * webhooks to `webhookUrl`. One thing is easier than there: a card needs no number.
 */
export class OmiseDouble extends OmiseWebhooks {
  readonly secretKey = "skey_test_of_the_double";
  readonly moneyBack: MoneyBack;
  readonly calls: SeenCall[] = [];
  /** Whether cards go through 3-D Secure. */
  asksBank = true;
  /** Awaited before a call is answered: tests hold calls back with it. */
  beforeAnswer: (call: SeenCall) => void | Promise<void> = () => undefined;
  readonly #server: Server;
  readonly #faults: { fault: Fault; method: string }[] = [];

  private constructor(clock: Clock) {
    super(new OmiseBooks(clock));
    this.moneyBack = new MoneyBack(this.books);
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
    await this.settled();
  }

  /** The next calls by this method fail so: one, or as many as told, after those told before. */
  failNext(method: string, fault: Fault, times = 1): void {
    this.#faults.push(...Array.from({ length: times }, () => ({ fault, method })));
  }

  link(id: string): DoubleLink {
    const link = this.books.links.get(id);
    if (link === undefined) throw new Error(`the double has no link ${id}`);
    return link;
  }

  /** The charge that paid a link. */
  paidCharge(id: string): DoubleCharge {
    const charge = this.link(id).charges.find(({ status }) => status === "successful");
    if (charge === undefined) throw new Error(`nobody has paid ${id}`);
    return charge;
  }

  /** Links that somebody could still pay. */
  payable(): DoubleLink[] {
    return [...this.books.links.values()].filter((link) => link.usedAt === null && link.deletedAt === null);
  }

  /** Presses a button of the payer's page, as a browser would. */
  press(link: DoubleLink, button: "promptpay" | "card" | "declined" | "confirm" | "expire"): void {
    pressButton(this.books, link, button, this);
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
    const answer = fault?.kind === "refuse" ? refusal(fault) : this.#answer(request, call);
    if (fault?.kind === "lose_answer") return void request.socket.destroy();
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(fault?.kind === "rubbish" ? "<html>" : JSON.stringify(answer.json));
  }

  #answer(request: IncomingMessage, call: Parameters<typeof answerCall>[1]): ApiAnswer {
    const expected = `Basic ${Buffer.from(`${this.secretKey}:`).toString("base64")}`;
    if (request.headers.authorization !== expected) {
      return errorAnswer(401, "authentication_failure", "authentication failed");
    }
    return answerCall(this, call, (link) => `${this.url}/pay/${link.id}`);
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

function refusal({ status, code, message, headers }: Extract<Fault, { kind: "refuse" }>): ApiAnswer {
  return { ...errorAnswer(status, code, message), headers: headers ?? {} };
}

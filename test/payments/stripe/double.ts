/** A double of Stripe: a server on loopback that speaks the part of the published API which is used here. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { systemClock, type Clock } from "../../../src/clock.ts";
import { BROKEN, refusal, type ApiAnswer, type Fault } from "./api-answer.ts";
import { hostedPage, isButton, type Button } from "./hosted-page.ts";
import { IdempotencyKeys } from "./idempotency.ts";
import { DisputeBook } from "./dispute-book.ts";
import { Outbox } from "./outbox.ts";
import { RefundBook } from "./refund-book.ts";
import { answerRequest, type ApiRequest } from "./routes.ts";
import { SessionBook } from "./session-book.ts";
import { newId, type KeptSession } from "./sessions.ts";

export const STRIPE_KEY = "sk_test_51TheKeyOfTheDouble";
export const STRIPE_WEBHOOK_SECRET = "whsec_TheFirstSecretOfTheDouble";

export interface ReceivedRequest extends ApiRequest {
  readonly headers: IncomingMessage["headers"];
}

/** Starts a double on a free port; `stop` it. */
export async function startStripeDouble(options: { readonly clock?: Clock } = {}): Promise<StripeDouble> {
  const double = new StripeDouble(options.clock ?? systemClock);
  await double.listen();
  return double;
}

export class StripeDouble {
  /** All requests to the API, oldest first. */
  readonly requests: ReceivedRequest[] = [];
  readonly idempotencyKeys = new IdempotencyKeys();
  readonly outbox: Outbox;
  /** The checkouts, and what payers, the merchant and time do to them. */
  readonly sessions: SessionBook;
  readonly refunds: RefundBook;
  readonly disputes: DisputeBook;
  /** What goes wrong with the next requests, one each. */
  readonly faults: Fault[] = [];
  /** Where events go as soon as a payer does something on the page; null while only tests deliver them. */
  webhookUrl: string | null = null;
  readonly #server: Server;
  #held: Promise<void> | null = null;
  #port = 0;

  constructor(clock: Clock) {
    this.outbox = new Outbox([STRIPE_WEBHOOK_SECRET], clock);
    this.sessions = new SessionBook(this.outbox, clock);
    this.refunds = new RefundBook(this.outbox, clock, this.sessions);
    this.disputes = new DisputeBook(this.outbox, this.sessions);
    this.#server = createServer((request, response) => {
      void this.#route(request)
        .then((answer) => {
          if (answer === null) return request.socket.destroy();
          const isText = typeof answer.body === "string";
          const type = isText ? "text/html; charset=utf-8" : "application/json";
          response.writeHead(answer.status, { "content-type": type, ...answer.headers });
          return response.end(isText ? answer.body : JSON.stringify(answer.body));
        })
        .catch(() => request.socket.destroy());
    });
  }

  /** For `stripeProvider`. */
  get baseUrl(): { readonly protocol: "http"; readonly host: string; readonly port: number } {
    return { protocol: "http", host: "127.0.0.1", port: this.#port };
  }

  async listen(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(this.#port, "127.0.0.1", resolve);
    await promise;
    const address = this.#server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
  }

  /** Can `listen` again afterwards, at the same port. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  /** So go the next requests wrong, whatever they ask for; a client that tries again by itself needs more of them. */
  failNext(times: number, fault: Fault): void {
    this.faults.push(...Array.from({ length: times }, () => fault));
  }

  /** Requests that change something stay under way until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return () => {
      this.#held = null;
      resolve();
    };
  }

  /** Null cuts the connection. */
  async #route(message: IncomingMessage): Promise<ApiAnswer | null> {
    const body = await text(message);
    const url = new URL(message.url ?? "/", "http://double");
    const page = /^\/c\/pay\/(\w+)$/u.exec(url.pathname)?.[1];
    if (page !== undefined) return this.#page(page, message.method === "POST" ? new URLSearchParams(body) : null);
    const request: ReceivedRequest = {
      method: message.method ?? "",
      path: url.pathname,
      headers: message.headers,
      form: message.method === "GET" ? url.searchParams : new URLSearchParams(body),
    };
    this.requests.push(request);
    const answer = await this.#answer(request, this.faults.shift());
    return answer === null ? null : { ...answer, headers: { "request-id": newId("req"), ...answer.headers } };
  }

  async #answer(request: ReceivedRequest, fault: Fault | undefined): Promise<ApiAnswer | null> {
    const unauthorized = refuseKey(request.headers.authorization);
    if (unauthorized !== null) return unauthorized;
    if (fault?.kind === "cut before") return null;
    if (fault?.kind === "refused") return fault.answer;
    if (fault?.kind === "not json") return { status: 200, body: "<html>Welcome to our proxy</html>" };
    const answer = await this.#carryOut(request, fault?.kind === "broken");
    return fault?.kind === "cut after" ? null : answer;
  }

  async #carryOut(request: ReceivedRequest, breaks: boolean): Promise<ApiAnswer> {
    const answer = (): ApiAnswer => (breaks ? BROKEN : answerRequest(this, request, `http://127.0.0.1:${this.#port}`));
    if (request.method !== "POST") return answer();
    const key = request.headers["idempotency-key"];
    const asked = `${request.path} ${request.form.toString()}`;
    return this.idempotencyKeys.once(typeof key === "string" ? key : undefined, asked, async () => {
      await this.#held;
      return answer();
    });
  }

  async #page(id: string, pressed: URLSearchParams | null): Promise<ApiAnswer> {
    const kept = this.sessions.find(id);
    if (kept === undefined)
      return { status: 404, body: "<!doctype html><title>Checkout</title><p>No such checkout.</p>" };
    const button = pressed?.get("button") ?? null;
    return isButton(button) ? this.#press(kept, button) : { status: 200, body: hostedPage(kept, null) };
  }

  async #press(kept: KeptSession, button: Button): Promise<ApiAnswer> {
    const { id, status, success_url, cancel_url } = kept.session;
    if (button === "back") return seeOther(cancel_url);
    if (status !== "open") return { status: 200, body: hostedPage(kept, null) };
    if (button === "decline") return { status: 200, body: hostedPage(kept, "Your card was declined.") };
    if (button === "pay") this.sessions.pay(id);
    else this.sessions.payLater(id);
    if (this.webhookUrl !== null) await this.outbox.deliver(this.webhookUrl);
    return seeOther(success_url);
  }
}

function seeOther(url: string | null): ApiAnswer {
  return { status: 303, body: "", headers: { location: url ?? "/" } };
}

function refuseKey(authorization: string | undefined): ApiAnswer | null {
  if (authorization === `Bearer ${STRIPE_KEY}`) return null;
  const key = authorization?.replace(/^Bearer /u, "") ?? "";
  const message = `Invalid API Key provided: ${key.slice(0, 8)}${"*".repeat(12)}${key.slice(-4)}`;
  return refusal(401, { type: "invalid_request_error", message }, { "www-authenticate": 'Bearer realm="Stripe"' });
}

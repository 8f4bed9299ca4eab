/** People who have receipts made and pay them, and a provider that reports it until it is heard. */
import { setTimeout as sleep } from "node:timers/promises";
import { signDummyBody } from "../../../src/payments/dummy.ts";

export interface LoadOptions {
  readonly origin: string;
  readonly webhookSecret: string;
  readonly password: string;
  readonly people: readonly string[];
  /** Days on which each of them has jobs. */
  readonly days: readonly string[];
}

/** What the application has acknowledged, with the time. */
export interface Load {
  readonly receipts: readonly { readonly id: string; readonly at: number }[];
  readonly payments: readonly { readonly id: string; readonly at: number }[];
  /** Requests that failed; allowed while the database is away. */
  readonly failures: readonly { readonly what: string; readonly at: number }[];
  stop(): Promise<void>;
}

/** As a browser or a provider would, before trying again. */
const PAUSE_MS = 100;

export function startLoad(options: LoadOptions): Load {
  const receipts: { id: string; at: number }[] = [];
  const payments: { id: string; at: number }[] = [];
  const failures: { what: string; at: number }[] = [];
  let isEnding = false;

  /** Repeats what fails, until the load ends. */
  async function persist<T>(what: string, attempt: () => Promise<T>): Promise<T | undefined> {
    while (!isEnding) {
      try {
        return await attempt();
      } catch (error) {
        failures.push({ what: `${what}: ${String(error)}`, at: Date.now() });
        await sleep(PAUSE_MS);
      }
    }
    return undefined;
  }

  async function live(name: string, address: string): Promise<void> {
    const person = new Person(options.origin, address);
    await persist("sign in", () => person.signIn(name, options.password));
    for (const day of options.days) {
      const receipt = await persist("receipt", () => person.bill(day));
      // After an answer that was lost it may have been made: then there is nothing left to bill.
      if (receipt === undefined || receipt === "nothing") continue;
      receipts.push({ id: receipt, at: Date.now() });
      const checkout = await persist("checkout", () => person.startPayment(receipt));
      if (checkout === undefined) continue;
      const isHeard = await persist("webhook", () => report(options, receipt, checkout, address));
      if (isHeard === true) payments.push({ id: receipt, at: Date.now() });
      await sleep(PAUSE_MS);
    }
  }

  const work = options.people.map((name, at) => live(name, `10.0.0.${at + 1}`));
  return {
    receipts,
    payments,
    failures,
    async stop() {
      isEnding = true;
      await Promise.all(work);
    },
  };
}

type Checkout = ReadonlyMap<string, string>;

/** What the provider does once it has the money: again and again until somebody says that it was taken. */
async function report(options: LoadOptions, receipt: string, checkout: Checkout, from: string): Promise<true> {
  const body = JSON.stringify({
    event_id: `evt-${receipt}`,
    event_type: "payment.succeeded",
    external_payment_id: checkout.get("external_payment_id"),
    amount_cents: Number(checkout.get("amount_cents")),
    currency: checkout.get("currency"),
  });
  const answer = await fetch(`${options.origin}/payments/webhook`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-dummy-signature": signDummyBody(options.webhookSecret, body), "x-forwarded-for": from }, // prettier-ignore
    body,
    signal: AbortSignal.timeout(20_000),
  });
  const text = await answer.text();
  if (answer.status === 200 && text === '{"status":"ok"}') return true;
  throw new Error(`${answer.status} ${text}`);
}

class Person {
  readonly #origin: string;
  readonly #address: string;
  readonly #cookies = new Map<string, string>();

  constructor(origin: string, address: string) {
    this.#origin = origin;
    this.#address = address;
  }

  async signIn(username: string, password: string): Promise<void> {
    await this.#post("/login", { username, password }, "/login");
  }

  /** The new receipt's id, or `nothing`. */
  async bill(day: string): Promise<string> {
    const to = await this.#post("/me/receipt", { before: day }, "/me");
    const id = /^\/me\/receipts\/(\d+)$/u.exec(to)?.[1];
    if (id !== undefined) return id;
    if (to.includes("notice=nothing")) return "nothing";
    throw new Error(`led to ${to}`);
  }

  async startPayment(receipt: string): Promise<Checkout> {
    const to = await this.#post(`/payments/receipt/${receipt}/start`, {}, "/me");
    const query = new URLSearchParams(to.split("?")[1]);
    if (!to.startsWith("/payments/simulate")) throw new Error(`led to ${to}`);
    return new Map(query);
  }

  /** Where it led to. */
  async #post(path: string, fields: Readonly<Record<string, string>>, page: string): Promise<string> {
    const form = await this.#send(page);
    const token = /name="csrf_token" value="([^"]+)"/u.exec(await form.text())?.[1];
    if (token === undefined) throw new Error(`GET ${page} answered ${form.status} without a form`);
    const answer = await this.#send(path, new URLSearchParams({ ...fields, csrf_token: token }));
    const text = await answer.text();
    if (answer.status !== 302 && answer.status !== 303) throw new Error(`${answer.status} ${text.slice(0, 100)}`);
    return answer.headers.get("location") ?? "";
  }

  async #send(path: string, body?: URLSearchParams): Promise<Response> {
    const answer = await fetch(`${this.#origin}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        accept: "text/html",
        "x-forwarded-for": this.#address,
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; "),
      },
      ...(body !== undefined && { body }),
      redirect: "manual",
      signal: AbortSignal.timeout(20_000),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
      this.#cookies.set(name, value);
    }
    return answer;
  }
}

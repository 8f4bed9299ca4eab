/** Cookies and CSRF tokens, as a browser keeps them. */
import type { Agent } from "node:https";
import { call, type Answer, type CallOptions } from "./client.ts";
import type { Authority } from "./processes.ts";

export class BrowserSession {
  readonly #cookies = new Map<string, string>();
  readonly #ca: Authority;
  readonly #port: number;
  readonly #from: string;
  readonly #agent: Agent | undefined;

  constructor(ca: Authority, port: number, from: string, agent?: Agent) {
    this.#ca = ca;
    this.#port = port;
    this.#from = from;
    this.#agent = agent;
  }

  async get(path: string, options: CallOptions = {}): Promise<Answer> {
    return this.#send(path, options);
  }

  /** Sends a form with the token of `page`, which is asked for first. */
  async post(
    path: string,
    fields: Readonly<Record<string, string>>,
    { page = path, headers = {} }: { readonly page?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Answer> {
    const form = await this.get(page);
    const token = /name="csrf_token" value="([^"]+)"/u.exec(form.body)?.[1];
    if (token === undefined) throw new Error(`GET ${page} answered ${form.status} without a form: ${form.body}`);
    return this.#send(path, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams({ ...fields, csrf_token: token }).toString(),
    });
  }

  signIn(username: string, password: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.post("/login", { username, password }, { headers });
  }

  async #send(path: string, options: CallOptions): Promise<Answer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await call(this.#ca, this.#port, path, {
      from: this.#from,
      ...(this.#agent !== undefined && { agent: this.#agent }),
      ...options,
      headers: { accept: "text/html", ...(cookie !== "" && { cookie }), ...options.headers },
    });
    for (const line of answer.headers["set-cookie"] ?? []) {
      const [pair = ""] = line.split(";");
      const cut = pair.indexOf("=");
      this.#cookies.set(pair.slice(0, cut), pair.slice(cut + 1));
    }
    return answer;
  }
}

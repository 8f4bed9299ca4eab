/** A browser over plain HTTP that shows what it was given to keep. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly tokens = new Set<string>();
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const { status, body } = await this.#send(path, {});
    return { status, body };
  }

  async post(
    path: string,
    fields: Readonly<Record<string, string>>,
    page: string,
  ): Promise<{ readonly status: number; readonly location: string }> {
    const { body } = await this.get(page);
    const token = /name="csrf_token" value="([^"]+)"/u.exec(body)?.[1] ?? "";
    if (token !== "") this.tokens.add(token);
    return this.#send(path, { method: "POST", body: new URLSearchParams({ ...fields, csrf_token: token }) });
  }

  async #send(path: string, init: RequestInit): Promise<{ status: number; body: string; location: string }> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { accept: "text/html", cookie };
    const answer = await fetch(`${this.#base}${path}`, { ...init, headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/u.exec(line) ?? [];
      if (value !== "") this.cookies.set(name, value);
    }
    return { status: answer.status, body: await answer.text(), location: answer.headers.get("location") ?? "" };
  }
}

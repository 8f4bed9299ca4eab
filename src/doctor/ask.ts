import { request as requestPlain } from "node:http";
import { request as requestOverTls } from "node:https";
import { TLSSocket } from "node:tls";
import { messageOf } from "../errors.ts";

const PATIENCE_MS = 5_000;
const MOST_BYTES = 256 * 1024;

export interface Answer {
  readonly status: number;
  /** Every line of a header with this name: a proxy may have added a second one. */
  readonly header: (name: string) => readonly string[];
  readonly body: string;
  /** When the server's certificate ends; null over plain HTTP. */
  readonly certificateEnds: Date | null;
}

/** An answer, or why there is none. */
export type Asked = { readonly answer: Answer } | { readonly problem: string };

/** One question over HTTP, without following redirects: what the first answer says is what is looked at. */
export function ask(
  url: string,
  options: {
    readonly method?: string;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Asked> {
  return new Promise((resolve) => {
    const start = url.startsWith("https:") ? requestOverTls : requestPlain;
    const request = start(url, {
      method: options.method ?? "GET",
      headers: { connection: "close", "user-agent": "hpc-billing doctor", ...options.headers },
      signal: AbortSignal.timeout(PATIENCE_MS),
      agent: false,
    });
    request.on("error", (error) => {
      const isLate = error.name === "TimeoutError" || error.name === "AbortError";
      resolve({ problem: isLate ? "no answer within 5 seconds" : messageOf(error) });
    });
    request.on("response", (response) => {
      const lines = pairs(response.rawHeaders);
      const certificateEnds = endOfCertificate(response.socket);
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        if (body.length < MOST_BYTES) body += text;
      });
      response.on("error", (error) => resolve({ problem: messageOf(error) }));
      response.on("end", () =>
        resolve({
          answer: {
            status: response.statusCode ?? 0,
            header: (name) => lines.filter(([found]) => found === name.toLowerCase()).map(([, value]) => value),
            body,
            certificateEnds,
          },
        }),
      );
    });
    request.end(options.body);
  });
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? ""]] : []));
}

function endOfCertificate(socket: unknown): Date | null {
  if (!(socket instanceof TLSSocket)) return null;
  const { valid_to: end } = socket.getPeerCertificate();
  return end === undefined ? null : new Date(end);
}

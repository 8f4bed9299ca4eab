/** One GET at a time over node's own client: it speaks to unix sockets, takes an own CA and client certificates. */
import http from "node:http";
import https from "node:https";
import type { RestAddress } from "./address.ts";
import type { TlsFiles } from "./credentials.ts";
import { codeOf, StreamProblem } from "./failure.ts";
import type { RestTimeouts } from "./options.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly location: string;
  /** Ends normally only when the answer is complete; to be read or returned. */
  readonly body: AsyncGenerator<Buffer, void>;
}

export interface HttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeouts: RestTimeouts;
  readonly maxBytes: number;
}

/** As many as are asked at once; more would only queue up in slurmdbd. */
const MAX_CONNECTIONS = 8;

/** How long a connection that nothing is asked over is kept for the next request. */
const IDLE_CONNECTION_MS = 5000;

/** Keeps connections open between requests that follow soon; idle ones do not keep the process running. */
export class HttpClient {
  readonly #address: RestAddress;
  readonly #agent: http.Agent;

  constructor(address: RestAddress, tls: TlsFiles) {
    this.#address = address;
    const pool = {
      timeout: IDLE_CONNECTION_MS,
      keepAlive: true,
      maxSockets: MAX_CONNECTIONS,
      maxFreeSockets: MAX_CONNECTIONS,
    };
    this.#agent = address.isTls ? new https.Agent({ ...pool, ...tls }) : new http.Agent(pool);
  }

  /** Keeps no connection from now on; those in use are left to finish. */
  retire(): void {
    this.#agent.maxFreeSockets = 0;
    for (const sockets of Object.values(this.#agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  /** @throws node's own errors, and `StreamProblem` for what is too slow. */
  async get(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await this.#send(request);
    } catch (error) {
      // The server closed a kept connection at the moment it was taken again: nothing was answered, so ask anew.
      if (error instanceof StaleConnection) return await this.#send(request);
      throw error;
    }
  }

  #send(request: HttpRequest): Promise<HttpAnswer> {
    const { host, port, socketPath, isTls, basePath } = this.#address;
    const { connectMs, answerMs } = request.timeouts;
    return new Promise((resolve, reject) => {
      const place = socketPath === null ? { host, port } : { socketPath };
      const outgoing = (isTls ? https : http).request({
        ...place,
        agent: this.#agent,
        path: `${basePath}${request.path}`,
        headers: { accept: "application/json", ...request.headers },
        signal: request.signal,
      });
      const expire = (what: string, ms: number) => (): void => {
        outgoing.destroy(new StreamProblem(`${what} within ${seconds(ms)}`));
      };
      let timer = setTimeout(expire("no connection", connectMs), connectMs);
      const waitForAnswer = (): void => {
        clearTimeout(timer);
        timer = setTimeout(expire("no answer", answerMs), answerMs);
      };
      outgoing.once("socket", (socket) => {
        if (outgoing.reusedSocket) waitForAnswer();
        else socket.once(isTls ? "secureConnect" : "connect", waitForAnswer);
      });
      outgoing.once("response", (incoming) => {
        clearTimeout(timer);
        resolve({
          status: incoming.statusCode ?? 0,
          contentType: incoming.headers["content-type"] ?? "",
          location: incoming.headers.location ?? "",
          body: readBody(incoming, request),
        });
      });
      outgoing.once("error", (error) => {
        clearTimeout(timer);
        const isStale = outgoing.reusedSocket && ["ECONNRESET", "EPIPE"].includes(codeOf(error));
        reject(isStale ? new StaleConnection() : error);
      });
      outgoing.end();
    });
  }
}

class StaleConnection extends Error {}

async function* readBody(incoming: http.IncomingMessage, request: HttpRequest): AsyncGenerator<Buffer, void> {
  const { idleMs } = request.timeouts;
  const pieces: AsyncIterator<unknown> = incoming[Symbol.asyncIterator]();
  let bytes = 0;
  try {
    for (;;) {
      const timer = setTimeout(() => {
        incoming.destroy(new StreamProblem(`the answer stood still for ${seconds(idleMs)} after ${bytes} bytes`));
      }, idleMs);
      const next = await pieces.next().finally(() => {
        clearTimeout(timer);
      });
      if (next.done === true) return;
      if (!(next.value instanceof Buffer)) throw new StreamProblem("the answer is not made of bytes");
      bytes += next.value.length;
      if (bytes > request.maxBytes) {
        throw new StreamProblem(`the answer is larger than ${request.maxBytes} bytes: a shorter window is needed`);
      }
      yield next.value;
    }
  } catch (error) {
    if (codeOf(error) === "ECONNRESET") throw new StreamProblem(`the answer was cut after ${bytes} bytes`);
    throw error;
  } finally {
    incoming.destroy();
  }
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

/** Something between us and slurmrestd that lets answers through, and whose behaviour a test can spoil. */
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { onTestFinished } from "vitest";
import { REST_URL } from "./real-cluster.ts";

export type Fault = (request: http.IncomingMessage, answer: http.ServerResponse, real: Buffer) => void | Promise<void>;

export interface Middleman {
  readonly url: string;
  /** What happens instead of handing on an answer about jobs; null: nothing, the answer goes through. */
  fault: Fault | null;
  /** Runs before a question about jobs is asked of the real server. */
  before: (() => void | Promise<void>) | null;
}

/** Serves until the test is over. */
export async function middleman(tls?: https.ServerOptions): Promise<Middleman> {
  const listener = (request: http.IncomingMessage, answer: http.ServerResponse): void => {
    void handle(request, answer).catch(() => answer.destroy());
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const self: Middleman = {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    fault: null,
    before: null,
  };
  async function handle(request: http.IncomingMessage, answer: http.ServerResponse): Promise<void> {
    const isAboutJobs = /^\/slurmdb\/v[\d.]+\/jobs/u.test(request.url ?? "");
    if (isAboutJobs) await self.before?.();
    const { status, body, type } = await ask(request);
    if (isAboutJobs && self.fault !== null) return self.fault(request, answer, body);
    answer.writeHead(status, { "content-type": type, "content-length": body.length });
    answer.end(body);
  }
  return self;
}

async function ask(request: http.IncomingMessage): Promise<{ status: number; body: Buffer; type: string }> {
  const { host: _host, connection: _connection, ...headers } = request.headers;
  const onward = http.request(`${REST_URL}${request.url ?? ""}`, { headers });
  onward.end();
  const answered: Promise<[http.IncomingMessage]> = new Promise((resolve, reject) => {
    onward.once("response", (message) => resolve([message]));
    onward.once("error", reject);
  });
  const [message] = await answered;
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(Buffer.from(part));
  return {
    status: message.statusCode ?? 502,
    body: Buffer.concat(parts),
    type: message.headers["content-type"] ?? "application/json",
  };
}

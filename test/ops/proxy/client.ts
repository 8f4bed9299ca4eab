/** Requests to a proxy as a browser somewhere else would send them. */
import { once } from "node:events";
import { request, type Agent } from "node:https";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { connect as connectPlain } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { SITE, type Authority } from "./processes.ts";

export interface CallOptions {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** An address of 127.0.0.0/8: every client has one of its own. */
  readonly from?: string;
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
  /** How often a header was sent; and all its values. */
  values(name: string): string[];
}

/** Sends a request to the site on that port of this machine, and reads the whole answer. */
export async function call(ca: Authority, port: number, path: string, options: CallOptions = {}): Promise<Answer> {
  const message = await open(ca, port, path, options);
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return {
    status: message.statusCode ?? 0,
    body: Buffer.concat(chunks).toString(),
    headers: message.headers,
    values: (name) => valuesOf(message.rawHeaders, name),
  };
}

/** The same, as soon as the answer begins; its body is the caller's to read. */
export function open(
  ca: Authority,
  port: number,
  path: string,
  { method = "GET", headers = {}, body, from = "127.0.0.1", agent }: CallOptions = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const out = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        ca: ca.pem,
        servername: SITE,
        localAddress: from,
        headers: { host: SITE, ...headers, ...(body !== undefined && { "content-length": Buffer.byteLength(body) }) },
        agent: agent ?? false,
      },
      resolve,
    );
    out.once("error", reject);
    out.end(body);
  });
}

/** A TLS connection on which the test writes what it likes. */
export async function rawConnection(ca: Authority, port: number, from = "127.0.0.1"): Promise<TLSSocket> {
  const plain = connectPlain({ host: "127.0.0.1", port, localAddress: from });
  const socket = connect({ socket: plain, ca: ca.pem, servername: SITE, ALPNProtocols: ["http/1.1"] });
  await once(socket, "secureConnect");
  return socket;
}

function valuesOf(raw: readonly string[], name: string): string[] {
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);
}

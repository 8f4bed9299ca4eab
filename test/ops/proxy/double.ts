/** A process behind the proxy that shows what reached it, for what a real one would not show. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface Double {
  /** `METHOD /path` of all that came, probes left out. */
  readonly seen: string[];
  /** Says 503 to the readiness probe, as a process that leaves does, and answers everything else. */
  isLeaving: boolean;
  /** Connections that were opened to it. */
  connections(): number;
  /** Lets the answers that wait go on. */
  release(): void;
  close(): Promise<void>;
}

const CHUNK = Buffer.alloc(64 * 1024, "a,b,c,d,e,f,g\n");
export const BIG_BYTES = 192 * 1024 * 1024;

export async function startDouble(port: number): Promise<Double> {
  let connections = 0;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const double: Double = {
    seen: [],
    isLeaving: false,
    connections: () => connections,
    release: () => release(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  server.on("connection", () => (connections += 1));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return double;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split("?")[0] ?? "";
    if (path === "/readyz") return void response.writeHead(double.isLeaving ? 503 : 200).end("{}");
    double.seen.push(`${request.method ?? ""} ${path}`);
    for await (const _chunk of request) void _chunk;
    if (path === "/die") return void request.socket.destroy();
    if (path === "/busy") return void response.writeHead(503).end("busy");
    if (path === "/steps.csv") {
      response.writeHead(200, { "content-type": "text/csv" }).write("first\n");
      await released;
      return void response.end("last\n");
    }
    if (path === "/big.csv") return sendMuch(response);
    response
      .writeHead(200, { "content-type": "application/json", "x-port": port })
      .end(JSON.stringify(request.headers));
  }
}

async function sendMuch(response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "text/csv" });
  for (let sent = 0; sent < BIG_BYTES && !response.destroyed; sent += CHUNK.length) {
    // Whoever reads went away: the promise is never settled, and collected with the response.
    if (!response.write(CHUNK)) await new Promise((resolve) => response.once("drain", resolve));
  }
  response.end();
}

/** What the application talks to: each repeats in its errors the secret that it was sent. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect, createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";
import { join } from "node:path";

/** Stripe, Omise and slurmrestd in one, none of which is content with what it is asked. */
export async function startEchoes(port: number): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    request.once("end", () => {
      response.writeHead(request.headers["x-slurm-user-token"] === undefined ? 401 : 500, {
        "content-type": "application/json",
      });
      response.end(JSON.stringify(refusalOf(request)));
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function refusalOf({ headers, url }: IncomingMessage): unknown {
  const token = headers["x-slurm-user-token"];
  if (token !== undefined) {
    return {
      errors: [{ error: `cannot decode ${String(token)}`, description: JSON.stringify(headers), error_number: 5 }],
    };
  }
  const given = headers.authorization ?? "";
  const inBasic = Buffer.from(given.replace(/^Basic /u, ""), "base64").toString("utf8");
  const message = `${url ?? ""}: the key ${given} (${inBasic}) is not known; ${encodeURIComponent(inBasic)}`;
  const isOmise = headers["omise-version"] !== undefined;
  return isOmise
    ? { object: "error", code: "authentication_failure", message }
    : { error: { type: "invalid_request_error", code: "api_key_expired", message } };
}

/** A module for `node --import` that leads what is meant for providers to the echoes. */
export function writeDetour(folder: string, port: number): string {
  const path = join(folder, "detour.mjs");
  writeFileSync(
    path,
    `import http from "node:http";
import https from "node:https";
import { syncBuiltinESMExports } from "node:module";
const fetchThere = globalThis.fetch;
globalThis.fetch = (input, init) =>
  fetchThere(String(input).replace("https://api.omise.co", "http://127.0.0.1:${port}"), init);
https.request = (options, ...rest) => {
  const request = http.request({ ...options, protocol: "http:", host: "127.0.0.1", port: ${port}, agent: undefined }, ...rest);
  // Stripe's client sends when the connection is secure.
  request.once("socket", (socket) => socket.once("connect", () => socket.emit("secureConnect")));
  return request;
};
syncBuiltinESMExports();
`,
  );
  return path;
}

/** Passes everything on, refuses the password, repeats it in its refusal, or lets nobody in. */
type DoorMode = "open" | "refuses" | "repeats" | "closed";

export interface DatabaseDoor {
  set(mode: DoorMode): void;
  close(): Promise<void>;
}

/** Stands in front of PostgreSQL's socket, so that the application connects over TCP with a password. */
export async function openDatabaseDoor(port: number, socketPath: string): Promise<DatabaseDoor> {
  let mode: DoorMode = "open";
  const sockets = new Set<Socket>();
  const server: TcpServer = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
    if (mode === "closed") socket.destroy();
    else if (mode === "open") passOn(socket, socketPath);
    else refusePassword(socket, mode);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    set(next) {
      mode = next;
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function passOn(socket: Socket, socketPath: string): void {
  const behind = connect(socketPath);
  behind.on("error", () => socket.destroy()).once("close", () => socket.destroy());
  socket.once("close", () => behind.destroy());
  socket.pipe(behind).pipe(socket);
}

/** Asks for the password in clear text, and does not take it (PostgreSQL, "Message Formats"). */
function refusePassword(socket: Socket, mode: "refuses" | "repeats"): void {
  socket.once("data", () => {
    socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
    socket.once("data", (password: Buffer) => {
      const given = mode === "repeats" ? ` by ${password.subarray(5, -1).toString("utf8")}` : "";
      const fields = Buffer.from(`SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed${given}\0\0`);
      const head = Buffer.alloc(5);
      head.write("E");
      head.writeInt32BE(fields.length + 4, 1);
      socket.end(Buffer.concat([head, fields]));
    });
  });
}

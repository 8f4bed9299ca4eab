/** What each proxy does with requests when clients are slow and processes leave; two doubles show what reaches them. */
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../support/until.ts";
import { call, open, rawConnection, type CallOptions } from "./client.ts";
import { BIG_BYTES, startDouble, type Double } from "./double.ts";
import { openWorkplace, SITE, type Workplace } from "./processes.ts";
import { startProxy, type Kind, type Proxy } from "./proxies.ts";

const PORTS = {
  nginx: { https: 27_445, http: 27_082, status: 27_091, upstreams: [27_011, 27_012] },
  caddy: { https: 27_446, http: 27_083, status: 0, upstreams: [27_013, 27_014] },
} as const;

/** Memory of all processes of a proxy while it carries a file of 192 MiB to somebody slow. */
const MEMORY_BUDGET_MIB = { nginx: 40, caddy: 120 } as const;

const MIB = 1024 * 1024;

let place: Workplace;

beforeAll(async () => {
  place = await openWorkplace();
});

afterAll(() => place.close());

describe.each<Kind>(["nginx", "caddy"])("%s", (kind) => {
  const ports = PORTS[kind];
  let one: Double;
  let two: Double;
  let proxy: Proxy;

  beforeEach(async () => {
    [one, two] = [await startDouble(ports.upstreams[0]), await startDouble(ports.upstreams[1])];
    proxy = await startProxy(place, kind, `${kind}-${Date.now()}`, ports);
    one.seen.length = 0;
    two.seen.length = 0;
  });

  afterEach(async () => {
    await proxy.started.stop();
    await Promise.all([one.close(), two.close()]);
  });

  const send = (path: string, options: CallOptions = {}) => call(place.ca, ports.https, path, options);
  const seen = (): string[] => [...one.seen, ...two.seen];

  it("replaces what a client says about itself", async () => {
    const answer = await send("/echo", {
      from: "127.0.7.7",
      headers: {
        "x-forwarded-for": "9.9.9.9, 8.8.8.8",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "evil.example",
        "x-real-ip": "9.9.9.9",
        forwarded: "for=9.9.9.9;proto=http;host=evil.example",
        "x-request-id": "mine",
      },
    });
    const headers: unknown = JSON.parse(answer.body);
    expect(headers).toMatchObject({
      host: SITE,
      "x-forwarded-for": "127.0.7.7",
      "x-forwarded-proto": "https",
      "x-forwarded-host": SITE,
      "x-real-ip": "127.0.7.7",
      "x-request-id": expect.stringMatching(/^[0-9a-f-]{32,36}$/u),
    });
    expect(headers).not.toHaveProperty("forwarded");
  });

  it("keeps connections to the processes", async () => {
    for (let i = 0; i < 40; i += 1) expect((await send("/echo")).status).toBe(200);
    expect(one.connections() + two.connections()).toBeLessThanOrEqual(kind === "nginx" ? 6 : 20);
    expect(one.seen.length).toBeGreaterThan(10);
    expect(two.seen.length).toBeGreaterThan(10);
  });

  it("asks again elsewhere what may be asked again, and never sends a POST twice", async () => {
    expect((await send("/die", { method: "POST", body: "receipt" })).status).toBe(502);
    expect(seen()).toEqual(["POST /die"]);
    await send("/die");
    const again = seen().filter((one) => one === "GET /die").length;
    expect(again).toBeGreaterThanOrEqual(2);
    expect(again).toBeLessThanOrEqual(kind === "nginx" ? 2 : 6);
  });

  it("passes on a 503 instead of trying again", async () => {
    expect((await send("/busy", { method: "POST", body: "x" })).status).toBe(503);
    expect((await send("/busy")).status).toBe(503);
    expect(seen()).toEqual(expect.arrayContaining(["POST /busy", "GET /busy"]));
    expect(seen()).toHaveLength(2);
  });

  it("sends nothing new to a process that says it leaves, and comes back to it", async () => {
    one.isLeaving = true;
    if (kind === "nginx") {
      for (let i = 0; i < 6; i += 1) await fetch(`http://127.0.0.1:${ports.status}/readyz`);
    } else {
      await sleep(1_500);
    }
    for (let i = 0; i < 20; i += 1) expect((await send("/echo", { method: "POST", body: "x" })).status).toBe(200);
    expect(one.seen).toEqual([]);
    expect(two.seen).toHaveLength(20);

    one.isLeaving = false;
    await until("the first is asked again", async () => (await send("/echo")).headers["x-port"] === String(ports.upstreams[0])); // prettier-ignore
  });

  it("does without a process that is gone, also for a POST", async () => {
    await one.close();
    // Its 2.6 cannot send a body again that never left; it has to notice first.
    if (kind === "caddy") await sleep(1_000);
    for (let i = 0; i < 20; i += 1) expect((await send("/echo", { method: "POST", body: "x" })).status).toBe(200);
    expect(two.seen).toHaveLength(20);
    one = await startDouble(ports.upstreams[0]);
  });

  it("says that the service is away when all are gone", async () => {
    await Promise.all([one.close(), two.close()]);
    const answer = await send("/echo");
    expect(answer.status).toBeGreaterThanOrEqual(502);
    expect(answer.values("x-frame-options")).toEqual(["DENY"]);
    one = await startDouble(ports.upstreams[0]);
    two = await startDouble(ports.upstreams[1]);
  });

  it("hands out the first rows of a file before the last are there", async () => {
    const message = await open(place.ca, ports.https, "/steps.csv");
    const [first] = await once(message, "data");
    expect(String(first)).toBe("first\n");
    one.release();
    two.release();
    const [last] = await once(message, "data");
    expect(String(last)).toBe("last\n");
  });

  it("carries a large file to a slow reader in little memory and without a copy on the disk", async () => {
    const message = await open(place.ca, ports.https, "/big.csv");
    let received = 0;
    let looked = 0;
    let most = 0;
    for await (const chunk of message) {
      received += Buffer.from(chunk).length;
      if (received - looked < 8 * MIB) continue;
      looked = received;
      await sleep(100);
      most = Math.max(most, memoryMib(proxy.started.child.pid ?? 0));
    }
    expect(received).toBe(BIG_BYTES);
    process.stdout.write(`${kind}: ${Math.round(most)} MiB at most while it carried 192 MiB\n`);
    expect(most).toBeLessThan(MEMORY_BUDGET_MIB[kind]);
    if (kind === "nginx") expect(readdirSync(join(proxy.folder, "proxy"))).toEqual([]);
  });

  describe("slow clients", () => {
    it("are cut off while they send headers, and cost the application nothing", async () => {
      const started = Date.now();
      const sockets = await Promise.all(Array.from({ length: 30 }, () => rawConnection(place.ca, ports.https)));
      const closed = sockets.map(closeOf);
      for (const socket of sockets) socket.write(`GET /echo HTTP/1.1\r\nHost: ${SITE}\r\n`);
      const drip = setInterval(() => {
        for (const socket of sockets) if (socket.writable) socket.write("X-A: b\r\n");
      }, 1_000);
      // Others are served meanwhile.
      expect((await send("/echo")).status).toBe(200);
      await Promise.all(closed);
      clearInterval(drip);
      expect(Date.now() - started).toBeLessThan(20_000);
      expect(seen()).toEqual(["GET /echo"]);
    });

    it("are cut off when their body does not come", async () => {
      const started = Date.now();
      const socket = await rawConnection(place.ca, ports.https);
      const closed = closeOf(socket);
      socket.write(`POST /echo HTTP/1.1\r\nHost: ${SITE}\r\nContent-Length: 1000\r\n\r\nonly this`);
      await closed;
      expect(Date.now() - started).toBeLessThan(30_000);
      // nginx hands over complete bodies only.
      if (kind === "nginx") expect(seen()).toEqual([]);
    });
  });
});

/** Settles when the other side has ended the connection, however it did. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket
      .on("error", () => undefined)
      .on("close", () => resolve())
      .resume();
  });
}

/** Resident memory that a process and its children do not share with others. */
function memoryMib(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  return [String(pid), ...children]
    .map((one) => Number(/^Pss:\s+(\d+)/mu.exec(readFileSync(`/proc/${one}/smaps_rollup`, "utf8"))?.[1] ?? 0) / 1024)
    .reduce((sum, mib) => sum + mib, 0);
}

/** A slurmrestd of the test: a real HTTP server on loopback that answers what the test says. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { SlurmrestdOptions } from "../../src/slurm/rest/options.ts";
import { slurmrestdSource } from "../../src/slurm/rest/slurmrestd-source.ts";
import type { DumpBatch } from "../../src/slurm/sacct-reader.ts";
import type { ReadOptions, SlurmSource } from "../../src/slurm/source.ts";

export const DATA = join(import.meta.dirname, "../data");
export const TLS = join(DATA, "tls");

export type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

export interface TestServer {
  readonly url: string;
  /** Method-less: every path that was asked for, with its query, in order. */
  readonly asked: string[];
}

/** Serves until the test is over; on a unix socket, with TLS, or on a port of 127.0.0.1. */
export async function serve(
  handler: Handler,
  options: { socketPath?: string; tls?: https.ServerOptions } = {},
): Promise<TestServer> {
  const asked: string[] = [];
  const listener: Handler = (request, response) => {
    asked.push(request.url ?? "");
    handler(request, response);
  };
  const server = options.tls === undefined ? http.createServer(listener) : https.createServer(options.tls, listener);
  if (options.socketPath === undefined) server.listen(0, "127.0.0.1");
  else server.listen(options.socketPath);
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  if (options.socketPath !== undefined) return { url: `unix:${options.socketPath}`, asked };
  const { port } = portOf(server.address());
  return { url: `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`, asked };
}

function portOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address;
}

/** Answers with JSON. */
export function send(response: http.ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

/** Answers each path (without its query) with JSON; others are not known. */
export function routes(answers: Readonly<Record<string, unknown>>): Handler {
  return (request, response) => {
    const answer = answers[(request.url ?? "").split("?", 1)[0] ?? ""];
    if (answer === undefined)
      response.writeHead(404, { "content-type": "text/plain" }).end("Unable find requested URL.");
    else send(response, answer);
  };
}

/** What slurmrestd says of the versions it speaks. */
export function openApi(...versions: readonly number[]): unknown {
  return { paths: Object.fromEntries(versions.map((version) => [`/slurmdb/v0.0.${version}/jobs/`, {}])) };
}

export function tlsFile(name: string): Buffer {
  return readFileSync(join(TLS, name));
}

/** A source with the given options; nothing else is set. */
export function source(options: Partial<SlurmrestdOptions> & { url: string }): SlurmSource {
  return slurmrestdSource({
    user: "billing",
    token: { kind: "value", value: "good-token" },
    version: null,
    caPath: null,
    clientCertPath: null,
    clientKeyPath: null,
    cluster: null,
    ...options,
  });
}

export const never = (): AbortSignal => new AbortController().signal;

export function reading(options: Partial<ReadOptions> = {}): ReadOptions {
  return { signal: never(), jobsPerBatch: 1000, ...options };
}

/** All of an iteration, as one. */
export async function gather(batches: AsyncIterable<DumpBatch>): Promise<Pick<DumpBatch, "records" | "rejects">> {
  const all: DumpBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return { records: all.flatMap(({ records }) => records), rejects: all.flatMap(({ rejects }) => rejects) };
}

/** What an iteration gave before it failed, and how it failed. */
export async function gatherUntilFailure(batches: AsyncIterable<DumpBatch>): Promise<{ jobs: number; error: unknown }> {
  let jobs = 0;
  try {
    for await (const batch of batches) jobs += batch.records.length;
  } catch (error) {
    return { jobs, error };
  }
  throw new Error(`it ended well, after ${jobs} jobs`);
}

const T0 = 1_790_000_000;

/** A finished job as v0.0.40 and later tell it; the overrides replace whole fields. */
export function aRestJob(id: number, overrides: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    job_id: id,
    cluster: "alpha",
    user: "alice",
    account: "physics",
    partition: "cpu",
    qos: "normal",
    name: "wrf",
    nodes: "n[1-2]",
    comment: { administrator: "", job: "a comment", system: "" },
    array: { job_id: 0, task: "", task_id: { set: false, infinite: false, number: 0 } },
    het: { job_id: 0, job_offset: { set: false, infinite: false, number: 0 } },
    allocation_nodes: 2,
    state: { current: ["COMPLETED"], reason: "None" },
    exit_code: {
      status: ["SUCCESS"],
      return_code: { set: true, infinite: false, number: 0 },
      signal: { id: { set: false, infinite: false, number: 0 }, name: "" },
    },
    time: {
      elapsed: 100,
      submission: T0,
      eligible: T0,
      start: T0 + 50,
      end: T0 + 150,
      total: { seconds: 0, microseconds: 0 },
    },
    tres: {
      allocated: [
        { type: "cpu", name: "", id: 1, count: 8 },
        { type: "mem", name: "", id: 2, count: 4096 },
        { type: "energy", name: "", id: 3, count: -2 },
        { type: "node", name: "", id: 4, count: 2 },
        { type: "billing", name: "", id: 5, count: 20 },
        { type: "gres", name: "gpu", id: 1001, count: 2 },
        { type: "gres", name: "gpu:a100", id: 1002, count: 2 },
      ],
      requested: [],
    },
    steps: [],
    ...overrides,
  };
}

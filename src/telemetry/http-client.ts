/** Spans of what we ask over HTTP (payment providers, slurmrestd), from what node itself tells about it. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { OpenSpan, Tracing } from "./tracing.ts";

interface Question {
  readonly method: string;
  readonly host: string;
  /** May have a query; it is left out. */
  readonly path: string;
}

/**
 * Begins to watch node's `http` and `fetch` (node: "Diagnostics Channel", built-in channels; undici: the same).
 *
 * @param ignoredHost where traces are sent to: sending one must not make one.
 * @returns what ends it.
 */
export function watchHttpClients(tracing: Tracing, ignoredHost: string): () => void {
  const open = new WeakMap<object, OpenSpan>();
  const begin = (request: object, question: Question | undefined): void => {
    if (question === undefined || question.host === ignoredHost) return;
    const span = tracing.startWithin(question.method, {
      kind: "client",
      attributes: {
        "http.request.method": question.method,
        "server.address": question.host,
        "url.path": question.path.split("?", 1)[0] ?? "",
      },
    });
    if (span !== undefined) open.set(request, span);
  };
  const end = (request: object, { status, error }: { readonly status?: number; readonly error?: unknown }): void => {
    const span = open.get(request);
    if (span === undefined) return;
    open.delete(request);
    if (status !== undefined) span.set({ "http.response.status_code": status });
    if (error !== undefined) span.fail(error);
    else if (status !== undefined && status >= 400) span.set({ "error.type": String(status) });
    span.end();
  };
  const listeners: readonly (readonly [string, (request: object, message: object) => void])[] = [
    ["http.client.request.start", (request) => begin(request, nodeQuestion(request))],
    ["http.client.response.finish", (request, message) => end(request, { status: statusOf(message) })],
    ["http.client.request.error", (request, message) => end(request, { error: valueOf(message, "error") })],
    ["undici:request:create", (request) => begin(request, undiciQuestion(request))],
    ["undici:request:headers", (request, message) => end(request, { status: statusOf(message) })],
    ["undici:request:error", (request, message) => end(request, { error: valueOf(message, "error") })],
  ];
  const subscriptions = listeners.map(([channel, listen]) => {
    const onMessage = (message: unknown): void => {
      const request = valueOf(message, "request");
      if (isObject(message) && isObject(request)) listen(request, message);
    };
    subscribe(channel, onMessage);
    return () => unsubscribe(channel, onMessage);
  });
  return () => {
    for (const stop of subscriptions) stop();
  };
}

function nodeQuestion(request: object): Question | undefined {
  const [method, path] = [valueOf(request, "method"), valueOf(request, "path")];
  if (typeof method !== "string" || typeof path !== "string") return undefined;
  const header: unknown =
    "getHeader" in request && typeof request.getHeader === "function" ? request.getHeader("host") : "";
  return { method, path, host: String(header) };
}

function undiciQuestion(request: object): Question | undefined {
  const [method, path, origin] = [
    valueOf(request, "method"),
    valueOf(request, "path"),
    String(valueOf(request, "origin")),
  ];
  if (typeof method !== "string" || typeof path !== "string") return undefined;
  return { method, path, host: URL.canParse(origin) ? new URL(origin).host : origin };
}

function statusOf(message: object): number {
  const status = valueOf(valueOf(message, "response"), "statusCode");
  return typeof status === "number" ? status : 0;
}

function valueOf(value: unknown, name: string): unknown {
  return isObject(value) ? Reflect.get(value, name) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Spans of the requests that are served, from what node and Fastify tell about them. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { IncomingMessage, ServerResponse } from "node:http";
import type { OpenSpan } from "./tracing.ts";

/** Probes and files would drown the rest. */
const QUIET = /^\/(?:healthz|readyz|metrics|assets\/.*)(?:\?|$)/u;

export interface ServerSpans {
  /** Begins a span that everything which follows in this request is a part of. */
  enter(request: IncomingMessage, name: string): OpenSpan;
}

/** @returns what ends it. */
export function watchHttpServer(spans: ServerSpans): () => void {
  const open = new WeakMap<IncomingMessage, OpenSpan>();
  const onStart = (message: unknown): void => {
    const request = requestOf(message);
    if (request === undefined || QUIET.test(request.url ?? "")) return;
    const method = request.method ?? "GET";
    const span = spans.enter(request, method);
    span.set({ "http.request.method": method });
    open.set(request, span);
    const response = responseOf(message);
    // `close` comes for every answer, also for one that was broken off.
    response?.once("close", () => {
      span.set({ "http.response.status_code": response.statusCode });
      if (response.statusCode >= 500) span.fail(new Error("answered with an error"));
      if (!response.writableFinished) span.set({ "error.type": "broken off" });
      span.end();
    });
  };
  const onRoute = (message: unknown): void => {
    const [raw, url] = routeOf(message);
    const span = raw === undefined ? undefined : open.get(raw);
    if (span === undefined || raw === undefined || url === undefined) return;
    span.rename(`${raw.method ?? "GET"} ${url}`);
    span.set({ "http.route": url });
  };
  subscribe("http.server.request.start", onStart);
  subscribe("tracing:fastify.request.handler:start", onRoute);
  return () => {
    unsubscribe("http.server.request.start", onStart);
    unsubscribe("tracing:fastify.request.handler:start", onRoute);
  };
}

function requestOf(message: unknown): IncomingMessage | undefined {
  const found = typeof message === "object" && message !== null && "request" in message ? message.request : undefined;
  return found instanceof IncomingMessage ? found : undefined;
}

function responseOf(message: unknown): ServerResponse | undefined {
  const found = typeof message === "object" && message !== null && "response" in message ? message.response : undefined;
  return found instanceof ServerResponse ? found : undefined;
}

/** Fastify's message: its request, and the pattern of the route. */
function routeOf(message: unknown): readonly [IncomingMessage | undefined, string | undefined] {
  if (typeof message !== "object" || message === null || !("request" in message)) return [undefined, undefined];
  const { request } = message;
  const raw = typeof request === "object" && request !== null && "raw" in request ? request.raw : undefined;
  const route = "route" in message ? message.route : undefined;
  const url = typeof route === "object" && route !== null && "url" in route ? route.url : undefined;
  return [raw instanceof IncomingMessage ? raw : undefined, typeof url === "string" ? url : undefined];
}

import { randomUUID } from "node:crypto";
import { LogController, type FastifyReply, type FastifyRequest, type RawRequestDefaultExpression } from "fastify";
import type { App } from "./context.ts";

const HEADER = "x-request-id";
/** What a proxy in front may hand us as the id; anything else could write into our log. */
const SANE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/u;

/** Probes and files would drown the rest. */
const QUIET = /^\/(?:healthz|readyz|metrics|assets\/.*)$/u;

export function requestIdOf(raw: RawRequestDefaultExpression): string {
  const given = raw.headers[HEADER];
  return typeof given === "string" && SANE.test(given) ? given : randomUUID();
}

/** Every answer carries the id under which the log has its request. */
export function returnRequestIds(app: App): void {
  app.addHook("onRequest", (request, reply, done) => {
    reply.header(HEADER, request.id);
    done();
  });
}

/** One line per request, without its query, headers and body: they carry tokens and names. */
export class RequestLog extends LogController {
  constructor() {
    super({ requestIdLogLabel: "requestId" });
  }

  override incomingRequest(): void {}

  override routeNotFound(): void {}

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const path = request.url.split("?")[0] ?? "";
    const line = {
      method: request.method,
      path,
      route: request.routeOptions.url,
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
      ip: request.ip,
      user: request.visitor?.user.username,
    };
    if (error) request.log.warn({ ...line, err: error }, "request broken off");
    else if (QUIET.test(path)) request.log.debug(line, "request");
    else request.log.info(line, "request");
  }

  override streamError(error: Error, request: FastifyRequest): void {
    // Whoever asked went away: nothing failed.
    if ("code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE")
      request.log.info("the client closed the connection");
    else request.log.error({ err: error }, "the answer broke off in the middle");
  }

  override writeHeadError(error: Error, request: FastifyRequest): void {
    request.log.error({ err: error }, "the answer's headers could not be sent");
  }
}

import type { FastifyRequest } from "fastify";
import type { App } from "./context.ts";

/** No inline script or style anywhere, nothing from elsewhere, in nobody's frame. */
const CONTENT_SECURITY_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'";
const YEAR_SECONDS = 365 * 24 * 3_600;

/** The app sets them itself, so that they hold without a proxy in front. */
export function securityHeaders(request: FastifyRequest): Readonly<Record<string, string>> {
  return {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    ...(request.protocol === "https" && { "strict-transport-security": `max-age=${YEAR_SECONDS}; includeSubDomains` }),
  };
}

/** On every answer, errors and files included. What does not say how long it keeps is not kept: pages hold people's data. */
export function secureAnswers(app: App): void {
  app.addHook("onSend", (request, reply, payload, done) => {
    reply.headers(securityHeaders(request));
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
    done(null, payload);
  });
}

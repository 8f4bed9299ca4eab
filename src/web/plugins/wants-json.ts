import type { FastifyRequest } from "fastify";

/** Whether errors should be JSON: the route says so, or the client sends or asks for JSON, or a script calls. */
export function wantsJson(request: FastifyRequest): boolean {
  if (request.routeOptions.config?.errors === "json") return true;
  if (request.headers["x-requested-with"] !== undefined) return true;
  if (isJson(request.headers["content-type"])) return true;
  const { accept = "" } = request.headers;
  if (accept.includes("text/html")) return false;
  return isJson(accept) || (request.url.split("?")[0] ?? "").endsWith(".json");
}

function isJson(header: string | undefined): boolean {
  return header !== undefined && /\bapplication\/(?:[\w.-]+\+)?json\b/iu.test(header);
}

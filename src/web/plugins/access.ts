/** Who may call what. Deny by default: a route that does not say stops the server from starting. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { MessageError } from "./message-error.ts";
import { findSession } from "../../identity/index.ts";
import { SESSION_COOKIE } from "./cookies.ts";
import type { App, WebContext } from "./context.ts";
import { wantsJson } from "./wants-json.ts";

export function controlAccess(app: App, { db, clock }: Pick<WebContext, "db" | "clock">): void {
  app.decorateRequest("visitor", null);
  app.addHook("onRoute", (route) => {
    if (route.config?.access === undefined) {
      throw new Error(
        `route ${[route.method].flat().join(",")} ${route.url} does not say who may call it: give it config.access`,
      );
    }
  });
  app.addHook("onRequest", async (request, reply) => {
    const { access, stateless } = request.routeOptions.config;
    if (stateless === true || access === "provider" || access === "private") return;
    const token = request.cookies[SESSION_COOKIE];
    if (token !== undefined) request.visitor = await findSession(db, clock, token);
    // What does not exist is public.
    if (access !== undefined && access !== "public") return admit(request, reply, access);
  });
}

function admit(request: FastifyRequest, reply: FastifyReply, access: "user" | "admin"): FastifyReply | undefined {
  if (request.visitor === null) {
    const isPageView = (request.method === "GET" || request.method === "HEAD") && !wantsJson(request);
    if (isPageView) return reply.redirect(`/login?next=${encodeURIComponent(request.url)}`);
    throw new MessageError("error.text.signIn", { status: 401 });
  }
  if (access === "admin" && request.visitor.user.role !== "admin") {
    throw new MessageError("error.text.adminOnly", { status: 403 });
  }
  return undefined;
}

import type { FastifyReply } from "fastify";
import type { VNode } from "preact";
import { renderPage as pageText } from "../pages/layout.tsx";

/** Sends a page. The status is the reply's: `renderPage(reply.code(404), <NotFound … />)`. */
export function renderPage(reply: FastifyReply, page: VNode): FastifyReply {
  return reply.type("text/html; charset=utf-8").send(pageText(page));
}

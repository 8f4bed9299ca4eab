import type { FastifyReply, FastifyRequest } from "fastify";
import { ErrorPage } from "../pages/error.tsx";
import type { App } from "./context.ts";
import { answerTo, jsonOf, sentenceOf, type ErrorAnswer } from "./error-answer.ts";
import { MessageError } from "./message-error.ts";
import { renderPage } from "./render.ts";
import { pageFrame } from "./visitor.ts";
import { wantsJson } from "./wants-json.ts";

/** Every error becomes an answer in the client's terms; what it was in ours goes to the log with the request id. */
export function answerErrors(app: App): void {
  app.setErrorHandler((error, request, reply) => {
    const answer = answerTo(error);
    if (answer.status >= 500) request.log.error({ err: error }, "the request failed");
    else request.log.debug({ err: error }, "the request was refused");
    return sendError(request, reply, answer);
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, () => {
    throw new MessageError("error.text.notFound", { status: 404 });
  });
}

function sendError(request: FastifyRequest, reply: FastifyReply, answer: ErrorAnswer): FastifyReply {
  // What a handler had prepared for its own answer says nothing about this one.
  for (const header of ["content-type", "content-disposition", "cache-control", "etag", "last-modified"])
    reply.removeHeader(header);
  reply.code(answer.status);
  if (answer.status === 503) reply.header("retry-after", "60");
  if (wantsJson(request))
    return reply.type("application/json; charset=utf-8").serializer(JSON.stringify).send(jsonOf(answer));
  const frame = pageFrame(request);
  const requestId = answer.status >= 500 ? request.id : undefined;
  return renderPage(
    reply,
    <ErrorPage frame={frame} status={answer.status} text={sentenceOf(answer, frame.t)} requestId={requestId} />,
  );
}

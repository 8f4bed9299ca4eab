/** Which of the double's books answers which request. */
import { refusal, type ApiAnswer } from "./api-answer.ts";
import type { DisputeBook } from "./dispute-book.ts";
import type { RefundBook } from "./refund-book.ts";
import type { SessionBook } from "./session-book.ts";
import { readSessionRequest } from "./session-request.ts";

export interface Books {
  readonly sessions: SessionBook;
  readonly refunds: RefundBook;
  readonly disputes: DisputeBook;
}

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly form: URLSearchParams;
}

/** @param origin of the pages that sessions get. */
export function answerRequest(books: Books, { method, path, form }: ApiRequest, origin: string): ApiAnswer {
  const [, session, action] = /^\/v1\/checkout\/sessions\/([^/]+)(\/expire)?$/u.exec(path) ?? [];
  if (session !== undefined) {
    const id = decodeURIComponent(session);
    if (method === "GET" && action === undefined) return retrieveSession(books.sessions, id, form);
    if (method === "POST" && action !== undefined) return expireSession(books.sessions, id);
  }
  switch (`${method} ${path}`) {
    case "POST /v1/checkout/sessions":
      return openSession(books.sessions, form, origin);
    case "POST /v1/refunds":
      return books.refunds.request(form);
    case "GET /v1/refunds":
      return books.refunds.list(form);
    case "GET /v1/disputes":
      return books.disputes.list(form);
    default: {
      const message = `Unrecognized request URL (${method}: ${path})`;
      return refusal(404, { type: "invalid_request_error", message });
    }
  }
}

function openSession(sessions: SessionBook, form: URLSearchParams, origin: string): ApiAnswer {
  const request = readSessionRequest(form);
  return "status" in request ? request : { status: 200, body: sessions.open(request, origin) };
}

function retrieveSession(sessions: SessionBook, id: string, form: URLSearchParams): ApiAnswer {
  const kept = sessions.find(id);
  if (kept === undefined) return missingSession(id);
  const { session, intentStatus } = kept;
  const isExpanded = [...form.values()].includes("payment_intent") && session.payment_intent !== null;
  const intent = isExpanded
    ? { id: session.payment_intent, object: "payment_intent", status: intentStatus }
    : session.payment_intent;
  return { status: 200, body: { ...session, payment_intent: intent } };
}

function expireSession(sessions: SessionBook, id: string): ApiAnswer {
  const status = sessions.find(id)?.session.status;
  if (status === undefined) return missingSession(id);
  if (status !== "open") {
    const message = `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${status ?? ""}\`.`;
    return refusal(400, { type: "invalid_request_error", message });
  }
  sessions.expire(id);
  return { status: 200, body: sessions.find(id)?.session };
}

function missingSession(id: string): ApiAnswer {
  return refusal(404, {
    type: "invalid_request_error",
    code: "resource_missing",
    message: `No such checkout.session: '${id}'`,
    param: "session",
  });
}

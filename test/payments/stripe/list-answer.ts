/** Lists of the API, newest first. Source: docs.stripe.com/api/pagination. */
import { refusal, type ApiAnswer } from "./api-answer.ts";

const DEFAULT_LIMIT = 10;
const LARGEST_LIMIT = 100;

/** @param items oldest first. */
export function listAnswer(url: string, items: readonly { readonly id: string }[], query: URLSearchParams): ApiAnswer {
  const limit = Number(query.get("limit") ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_LIMIT) {
    return refusal(400, { type: "invalid_request_error", message: `Invalid limit: ${limit}`, param: "limit" });
  }
  const newestFirst = items.toReversed();
  const after = query.get("starting_after");
  const start = after === null ? 0 : newestFirst.findIndex(({ id }) => id === after) + 1;
  const data = newestFirst.slice(start, start + limit);
  return { status: 200, body: { object: "list", url, has_more: start + limit < items.length, data } };
}

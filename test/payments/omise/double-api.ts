/** The routes of the double's API: https://docs.omise.co/links-api, /charges-api, /refunds-api, /events-api, /api-errors. */
import type { DoubleCharge, DoubleLink, OmiseBooks } from "./double-books.ts";
import { chargeJson, eventJson, linkJson, listJson, refundJson } from "./double-json.ts";
import type { MoneyBack } from "./double-money.ts";

export interface ApiCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
}

export interface ApiAnswer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the answers are taken from. */
export interface Kept {
  readonly books: OmiseBooks;
  readonly moneyBack: MoneyBack;
}

/** What a Thai account takes in its own currency; other currencies have no limits here. */
const SMALLEST_THB = 2_000;
const LARGEST_THB = 15_000_000;
const CURRENCIES = new Set("AUD CAD CHF CNY DKK EUR GBP HKD JPY MYR SGD THB USD".split(" "));

export function errorAnswer(status: number, code: string, message: string): ApiAnswer {
  const location = `https://www.omise.co/api-errors#${code.replaceAll("_", "-")}`;
  return { status, json: { object: "error", location, code, message } };
}

/** Answers a call of somebody whose key was right. `payAt` makes the address of a link's page. */
export function answerCall(kept: Kept, call: ApiCall, payAt: (link: DoubleLink) => string): ApiAnswer {
  const { books } = kept;
  const [, kind, id, part] = call.path.split("/");
  const route = `${call.method} ${kind}${id === undefined ? "" : "/:id"}${part === undefined ? "" : `/${part}`}`;
  if (route === "POST links") return makeLink(books, call.form, payAt);
  if (route === "GET links") return listLinks(books, call.query, payAt);
  if (route === "GET events") return { status: 200, json: page("/events", books.events.map(eventJson), call.query) };
  const link = books.links.get(id ?? "");
  if (kind === "links" && link !== undefined) return answerAboutLink(books, link, { ...call, route }, payAt);
  const charge = books.findCharge(id ?? "");
  const aboutCharge = charge === undefined ? null : answerAboutCharge(kept.moneyBack, charge, { ...call, route });
  if (aboutCharge !== null) return aboutCharge;
  const event = books.events.find((one) => one.id === id);
  if (route === "GET events/:id" && event !== undefined) return { status: 200, json: eventJson(event) };
  return errorAnswer(404, "not_found", `${kind} ${id ?? ""} was not found`);
}

function answerAboutLink(
  books: OmiseBooks,
  link: DoubleLink,
  { route, query }: ApiCall & { readonly route: string },
  payAt: (link: DoubleLink) => string,
): ApiAnswer {
  if (route === "GET links/:id/charges") {
    return { status: 200, json: page(`/links/${link.id}/charges`, link.charges.map(chargeJson), query) };
  }
  if (route === "DELETE links/:id") {
    if (link.deletedAt !== null) return errorAnswer(404, "not_found", `link ${link.id} was not found`);
    books.delete(link);
  }
  return { status: 200, json: linkJson(link, payAt(link)) };
}

function answerAboutCharge(
  moneyBack: MoneyBack,
  charge: DoubleCharge,
  { route, query, form }: ApiCall & { readonly route: string },
): ApiAnswer | null {
  if (route === "GET charges/:id") return { status: 200, json: chargeJson(charge) };
  if (route === "GET charges/:id/refunds") {
    return { status: 200, json: page(`/charges/${charge.id}/refunds`, charge.refunds.map(refundJson), query) };
  }
  return route === "POST charges/:id/refunds" ? makeRefund(moneyBack, charge, form) : null;
}

function makeRefund(moneyBack: MoneyBack, charge: DoubleCharge, form: URLSearchParams): ApiAnswer {
  const amount = Number(form.get("amount"));
  if (!Number.isSafeInteger(amount) || amount <= 0) return errorAnswer(400, "bad_request", "amount must be an integer");
  const refused = moneyBack.refusal(charge, amount);
  if (refused !== null) return errorAnswer(400, "failed_refund", refused);
  const metadata = [...form].flatMap(([name, value]) => {
    const key = /^metadata\[(\w+)\]$/u.exec(name)?.[1];
    return key === undefined ? [] : [[key, value] as const];
  });
  return { status: 200, json: refundJson(moneyBack.refund(charge, amount, Object.fromEntries(metadata))) };
}

function makeLink(books: OmiseBooks, form: URLSearchParams, payAt: (link: DoubleLink) => string): ApiAnswer {
  const amount = Number(form.get("amount"));
  const currency = (form.get("currency") ?? "").toUpperCase();
  const title = form.get("title") ?? "";
  const description = form.get("description") ?? "";
  if (title === "") return errorAnswer(400, "bad_request", "title can't be blank");
  if (description === "") return errorAnswer(400, "bad_request", "description can't be blank");
  if (!CURRENCIES.has(currency)) return errorAnswer(400, "bad_request", "currency is currently not supported");
  if (!Number.isSafeInteger(amount) || amount <= 0) return errorAnswer(400, "bad_request", "amount must be an integer");
  if (currency === "THB" && amount < SMALLEST_THB) {
    return errorAnswer(400, "bad_request", `amount must be greater than or equal to ${SMALLEST_THB}`);
  }
  if (currency === "THB" && amount > LARGEST_THB) {
    return errorAnswer(400, "bad_request", `amount must be less than or equal to ${LARGEST_THB}`);
  }
  const link = books.addLink({ amount, currency, title, description, multiple: form.get("multiple") === "true" });
  return { status: 200, json: linkJson(link, payAt(link)) };
}

/** Deleted links stay in the list, marked: nothing published promises that they do not. */
function listLinks(books: OmiseBooks, query: URLSearchParams, payAt: (link: DoubleLink) => string): ApiAnswer {
  const from = new Date(query.get("from") ?? 0);
  const there = [...books.links.values()].filter((link) => link.createdAt >= from);
  return { status: 200, json: page("/links", there.map((link) => linkJson(link, payAt(link))), query) }; // prettier-ignore
}

function page(
  location: string,
  items: readonly Readonly<Record<string, unknown>>[],
  query: URLSearchParams,
): Record<string, unknown> {
  return listJson(location, items, {
    offset: Number(query.get("offset") ?? 0),
    limit: Math.min(Number(query.get("limit") ?? 20), 100),
    order: query.get("order") ?? "chronological",
    from: new Date(query.get("from") ?? 0),
    to: new Date(query.get("to") ?? "2100-01-01T00:00:00Z"),
  });
}

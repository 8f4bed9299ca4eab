/** The form that opens a Checkout Session. Source: docs.stripe.com/api/checkout/sessions/create and /currencies. */
import { refusal, type ApiAnswer } from "./api-answer.ts";

export interface SessionRequest {
  readonly amount: number;
  readonly currency: string;
  readonly name: string;
  readonly reference: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly intentMetadata: Readonly<Record<string, string>>;
  readonly locale: "en" | "th" | "auto";
  readonly successUrl: string;
  readonly cancelUrl: string | null;
}

const KNOWN = [
  /^(mode|client_reference_id|locale|success_url|cancel_url|adaptive_pricing\[enabled\])$/u,
  /^line_items\[0\]\[(quantity|price_data\]\[(currency|unit_amount|product_data\]\[name))\]$/u,
  /^(payment_intent_data\[metadata\]|metadata)\[\w+\]$/u,
  /^payment_method_types\[\d\]$/u,
];

/** The largest amount of a charge, in eight digits. */
const LARGEST = 99_999_999;
const SMALLEST: Readonly<Record<string, number>> = { thb: 1000, usd: 50, jpy: 50 };
const THREE_DECIMALS = new Set(["bhd", "jod", "kwd", "omr", "tnd"]);
const WHOLE_UNITS_IN_HUNDREDTHS = new Set(["isk", "ugx"]);
const NOT_TAKEN = new Set(["clf", "iqd", "lyd", "uyi", "uyw"]);

/** The request, or the refusal that the API gives for it. */
export function readSessionRequest(form: URLSearchParams): SessionRequest | ApiAnswer {
  const unknown = [...form.keys()].find((name) => !KNOWN.some((known) => known.test(name)));
  if (unknown !== undefined) return invalid(unknown, "Received an unknown parameter", "parameter_unknown");
  for (const name of [
    "mode",
    "success_url",
    `${PRICE}[currency]`,
    `${PRICE}[unit_amount]`,
    `${PRICE}[product_data][name]`,
  ]) {
    if ((form.get(name) ?? "") === "") return invalid(name, "Missing required param", "parameter_missing");
  }
  if (form.get("mode") !== "payment") return invalid("mode", "Only mode payment is spoken here");
  for (const name of ["success_url", "cancel_url"]) {
    const url = form.get(name);
    if (url !== null && !URL.canParse(url)) return invalid(name, "Not a valid URL", "url_invalid");
  }
  const locale = form.get("locale") ?? "auto";
  if (locale !== "en" && locale !== "th" && locale !== "auto") return invalid("locale", "Invalid locale");
  const currency = form.get(`${PRICE}[currency]`) ?? "";
  const unitAmount = form.get(`${PRICE}[unit_amount]`) ?? "";
  return (
    refusedAmount(unitAmount, currency) ?? {
      amount: Number(unitAmount) * Number(form.get("line_items[0][quantity]") ?? "1"),
      currency,
      name: form.get(`${PRICE}[product_data][name]`) ?? "",
      reference: form.get("client_reference_id"),
      metadata: metadataOf(form, "metadata"),
      intentMetadata: metadataOf(form, "payment_intent_data[metadata]"),
      locale,
      successUrl: form.get("success_url") ?? "",
      cancelUrl: form.get("cancel_url"),
    }
  );
}

const PRICE = "line_items[0][price_data]";

function refusedAmount(text: string, currency: string): ApiAnswer | null {
  const param = `${PRICE}[unit_amount]`;
  if (!/^[a-z]{3}$/u.test(currency) || NOT_TAKEN.has(currency))
    return invalid(`${PRICE}[currency]`, "Invalid currency");
  if (!/^\d+$/u.test(text)) return invalid(param, "Invalid integer", "parameter_invalid_integer");
  const amount = Number(text);
  if (amount > LARGEST) return invalid(param, "The amount is too large", "amount_too_large");
  if (amount < (SMALLEST[currency] ?? 1)) return invalid(param, "The amount is too small", "amount_too_small");
  if (THREE_DECIMALS.has(currency) && amount % 10 !== 0) return invalid(param, "The last digit must be 0");
  if (WHOLE_UNITS_IN_HUNDREDTHS.has(currency) && amount % 100 !== 0)
    return invalid(param, "Only whole units are taken");
  return null;
}

function metadataOf(form: URLSearchParams, name: string): Record<string, string> {
  const prefix = `${name}[`;
  const entries = [...form].filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length, -1), value]));
}

function invalid(param: string, message: string, code?: string): ApiAnswer {
  const error = { type: "invalid_request_error", message: `${message}: ${param}`, param } as const;
  return refusal(400, code === undefined ? error : { ...error, code });
}

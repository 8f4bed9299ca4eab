/** What Stripe's API answers, and what can be made to go wrong with it. Source: docs.stripe.com/api/errors. */

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiError {
  readonly type: "api_error" | "card_error" | "idempotency_error" | "invalid_request_error";
  readonly code?: string;
  readonly message: string;
  readonly param?: string;
}

/** An answer that says what was wrong, as the API does. */
export function refusal(status: number, error: ApiError, headers: Readonly<Record<string, string>> = {}): ApiAnswer {
  return { status, body: { error }, headers };
}

/** What goes wrong with one request. */
export type Fault =
  /** Nothing: what shall fail is a later one. */
  | { readonly kind: "none" }
  /** Answered without being looked at: too many requests, no permission, … */
  | { readonly kind: "refused"; readonly answer: ApiAnswer }
  /** Breaks while it is carried out: the answer is saved under the idempotency key. */
  | { readonly kind: "broken" }
  /** The connection ends before the request is looked at, or after it was carried out. */
  | { readonly kind: "cut before" }
  | { readonly kind: "cut after" }
  /** A proxy answers in the place of the API. */
  | { readonly kind: "not json" };

export const BROKEN: ApiAnswer = refusal(
  500,
  { type: "api_error", message: "Something went wrong on our end." },
  { "stripe-should-retry": "false" },
);

/** Too many requests: the API says so before it looks at one. */
export function rateLimited(retryAfterSeconds: number): Fault {
  const headers = { "retry-after": retryAfterSeconds.toString(), "stripe-rate-limited-reason": "global-rate" };
  const message = "Too many requests hit the API too quickly.";
  const answer = refusal(429, { type: "invalid_request_error", code: "rate_limit", message }, headers);
  return { kind: "refused", answer };
}

import { afterEach, describe, expect, it } from "vitest";
import { UpstreamError, UserError } from "../../../src/errors.ts";
import type { CheckoutRequest } from "../../../src/payments/provider.ts";
import { refusal, type Fault } from "./api-answer.ts";
import { STRIPE_KEY } from "./double.ts";
import { aCheckout, currency, useStripeDouble } from "./setup.ts";

const stripe = useStripeDouble();

let keys = 0;
function aNewCheckout(change: Partial<CheckoutRequest> = {}): CheckoutRequest {
  return aCheckout({ idempotencyKey: `key-${++keys}`, ...change });
}

afterEach(() => {
  stripe().double.faults.length = 0;
});

/** The message of the error that a checkout ends with while the faults happen. */
async function failureOf(request: CheckoutRequest, ...faults: readonly Fault[]): Promise<string> {
  stripe().double.faults.push(...faults);
  const outcome = await stripe()
    .provider.createCheckout(request)
    .catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(UpstreamError);
  return outcome instanceof Error ? outcome.message : "";
}

describe("A checkout at Stripe", () => {
  it("asks for the receipt's exact amount under the receipt's number", async () => {
    const { double, provider } = stripe();
    const request = aNewCheckout({ lang: "th" });
    const checkout = await provider.createCheckout(request);
    const session = double.sessions.find(checkout.externalPaymentId);
    expect(session).toMatchObject({
      name: "R-2026-000007",
      intentMetadata: { receipt: "R-2026-000007" },
      session: {
        url: checkout.url,
        amount_total: 35_792,
        currency: "thb",
        client_reference_id: "R-2026-000007",
        metadata: { receipt: "R-2026-000007" },
        locale: "th",
        success_url: request.returnUrl,
        cancel_url: request.returnUrl,
      },
    });
    const sent = double.requests.at(-1);
    expect(sent?.headers["idempotency-key"]).toBe(request.idempotencyKey);
    expect(sent?.form.get("adaptive_pricing[enabled]")).toBe("false");
    expect([...(sent?.form.keys() ?? [])].filter((name) => name.startsWith("payment_method"))).toEqual([]);
    expect(sent?.form.has("expires_at")).toBe(false);
  });

  it.each([
    ["JPY", 500n, 500],
    ["KWD", 5_120n, 5_120],
    ["UGX", 900n, 90_000],
    ["ISK", 25n, 2_500],
    ["USD", 1_099n, 1_099],
  ])("counts %s as Stripe does", async (code, amountMinor, amount) => {
    const { double, provider } = stripe();
    const { externalPaymentId } = await provider.createCheckout(
      aNewCheckout({ currency: currency(code), amountMinor }),
    );
    expect(double.sessions.find(externalPaymentId)?.session.amount_total).toBe(amount);
  });

  it("is not asked for where the amount cannot be charged", async () => {
    const { double, provider } = stripe();
    const asked = double.requests.length;
    const request = aNewCheckout({ currency: currency("KWD"), amountMinor: 5_124n });
    await expect(provider.createCheckout(request)).rejects.toThrow(UserError);
    expect(double.requests).toHaveLength(asked);
  });
});

describe("Asking for a checkout again", () => {
  it("with the same key leads to the same one", async () => {
    const { provider, double } = stripe();
    const request = aNewCheckout();
    const sessions = double.sessions.all.length;
    const first = await provider.createCheckout(request);
    expect(await provider.createCheckout(request)).toEqual(first);
    expect(double.sessions.all).toHaveLength(sessions + 1);
  });

  it("while the first is under way waits for it", async () => {
    const { double, provider } = stripe();
    const request = aNewCheckout();
    const asked = double.requests.length;
    const release = double.hold();
    const both = [provider.createCheckout(request), provider.createCheckout(request)];
    await expect.poll(() => double.requests.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(asked + 2);
    release();
    const [first, second] = await Promise.all(both);
    expect(second).toEqual(first);
  });

  it("because the answer was lost on the way makes no second one", async () => {
    const { double, provider } = stripe();
    const sessions = double.sessions.all.length;
    double.faults.push({ kind: "cut after" });
    const checkout = await provider.createCheckout(aNewCheckout());
    expect(double.sessions.all.slice(sessions).map((session) => session.id)).toEqual([checkout.externalPaymentId]);
  });

  it("with the same key for something else is refused", async () => {
    const request = aNewCheckout();
    await stripe().provider.createCheckout(request);
    expect(await failureOf({ ...request, amountMinor: 99_900n })).toMatch(
      /^Stripe could not open a checkout for receipt R-2026-000007: The key key-\d+ was .*\(HTTP 400, request req_\w+\)\. Trying again does not help\.$/u,
    );
  });
});

describe("What goes wrong at Stripe is told in plain words", () => {
  it("when it takes no more requests, with the time to wait", async () => {
    const answer = refusal(
      429,
      { type: "invalid_request_error", code: "rate_limit", message: "Too many requests." },
      { "retry-after": "7" },
    );
    expect(await failureOf(aNewCheckout(), { kind: "refused", answer })).toMatch(
      /: Too many requests \(rate_limit, HTTP 429, request req_\w+\)\. Trying again in 7 seconds helps\.$/u,
    );
  });

  it("when it takes no more requests and does not say for how long", async () => {
    const answer = refusal(429, { type: "invalid_request_error", message: "Too many requests." });
    expect(await failureOf(aNewCheckout(), { kind: "refused", answer })).toMatch(/Trying again in a minute helps\.$/u);
  });

  it("when it refuses the amount", async () => {
    const message = await failureOf(aNewCheckout({ amountMinor: 500n }));
    expect(message).toMatch(/amount_too_small, HTTP 400.*Trying again does not help\.$/u);
  });

  it("when it declines", async () => {
    const answer = refusal(402, { type: "card_error", code: "card_declined", message: "Your card was declined." });
    expect(await failureOf(aNewCheckout(), { kind: "refused", answer })).toContain(
      ": Your card was declined (card_declined, HTTP 402",
    );
  });

  it("when it lets the key do less than this", async () => {
    const message = `The provided key '${STRIPE_KEY}' does not have access.`;
    const answer = refusal(403, { type: "invalid_request_error", message });
    const told = await failureOf(aNewCheckout(), { kind: "refused", answer });
    expect(told).toMatch(
      /The provided key '\(key\)' does not have access \(HTTP 403.*until the secret key is put right\.$/u,
    );
  });

  it("when it breaks down, and keeps saying so under that key", async () => {
    const request = aNewCheckout();
    expect(await failureOf(request, { kind: "broken" })).toMatch(/\(HTTP 500, .*\. Trying again later may help\.$/u);
    expect(await failureOf(request)).toMatch(/\(HTTP 500, .*\. Trying again later may help\.$/u);
  });

  it("when something else answers in its place", async () => {
    expect(await failureOf(aNewCheckout(), { kind: "not json" })).toMatch(
      /: Invalid JSON .*Trying again later may help\.$/u,
    );
  });

  it("when its answer has no address to pay at, or another amount", async () => {
    const { double, provider } = stripe();
    const { externalPaymentId } = await provider.createCheckout(aNewCheckout());
    const session = double.sessions.find(externalPaymentId)?.session;
    for (const [change, reason] of [
      [{ url: null }, "it gave no address to pay at"],
      [{ amount_total: 35_793 }, "it asks for another amount than the receipt's"],
      [{ currency: "usd" }, "it asks for another amount than the receipt's"],
      [{ payment_status: "?" }, "its answer cannot be read: payment_status: "],
    ] as const) {
      const answer = { status: 200, body: { ...session, ...change } };
      expect(await failureOf(aNewCheckout(), { kind: "refused", answer })).toContain(reason);
    }
  });

  it("when the secret key is wrong, without showing any of it", async () => {
    const provider = stripe().providerWith({ secretKey: "sk_test_WrongAndSecret" });
    const error: unknown = await provider.createCheckout(aNewCheckout()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UpstreamError);
    expect(String(error)).toMatch(
      /Invalid API Key provided: \(key\) \(HTTP 401.*until the secret key is put right\.$/u,
    );
    expect(String(error)).not.toMatch(/sk_|Wrong|Secret/u);
    expect(error).toHaveProperty("cause", undefined);
  });

  it("when it cannot be reached, and it works again once it can", async () => {
    const { double, provider } = stripe();
    const request = aNewCheckout();
    await double.stop();
    expect(await failureOf(request)).toMatch(/connection to Stripe.*retried 2 times\. Trying again later may help\.$/u);
    await double.listen();
    await expect(provider.createCheckout(request)).resolves.toHaveProperty("url");
  });
});

describe("A connection that breaks once", () => {
  it("is not noticed", async () => {
    const { double, provider } = stripe();
    double.faults.push({ kind: "cut before" });
    await expect(provider.createCheckout(aNewCheckout())).resolves.toHaveProperty("url");
  });
});

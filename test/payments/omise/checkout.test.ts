import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UpstreamError, UserError } from "../../../src/errors.ts";
import { omiseProvider } from "../../../src/payments/omise/omise-provider.ts";
import type { CheckoutRequest, PaymentProvider } from "../../../src/payments/provider.ts";
import { currencyOf } from "../../../src/rating/money.ts";
import { OmiseDouble } from "./double.ts";

let now: Date;
let omise: OmiseDouble;
let provider: PaymentProvider;
const clock = { now: () => now };

beforeEach(async () => {
  now = new Date("2026-11-02T03:04:05.678Z");
  omise = await OmiseDouble.start(clock);
  provider = providerWith({});
});

afterEach(() => omise.close());

function providerWith(changes: { secretKey?: string; baseUrl?: string; patienceMs?: number }): PaymentProvider {
  return omiseProvider({ secretKey: omise.secretKey, webhookSecrets: [], clock, baseUrl: omise.url, ...changes });
}

function aRequest(changes: Partial<CheckoutRequest> & { code?: string } = {}): CheckoutRequest {
  const { code = "THB", ...rest } = changes;
  return {
    receiptId: 7n,
    receiptNumber: "R-2026-0007",
    amountMinor: 123_456n,
    currency: currencyOf(code) ?? { code, minorDigits: 2 },
    idempotencyKey: "R-2026-0007-1",
    returnUrl: "https://billing.example/payments/thanks?rid=7",
    lang: "th",
    ...rest,
  };
}

function callsBy(method: string): number {
  return omise.calls.filter((call) => call.method === method).length;
}

describe("opening a checkout at Omise", () => {
  it("makes a link that can be paid once, for the exact amount, and sends the payer to its page", async () => {
    const { externalPaymentId, url } = await provider.createCheckout(aRequest());
    expect(omise.link(externalPaymentId)).toMatchObject({
      amount: 123_456,
      currency: "THB",
      title: "R-2026-0007",
      description: "R-2026-0007 (R-2026-0007-1)",
      multiple: false,
    });
    expect(url).toBe(`${omise.url}/pay/${externalPaymentId}`);
    expect(await (await fetch(url)).text()).toContain("Pay by PromptPay");
  });

  it("asks in the version of the API that it was written for", async () => {
    await provider.createCheckout(aRequest());
    expect(new Set(omise.calls.map(({ version }) => version))).toEqual(new Set(["2019-05-29"]));
  });

  it("sends yen as yen", async () => {
    const { externalPaymentId } = await provider.createCheckout(aRequest({ code: "JPY", amountMinor: 500n }));
    expect(omise.link(externalPaymentId)).toMatchObject({ amount: 500, currency: "JPY" });
  });

  it("asks nothing for a currency that Omise does not take", async () => {
    const asked = provider.createCheckout(aRequest({ code: "KWD" }));
    await expect(asked).rejects.toThrow(UserError);
    await expect(asked).rejects.toThrow(/takes no KWD; it takes AUD, .*USD/u);
    expect(omise.calls).toEqual([]);
  });

  it.each([
    [1_999n, "19.99 THB"],
    [15_000_001n, "150000.01 THB"],
  ])("says which amount Omise does not take, and why (%s)", async (amountMinor, shown) => {
    const asked = provider.createCheckout(aRequest({ amountMinor }));
    await expect(asked).rejects.toThrow(UserError);
    await expect(asked).rejects.toThrow(`Omise does not take ${shown} (amount must be`);
  });

  it("leaves other refusals what they are", async () => {
    omise.failNext("POST", { kind: "refuse", status: 400, code: "bad_request", message: "title can't be blank" });
    const asked = provider.createCheckout(aRequest());
    await expect(asked).rejects.toThrow(UpstreamError);
    await expect(asked).rejects.toThrow(
      "make a link for R-2026-0007 and refused (400 bad_request: title can't be blank)",
    );
  });
});

describe("asking for a checkout again with the same key", () => {
  it("gives the same link", async () => {
    const first = await provider.createCheckout(aRequest());
    expect(await provider.createCheckout(aRequest())).toEqual(first);
    expect(callsBy("POST")).toBe(1);
  });

  it("finds the link whose making was never answered", async () => {
    omise.failNext("POST", { kind: "lose_answer" });
    await expect(provider.createCheckout(aRequest())).rejects.toThrow(UpstreamError);
    const { externalPaymentId } = await provider.createCheckout(aRequest());
    expect(omise.payable().map(({ id }) => id)).toEqual([externalPaymentId]);
  });

  it("finds it behind many other links, and among links that are not ours", async () => {
    omise.books.addLink({ amount: 5_000, currency: "THB", title: "odd", description: "", multiple: true });
    const others = Array.from({ length: 120 }, (_, position) => `R-2026-1${position}`);
    for (const description of others) {
      omise.books.addLink({ amount: 5_000, currency: "THB", title: "other", description, multiple: false });
    }
    const first = await provider.createCheckout(aRequest());
    expect(await provider.createCheckout(aRequest())).toEqual(first);
  });

  it("leaves one link that can be paid when two replicas ask at the same moment", async () => {
    const bothHaveLooked = Promise.withResolvers<undefined>();
    let looks = 0;
    omise.beforeAnswer = async ({ method }) => {
      if (method !== "GET" || looks >= 2) return;
      looks++;
      if (looks === 2) bothHaveLooked.resolve(undefined);
      await bothHaveLooked.promise;
    };
    const replicas = [provider, providerWith({})];
    const checkouts = await Promise.all(replicas.map((replica) => replica.createCheckout(aRequest())));
    expect(callsBy("POST")).toBe(2);
    expect(checkouts[0]).toEqual(checkouts[1]);
    expect(omise.payable().map(({ id }) => id)).toEqual([checkouts[0]?.externalPaymentId]);
  });

  it("makes a new link for a new key", async () => {
    const first = await provider.createCheckout(aRequest());
    const second = await provider.createCheckout(aRequest({ idempotencyKey: "R-2026-0007-2" }));
    expect(second.externalPaymentId).not.toBe(first.externalPaymentId);
  });

  it("makes a new link when the first was deleted", async () => {
    const first = await provider.createCheckout(aRequest());
    omise.books.delete(omise.link(first.externalPaymentId));
    expect((await provider.createCheckout(aRequest())).externalPaymentId).not.toBe(first.externalPaymentId);
  });

  it("hands out no link over another amount", async () => {
    await provider.createCheckout(aRequest());
    await expect(provider.createCheckout(aRequest({ amountMinor: 99_900n }))).rejects.toThrow(
      /holds the link link_test_\w+ for 123456 THB where 99900 THB are asked for/u,
    );
  });
});

describe("when Omise does not answer as it should", () => {
  it.each([
    [429, "too_many_requests", "it is asked too often: trying again in a minute helps"],
    [500, "internal_error", "trying again helps"],
    [503, "service_unavailable", "trying again helps"],
    [403, "not_authorized", "check the secret key"],
    [422, "unprocessable", "trying again does not help"],
  ])("says what was asked, why it failed and whether to try again (%s)", async (status, code, advice) => {
    omise.failNext("GET", { kind: "refuse", status, code, message: "for a reason" });
    const asked = provider.createCheckout(aRequest());
    await expect(asked).rejects.toThrow(UpstreamError);
    await expect(asked).rejects.toThrow(
      `Omise was asked to list its links and refused (${status} ${code}: for a reason); `,
    );
    await expect(asked).rejects.toThrow(advice);
  });

  it("says that the key is wrong without showing it", async () => {
    const asked = providerWith({ secretKey: "skey_test_wrong" }).createCheckout(aRequest());
    await expect(asked).rejects.toThrow("(401 authentication_failure: authentication failed); check the secret key");
    await expect(asked).rejects.not.toThrow(/skey_test_wrong/u);
  });

  it("never repeats a key that an answer repeats", async () => {
    const basic = Buffer.from(`${omise.secretKey}:`).toString("base64");
    const message = `no such key ${omise.secretKey} in ${basic}`;
    omise.failNext("GET", { kind: "refuse", status: 400, code: omise.secretKey, message });
    await expect(provider.createCheckout(aRequest())).rejects.toThrow("(400 [key]: no such key [key] in [key])");
  });

  it.each(["lose_call", "rubbish"] as const)("says so when the answer is lost or cannot be read (%s)", async (kind) => {
    omise.failNext("GET", { kind });
    const asked = provider.createCheckout(aRequest());
    await expect(asked).rejects.toThrow(UpstreamError);
    await expect(asked).rejects.toThrow(kind === "rubbish" ? "its answer cannot be read" : "did not answer");
  });

  it("does not wait for ever", async () => {
    omise.failNext("GET", { kind: "hang" });
    const asked = providerWith({ patienceMs: 50 }).createCheckout(aRequest());
    await expect(asked).rejects.toThrow(/did not answer \(.*timeout.*\); trying again helps/u);
  });

  it("says so when nobody is there", async () => {
    const nobody = providerWith({ baseUrl: "http://127.0.0.1:1/" });
    await expect(nobody.createCheckout(aRequest())).rejects.toThrow(/did not answer \(.+\); trying again helps/u);
  });
});

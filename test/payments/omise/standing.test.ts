import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { UpstreamError } from "../../../src/errors.ts";
import { omiseProvider } from "../../../src/payments/omise/omise-provider.ts";
import type { PaymentProvider, ProviderPayment } from "../../../src/payments/provider.ts";
import { OmiseDouble } from "./double.ts";
import type { DoubleLink } from "./double-books.ts";

let omise: OmiseDouble;
let provider: PaymentProvider;
let link: DoubleLink;

beforeEach(async () => {
  omise = await OmiseDouble.start();
  provider = omiseProvider({
    secretKey: omise.secretKey,
    webhookSecrets: [],
    clock: systemClock,
    baseUrl: omise.url,
  });
  link = omise.books.addLink({ amount: 9_900, currency: "THB", title: "R-1", description: "R-1 (k)", multiple: false });
});

afterEach(() => omise.close());

function asked(): Promise<ProviderPayment | null> {
  return provider.fetchPayment(link.id);
}

describe("asking Omise how a payment stands", () => {
  it("is pending while nobody has paid, with what was asked for", async () => {
    expect(await asked()).toEqual({
      status: "pending",
      amountMinor: 9_900n,
      currency: "THB",
      refunds: [],
      disputes: [],
    });
  });

  it("is pending while the QR code waits, and succeeded once it was paid", async () => {
    omise.press(link, "promptpay");
    expect(await asked()).toMatchObject({ status: "pending" });
    omise.press(link, "confirm");
    expect(await asked()).toEqual({
      status: "succeeded",
      amountMinor: 9_900n,
      currency: "THB",
      reference: omise.paidCharge(link.id).id,
      refunds: [],
      disputes: [],
    });
  });

  it("is still pending after a declined card or an expired QR code, since the link can be paid", async () => {
    omise.press(link, "declined");
    expect(await asked()).toMatchObject({ status: "pending" });
    omise.press(link, "promptpay");
    omise.press(link, "expire");
    expect(await asked()).toMatchObject({ status: "pending" });
    omise.press(link, "card");
    expect(await asked()).toMatchObject({ status: "succeeded" });
  });

  it("finds the charge that paid behind more failed ones than a link shows", async () => {
    for (let attempt = 0; attempt < 25; attempt++) omise.press(link, "declined");
    omise.press(link, "card");
    expect(await asked()).toMatchObject({ status: "succeeded" });
  });

  it("tells the amount of the charge, not of the link", async () => {
    omise.press(link, "promptpay");
    const charge = { ...(link.charges[0] ?? expect.fail("no charge")), amount: 5_000, status: "successful" } as const;
    link.charges.splice(0, 1, charge);
    expect(await asked()).toMatchObject({ status: "succeeded", amountMinor: 5_000n, currency: "THB" });
  });

  it("is canceled when the link was deleted, unless a QR code of it can still be paid", async () => {
    omise.press(link, "promptpay");
    omise.books.delete(link);
    expect(await asked()).toMatchObject({ status: "pending" });
    omise.books.endCharge(link.charges[0] ?? expect.fail("no charge"), "expired");
    expect(await asked()).toMatchObject({ status: "canceled" });
  });

  it("has failed when the link is used up by charges that failed, and has expired when they all did", async () => {
    omise.press(link, "promptpay");
    omise.press(link, "expire");
    link.usedAt = new Date();
    expect(await asked()).toMatchObject({ status: "expired" });
    omise.books.chargeAtOnce(link, "failed");
    expect(await asked()).toMatchObject({ status: "failed" });
  });

  it("is null for a link that Omise does not know", async () => {
    expect(await provider.fetchPayment("link_test_0")).toBeNull();
    expect(omise.calls).toHaveLength(1);
  });

  it.each(["chrg_test_1", "dev_1", "link_/../charges", "..", ""])(
    "asks nothing for what is no link's id (%j)",
    async (id) => {
      expect(await provider.fetchPayment(id)).toBeNull();
      expect(omise.calls).toEqual([]);
    },
  );

  it("is not believed when it is of the other mode than the secret key", async () => {
    link.livemode = true;
    await expect(asked()).rejects.toThrow(UpstreamError);
    await expect(asked()).rejects.toThrow("its answer is about live money, and the secret key is a test one");
  });

  it("throws when Omise does not answer, and does not take silence for an unknown payment", async () => {
    omise.failNext("GET", { kind: "refuse", status: 503, code: "service_unavailable", message: "later" });
    await expect(asked()).rejects.toThrow(UpstreamError);
    omise.failNext("GET", { kind: "lose_call" });
    await expect(asked()).rejects.toThrow(UpstreamError);
  });
});

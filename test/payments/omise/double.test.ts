import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { omiseProvider } from "../../../src/payments/omise/omise-provider.ts";
import type { ParsedEvent, PaymentProvider } from "../../../src/payments/provider.ts";
import { currencyOf } from "../../../src/rating/money.ts";
import { OmiseDouble, rateLimited } from "./double.ts";

let omise: OmiseDouble;
let provider: PaymentProvider;
let receiver: Server;
let received: ParsedEvent[];
/** What the receiver answers, one after the other; then 200. */
let answers: number[];

beforeEach(async () => {
  omise = await OmiseDouble.start();
  provider = omiseProvider({
    secretKey: omise.secretKey,
    webhookSecrets: omise.webhookSecrets,
    clock: systemClock,
    baseUrl: omise.url,
  });
  received = [];
  answers = [];
  receiver = createServer((request, response) => {
    void text(request).then((body) => {
      const header = (name: string): string | undefined => request.headers[name]?.toString();
      received.push(provider.parseEvent(Buffer.from(body), header));
      response.writeHead(answers.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const address = receiver.address();
  omise.webhookUrl = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`;
});

afterEach(async () => {
  await omise.close();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

async function aCheckout(): Promise<{ externalPaymentId: string; url: string }> {
  return provider.createCheckout({
    receiptId: 1n,
    receiptNumber: "R-<1>",
    amountMinor: 50_000n,
    currency: currencyOf("THB") ?? expect.fail("no baht"),
    idempotencyKey: "key",
    returnUrl: "https://billing.example/",
    lang: "en",
  });
}

async function press(url: string, button: string): Promise<string> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams({ button }) });
  return response.text();
}

function outcomes(): string[] {
  return received.map((parsed) => (parsed.kind === "event" ? parsed.event.outcome : parsed.kind));
}

describe("a payer on Omise's page", () => {
  it("pays by PromptPay, and a signed event says so", async () => {
    const { externalPaymentId, url } = await aCheckout();
    expect(await press(url, "promptpay")).toContain("Scan the QR code");
    expect(await press(url, "confirm")).toContain("Payment successful");
    await omise.settled();
    expect(outcomes()).toEqual(["other", "succeeded"]);
    expect(received.at(-1)).toMatchObject({ event: { externalPaymentId, amountMinor: 50_000n, currency: "THB" } });
    expect(await provider.fetchPayment(externalPaymentId)).toMatchObject({ status: "succeeded" });
  });

  it("is declined, and then pays with another card", async () => {
    const { url } = await aCheckout();
    expect(await press(url, "declined")).toContain("The card was declined");
    expect(await press(url, "card")).toContain("Payment successful");
    await omise.settled();
    expect(outcomes()).toEqual(["other", "failed", "other", "succeeded"]);
  });

  it("pays with a card without 3-D Secure, of which a single event tells", async () => {
    omise.asksBank = false;
    const { url } = await aCheckout();
    await press(url, "card");
    await omise.settled();
    expect(outcomes()).toEqual(["succeeded"]);
  });

  it("cannot pay twice, nor what was deleted, and sees titles as text", async () => {
    const { externalPaymentId, url } = await aCheckout();
    expect(await (await fetch(url)).text()).toContain("R-&lt;1&gt;");
    await press(url, "card");
    expect(await press(url, "card")).toContain("Payment successful");
    expect(omise.link(externalPaymentId).charges).toHaveLength(1);
    omise.books.delete(omise.link(externalPaymentId));
    expect((await fetch(url)).status).toBe(404);
  });
});

describe("webhooks of the double", () => {
  it("come again until they are taken, in any order, and as often as wanted", async () => {
    answers = [503, 503];
    const { url } = await aCheckout();
    await press(url, "card");
    await omise.settled();
    await omise.redeliver("reversed");
    await omise.redeliver();
    expect(outcomes()).toEqual(["other", "succeeded", "succeeded", "other"]);
    const [, complete] = omise.books.events;
    expect(await omise.deliver(complete ?? expect.fail("no event"))).toBe(200);
    expect(received.at(-1)).toEqual(received[1]);
  });

  it("wait for a receiver that is away", async () => {
    const there = omise.webhookUrl;
    omise.webhookUrl = "http://127.0.0.1:1/";
    await press((await aCheckout()).url, "promptpay");
    await omise.settled();
    omise.webhookUrl = there;
    await omise.redeliver();
    expect(outcomes()).toEqual(["other"]);
  });

  it("carry two signatures while the secret is rolled, and none where there is no secret", async () => {
    omise.webhookSecrets = ["bmV3IHNlY3JldCE=", ...omise.webhookSecrets];
    await press((await aCheckout()).url, "promptpay");
    await omise.settled();
    expect(outcomes()).toEqual(["other"]);
    const [event] = omise.books.events;
    const { headers } = omise.signed(event ?? expect.fail("no event"));
    expect(headers["omise-signature"]).toMatch(/^[0-9a-f]{64},[0-9a-f]{64}$/u);
    omise.webhookSecrets = [];
    expect(omise.signed(event ?? expect.fail("no event")).headers).not.toHaveProperty("omise-signature");
  });

  it("are held until they are let go, and come late then", async () => {
    omise.holds = ({ key }) => key === "charge.create";
    await press((await aCheckout()).url, "card");
    await omise.settled();
    await omise.redeliver();
    expect(outcomes()).toEqual(["succeeded"]);
    omise.holds = () => false;
    await omise.redeliver();
    expect(outcomes()).toEqual(["succeeded", "other"]);
  });

  it("come in an order that a seed decides, and all of them", async () => {
    const there = omise.webhookUrl;
    omise.webhookUrl = null;
    const { externalPaymentId, url } = await aCheckout();
    await press(url, "card");
    const charge = omise.paidCharge(externalPaymentId);
    omise.moneyBack.refund(charge, 1_000);
    omise.moneyBack.moveDispute(omise.moneyBack.openDispute(charge), "lost");
    omise.webhookUrl = there;
    await omise.redeliver({ shuffledBy: 1 });
    const made = ["other", "succeeded", "changed", "changed", "changed"];
    expect(outcomes()).not.toEqual(made);
    expect(outcomes().toSorted()).toEqual(made.toSorted());
  });

  it("are live ones where a live webhook points here by mistake", async () => {
    omise.books.livemode = true;
    omise.press(omise.books.addLink({ amount: 5_000, currency: "THB", title: "R", description: "R", multiple: false }), "card"); // prettier-ignore
    await omise.settled();
    expect(outcomes()).toEqual(["unreadable", "unreadable"]);
  });
});

describe("the API of the double", () => {
  it("fails as often as it was told to, and then works again", async () => {
    const { externalPaymentId } = await aCheckout();
    omise.failNext("GET", rateLimited(1), 2);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(provider.fetchPayment(externalPaymentId)).rejects.toThrow("it is asked too often");
    }
    expect(await provider.fetchPayment(externalPaymentId)).toMatchObject({ status: "pending" });
  });

  it("pays back in the dashboard only what the API would", async () => {
    const { externalPaymentId } = await aCheckout();
    const link = omise.link(externalPaymentId);
    omise.press(link, "promptpay");
    const charge = link.charges[0] ?? expect.fail("no charge");
    expect(() => omise.moneyBack.refund(charge, 1)).toThrow("charge was not captured");
    omise.press(link, "confirm");
    expect(() => omise.moneyBack.refund(charge, 50_001)).toThrow("amount is greater than what is left");
  });
});

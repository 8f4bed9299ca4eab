import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aCheckout, useStripeDouble } from "./setup.ts";

const stripe = useStripeDouble();

/** An endpoint as the product has one: it answers by what the provider makes of the bytes. */
const received: string[] = [];
let status = 200;
const endpoint = createServer((request, response) => {
  void buffer(request).then((body) => {
    const parsed = stripe().provider.parseEvent(body, (name) => request.headers[name]?.toString());
    received.push(parsed.kind === "event" ? parsed.event.eventType : parsed.kind);
    response.writeHead(parsed.kind === "event" ? status : 400).end();
  });
});
let url = "";

beforeAll(async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  endpoint.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = endpoint.address();
  if (address !== null && typeof address === "object") url = `http://127.0.0.1:${address.port}/`;
});
afterAll(() => {
  endpoint.close();
  endpoint.closeAllConnections();
});

let keys = 0;
function open() {
  return stripe().provider.createCheckout(aCheckout({ idempotencyKey: `key-${++keys}` }));
}

async function press(
  pageUrl: string,
  button: string,
): Promise<{ status: number; location: string | null; page: string }> {
  const body = new URLSearchParams({ button });
  const answer = await fetch(pageUrl, { method: "POST", body, redirect: "manual" });
  return { status: answer.status, location: answer.headers.get("location"), page: await answer.text() };
}

describe("Deliveries of the double", () => {
  it("are made again until they are taken", async () => {
    const { double } = stripe();
    double.sessions.pay((await open()).externalPaymentId);
    status = 503;
    expect((await double.outbox.deliver(url)).map((delivery) => delivery.status)).toEqual([503]);
    expect((await double.outbox.deliver("http://127.0.0.1:1/")).map((delivery) => delivery.status)).toEqual([null]);
    status = 200;
    expect((await double.outbox.deliver(url)).map((delivery) => delivery.status)).toEqual([200]);
    expect(await double.outbox.deliver(url)).toEqual([]);
  });

  it("come twice and in the wrong order when that is asked for", async () => {
    const { double } = stripe();
    const { externalPaymentId } = await open();
    double.sessions.payLater(externalPaymentId);
    double.sessions.finish(externalPaymentId, "succeeded");
    received.length = 0;
    await double.outbox.deliver(url, { order: "newest first", copies: 2 });
    expect(received).toEqual([
      "checkout.session.async_payment_succeeded",
      "checkout.session.async_payment_succeeded",
      "checkout.session.completed",
      "checkout.session.completed",
    ]);
  });
});

describe("The page of the double", () => {
  it("takes the payment, tells the webhook, and sends the payer back", async () => {
    const { double } = stripe();
    const checkout = await open();
    received.length = 0;
    double.webhookUrl = url;
    expect(await (await fetch(checkout.url)).text()).toContain("R-2026-000007");
    expect(await press(checkout.url, "decline")).toMatchObject({
      status: 200,
      page: expect.stringContaining("declined"),
    });
    expect(await press(checkout.url, "pay")).toMatchObject({ status: 303, location: aCheckout().returnUrl });
    expect(received).toEqual(["checkout.session.completed"]);
    expect((await press(checkout.url, "pay")).page).toContain("This checkout is complete.");
    expect(received).toHaveLength(1);
    double.webhookUrl = null;
  });

  it("lets the payer go back without paying", async () => {
    const checkout = await open();
    expect(await press(checkout.url, "back")).toMatchObject({ status: 303, location: aCheckout().returnUrl });
    expect(await stripe().provider.fetchPayment(checkout.externalPaymentId)).toMatchObject({ status: "pending" });
  });
});

import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { rateLimited } from "./api-answer.ts";
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
/** What one test left undelivered is not the next one's. */
afterEach(() => {
  stripe().double.outbox.forgetWaiting();
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

describe("Deliveries that go wrong on the way", () => {
  it("are held until they are let go, and come late then", async () => {
    const { double } = stripe();
    const { externalPaymentId } = await open();
    double.sessions.payLater(externalPaymentId);
    double.sessions.finish(externalPaymentId, "succeeded");
    double.outbox.holds = ({ type }) => type === "checkout.session.completed";
    received.length = 0;
    await double.outbox.deliver(url);
    expect(received).toEqual(["checkout.session.async_payment_succeeded"]);
    double.outbox.holds = () => false;
    await double.outbox.deliver(url);
    expect(received).toEqual(["checkout.session.async_payment_succeeded", "checkout.session.completed"]);
  });

  it("come in an order that a seed decides, all of them, and once more whenever that is asked for", async () => {
    const { double } = stripe();
    const { externalPaymentId } = await open();
    const paid = double.sessions.pay(externalPaymentId);
    const dispute = double.disputes.open(externalPaymentId);
    double.disputes.move(dispute, "won");
    const events = double.outbox.events.slice(-5).map(({ type }) => type);
    received.length = 0;
    await double.outbox.deliver(url, { order: { shuffledBy: 2 } });
    expect(received).not.toEqual(events);
    expect(received.toSorted()).toEqual(events.toSorted());
    expect(await double.outbox.deliverAgain(url, paid)).toBe(200);
    expect(received.at(-1)).toBe("checkout.session.completed");
  });

  it("are live ones where a live webhook points here by mistake", async () => {
    const { double } = stripe();
    const { externalPaymentId } = await open();
    double.outbox.livemode = true;
    double.sessions.pay(externalPaymentId);
    double.outbox.livemode = false;
    received.length = 0;
    expect(await double.outbox.deliver(url)).toMatchObject([{ status: 400 }]);
    expect(received).toEqual(["unreadable"]);
  });
});

describe("The API of the double", () => {
  it("fails as often as it was told to, and then works again", async () => {
    const { double, provider } = stripe();
    const { externalPaymentId } = await open();
    double.failNext(2, rateLimited(1));
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(provider.fetchPayment(externalPaymentId)).rejects.toThrow("Trying again in 1 seconds helps");
    }
    expect(await provider.fetchPayment(externalPaymentId)).toMatchObject({ status: "pending" });
  });

  it("pays back in the dashboard only what the API would", async () => {
    const { double } = stripe();
    const { externalPaymentId } = await open();
    expect(() => double.refunds.make(externalPaymentId, 1)).toThrow("does not have a successful charge");
    double.sessions.pay(externalPaymentId);
    expect(() => double.refunds.make(externalPaymentId, 35_793)).toThrow("is greater than unrefunded amount");
    expect(() => double.refunds.end("re_unknown", "failed")).toThrow("there is no refund");
    expect(() => double.disputes.move("du_unknown", "won")).toThrow("there is no dispute");
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

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { sql } from "../../src/db/database.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { findReceipt } from "../../src/billing/queries.ts";
import { signDummyBody } from "../../src/payments/dummy.ts";
import { aJob, WEBHOOK_SECRET } from "../support/context.ts";
import { startMeSite, type MeSite } from "./me-site.ts";
import { PRODUCTION, type Browser } from "./server-harness.ts";

let site: MeSite;
let alice: Browser;
let bob: Browser;
beforeAll(async () => {
  site = await startMeSite();
  await site.app.listen({ host: "127.0.0.1", port: 0 });
  alice = await site.browserOf("alice");
  bob = await site.browserOf("bob");
});
afterAll(() => site.close());

interface Checkout {
  readonly receiptId: bigint;
  readonly totalMinor: bigint;
  readonly query: URLSearchParams;
}

/** A receipt of alice's with a checkout under way. */
async function openCheckout(): Promise<Checkout> {
  await site.importJobs([aJob({ user: "alice" })]);
  const issued = await issueReceipt(site, { userName: "alice", cutoffDay: "2026-10-31" }, { actor: "alice" });
  if (issued === undefined) throw new Error("no receipt was issued");
  const answer = await alice.post(`/payments/receipt/${issued.id}/start`, { csrf_token: await alice.token("/me") });
  expect(answer.statusCode).toBe(303);
  const url = new URL(String(answer.headers.location), "http://site");
  expect(url.pathname).toBe("/payments/simulate");
  return { receiptId: issued.id, totalMinor: issued.totalMinor, query: url.searchParams };
}

function eventOf({ query }: Checkout, changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    event_id: `evt_${query.get("external_payment_id")}`,
    event_type: "payment.succeeded",
    external_payment_id: query.get("external_payment_id"),
    amount_cents: Number(query.get("amount_cents")),
    currency: query.get("currency"),
    ...changes,
  });
}

function send(
  body: string,
  headers: Readonly<Record<string, string>> = { "x-dummy-signature": signDummyBody(WEBHOOK_SECRET, body) },
) {
  return site.app.inject({
    method: "POST",
    url: "/payments/webhook",
    payload: body,
    headers: { "content-type": "application/json", ...headers },
  });
}

const statusOf = async ({ receiptId }: Checkout): Promise<string | undefined> =>
  (await findReceipt(site.db, receiptId))?.status;

describe("the webhook", () => {
  it("settles a receipt once, and takes the same event again as done", async () => {
    const checkout = await openCheckout();
    const body = eventOf(checkout);
    const first = await send(body);
    expect([first.statusCode, first.json()]).toEqual([200, { status: "ok" }]);
    expect(await statusOf(checkout)).toBe("paid");
    const again = await send(body);
    expect([again.statusCode, again.json()]).toEqual([200, { status: "ok" }]);
    expect(site.log()).toContain('"verdict":"replay"');
  });

  it("takes twenty identical events at once as one", async () => {
    const checkout = await openCheckout();
    const body = eventOf(checkout);
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(body)));
    expect(answers.map((answer) => answer.statusCode)).toEqual(Array.from({ length: 20 }, () => 200));
    const { applied, paid } = await site.db.one(
      z.object({ applied: z.bigint(), paid: z.bigint() }),
      sql`SELECT (SELECT count(*) FROM payment_events WHERE verdict = 'applied' AND event_id = ${`evt_${checkout.query.get("external_payment_id")}`}) AS applied,
                 (SELECT count(*) FROM audit_log WHERE action = 'receipt.paid' AND details->>'reference' = ${checkout.query.get("external_payment_id")}) AS paid`,
    );
    expect({ applied, paid }).toEqual({ applied: 1n, paid: 1n });
  });

  it.each([
    ["a wrong signature", { "x-dummy-signature": "0".repeat(64) }],
    ["no signature", {}],
    ["a signature of another secret", { "x-dummy-signature": signDummyBody("another", "{}") }],
  ])("refuses %s", async (_what, headers) => {
    const checkout = await openCheckout();
    const answer = await send(eventOf(checkout), headers);
    expect([answer.statusCode, answer.json()]).toEqual([
      400,
      { error: expect.stringContaining("signature"), code: 400 },
    ]);
    expect(await statusOf(checkout)).toBe("pending");
  });

  it.each([
    ["another amount", { amount_cents: 1 }],
    ["another currency", { currency: "USD" }],
    ["an unknown payment", { external_payment_id: "dev_unknown" }],
    ["a type it does not know", { event_type: "payment.thought_about" }],
  ])("ignores %s and keeps the true reason to itself", async (_what, changes) => {
    const checkout = await openCheckout();
    const answer = await send(eventOf(checkout, changes));
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: "ignored", reason: "not applied" }]);
    expect(await statusOf(checkout)).toBe("pending");
    const { reason } = await site.db.one(
      z.object({ reason: z.string() }),
      sql`SELECT reason FROM payment_events ORDER BY id DESC LIMIT 1`,
    );
    expect(reason).not.toBe("not applied");
    expect(site.log()).toContain(JSON.stringify(reason));
  });

  it("ignores what is signed but cannot be read, and any type of body", async () => {
    for (const body of ["not json", "[]", "", "{}"]) {
      const answer = await site.app.inject({
        method: "POST",
        url: "/payments/webhook",
        payload: body,
        headers: { "content-type": "text/plain", "x-dummy-signature": signDummyBody(WEBHOOK_SECRET, body) },
      });
      expect({ body, status: answer.statusCode, answer: answer.json() }).toEqual({
        body,
        status: 200,
        answer: { status: "ignored", reason: "not applied" },
      });
    }
  });

  it("takes no body over 64 KiB", async () => {
    expect((await send("x".repeat(64 * 1024 + 1))).statusCode).toBe(413);
  });

  it("counts what it made of its calls", async () => {
    const { values } = await site.metrics.webhookEvents.get();
    const counts = Object.fromEntries(values.map(({ labels, value }) => [labels.verdict, value]));
    expect(counts).toMatchObject({ applied: 2, replay: 20, refused: 3, ignored: 8 });
  });
});

describe("paying", () => {
  it("asks first, with the amount, and leads two tabs to one payment", async () => {
    const checkout = await openCheckout();
    const confirm = await alice.get(`/payments/receipt/${checkout.receiptId}/start`);
    expect(confirm.body).toMatch(/Pay ฿\d+\.\d\d/u);
    const again = await alice.post(`/payments/receipt/${checkout.receiptId}/start`, {
      csrf_token: await alice.token("/me"),
    });
    expect(new URL(String(again.headers.location), "http://site").searchParams.get("external_payment_id")).toBe(
      checkout.query.get("external_payment_id"),
    );
  });

  it("changes nothing without the form's token", async () => {
    const checkout = await openCheckout();
    expect((await alice.post(`/payments/receipt/${checkout.receiptId}/start`, {})).statusCode).toBe(403);
  });

  it("is for the owner alone", async () => {
    const { receiptId, query } = await openCheckout();
    const token = await bob.token("/me");
    const answers = [
      await bob.get(`/payments/receipt/${receiptId}/start`),
      await bob.post(`/payments/receipt/${receiptId}/start`, { csrf_token: token }),
      await bob.get(`/payments/thanks?rid=${receiptId}`),
      await bob.get(`/payments/status?rid=${receiptId}`),
      await bob.get(`/payments/simulate?${query.toString()}`),
      await bob.post("/payments/simulate", { ...Object.fromEntries(query), csrf_token: token }),
    ];
    expect(answers.map((answer) => answer.statusCode)).toEqual([404, 404, 404, 404, 404, 404]);
  });

  it.each([
    ["succeeded", "paid", "Thank you, it is paid"],
    ["failed", "failed", "The payment did not go through"],
    ["canceled", "canceled", "Payment cancelled"],
  ])("that %s is %s", async (outcome, state, title) => {
    const checkout = await openCheckout();
    expect((await alice.get(`/payments/status?rid=${checkout.receiptId}`)).json()).toEqual({ status: "waiting" });
    const waiting = (await alice.get(`/payments/thanks?rid=${checkout.receiptId}`)).body;
    expect(waiting).toContain("Waiting for the bank");
    expect(waiting).toContain('data-poll-status="waiting"');
    const answer = await alice.post("/payments/simulate", {
      ...Object.fromEntries(checkout.query),
      outcome,
      csrf_token: await alice.token("/me"),
    });
    expect([answer.statusCode, answer.headers.location]).toEqual([303, `/payments/thanks?rid=${checkout.receiptId}`]);
    expect((await alice.get(`/payments/status?rid=${checkout.receiptId}`)).json()).toEqual({ status: state });
    expect((await alice.get(`/payments/thanks?rid=${checkout.receiptId}`)).body).toContain(`<h1>${title}`);
  });

  it("can be tried again after it failed, and then succeeds", async () => {
    const checkout = await openCheckout();
    await send(eventOf(checkout, { event_type: "payment.failed" }));
    const retry = await alice.post(`/payments/receipt/${checkout.receiptId}/start`, {
      csrf_token: await alice.token("/me"),
    });
    const query = new URL(String(retry.headers.location), "http://site").searchParams;
    expect(query.get("external_payment_id")).not.toBe(checkout.query.get("external_payment_id"));
    await send(eventOf({ ...checkout, query }));
    expect(await statusOf(checkout)).toBe("paid");
    const late = await alice.post(`/payments/receipt/${checkout.receiptId}/start`, {
      csrf_token: await alice.token("/me"),
    });
    expect(late.headers.location).toBe(`/payments/thanks?rid=${checkout.receiptId}`);
  });
});

describe("the API's description", () => {
  it("names the routes that scripts and providers use", async () => {
    const { paths } = z
      .object({ paths: z.record(z.string(), z.unknown()) })
      .parse((await site.app.inject({ method: "GET", url: "/openapi.json" })).json());
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(["/me.csv", "/payments/status", "/payments/webhook"]));
  });
});

describe("the simulation", () => {
  it.each(["production", "staging"])("is not there in %s", async (appEnv) => {
    const real = await startMeSite({ env: { ...PRODUCTION, APP_ENV: appEnv } });
    try {
      const browser = await real.browserOf("alice");
      expect((await browser.get("/payments/simulate?rid=1")).statusCode).toBe(404);
      expect((await browser.post("/payments/simulate", { csrf_token: await browser.token("/me") })).statusCode).toBe(
        404,
      );
    } finally {
      await real.close();
    }
  });
});

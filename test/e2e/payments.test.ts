/** Paying at providers in a real browser, which are doubles on loopback with pages of their own. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { issueCreditNote } from "../../src/billing/credit-notes.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { findReceipt } from "../../src/billing/queries.ts";
import { paymentsOf, startCheckout } from "../../src/payments/checkout.ts";
import type { PaymentContext } from "../../src/payments/context.ts";
import { workOnDeliveries } from "../../src/payments/deliveries.ts";
import { omiseProvider } from "../../src/payments/omise/omise-provider.ts";
import { orderRefund, sendRefunds } from "../../src/payments/refunds.ts";
import { stripeProvider } from "../../src/payments/stripe/stripe-provider.ts";
import { formatter } from "../../src/web/format.ts";
import { OmiseDouble } from "../payments/omise/double.ts";
import { startStripeDouble, STRIPE_KEY, STRIPE_WEBHOOK_SECRET, type StripeDouble } from "../payments/stripe/double.ts";
import { aJob, at, type TestContext } from "../support/context.ts";
import type { MeSite } from "../web/me-site.ts";
import { expectNoBarriers, expectNoSidewaysScroll, openSite, picture, type VisitedSite } from "./me-visit.ts";

const fmt = formatter({ lang: "en", timeZone: "Asia/Bangkok", currency: "THB" });
const BY = { actor: "root" };

let site: VisitedSite;
let server: MeSite;
let payments: PaymentContext;
let stripe: StripeDouble;
let omise: OmiseDouble;
let page: Page;
let receiptId: bigint;

beforeAll(async () => {
  let origin = "";
  stripe = await startStripeDouble({ clock: { now: () => server.clock.now() } });
  omise = await OmiseDouble.start({ now: () => server.clock.now() });
  site = await openSite(
    async (opened) => {
      server = opened;
    },
    {
      payments: ({ db, clock, currency, payments: builtIn }: TestContext) => {
        const byStripe = stripeProvider({
          secretKey: STRIPE_KEY,
          webhookSecrets: [STRIPE_WEBHOOK_SECRET],
          clock,
          baseUrl: stripe.baseUrl,
        });
        const byOmise = omiseProvider({
          secretKey: omise.secretKey,
          webhookSecrets: omise.webhookSecrets,
          clock,
          baseUrl: omise.url,
        });
        payments = {
          db,
          clock,
          currency,
          onTrouble: () => undefined,
          provider: byStripe,
          providers: new Map([byStripe, byOmise, builtIn.provider].map((provider) => [provider.name, provider])),
          get siteBaseUrl() {
            return origin;
          },
        };
        return payments;
      },
    },
  );
  ({ origin } = site);
}, 120_000);

afterAll(async () => {
  await site.close();
  await stripe.stop();
  await omise.close();
});

beforeEach(async ({ onTestFinished }) => {
  stripe.webhookUrl = `${site.origin}/payments/webhook/stripe`;
  omise.webhookUrl = `${site.origin}/payments/webhook/omise`;
  const end = at("2026-10-30T03:00:00Z");
  await server.importJobs([aJob({ allocGpus: 2, startAt: end - 3_600, endAt: end })]);
  const receipt = await issueReceipt(server, { userName: "alice", cutoffDay: "2026-10-31" }, { actor: "alice" });
  if (receipt === undefined) throw new Error("nothing was billed");
  receiptId = receipt.id;
  const visit = await site.visit();
  ({ page } = visit);
  onTestFinished(() => visit.context.close());
});

const INSTEAD = { omise: /Omise.* instead/u, dummy: /simulation instead/u };

/** To the page that asks before paying with a provider. */
async function ask(provider: "stripe" | "omise" | "dummy", tab = page): Promise<void> {
  await tab.goto(`${site.origin}/payments/receipt/${receiptId}/start`);
  if (provider !== "stripe") await tab.getByRole("link", { name: INSTEAD[provider] }).click();
}

/** From the receipt to the provider's page. */
async function pay(provider: "stripe" | "omise" | "dummy", tab = page): Promise<void> {
  await ask(provider, tab);
  await tab.locator("main button.button-primary").click();
}

const press = (label: string, tab = page): Promise<void> =>
  tab.getByRole("button", { name: label, exact: true }).click();
/** The browser's Back. Playwright's own way of it does not reach the packages' browser once another site was shown. */
async function back(to: string | RegExp): Promise<void> {
  await page.evaluate(() => history.back());
  await page.waitForURL(to);
}
const statuses = async (): Promise<string[]> => (await paymentsOf(server.db, receiptId)).map(({ status }) => status);
const heading = (): Promise<string> => page.locator("main h1").innerText();
const main = (): Promise<string> => page.locator("main").innerText();
const thanks = () => page.goto(`${site.origin}/payments/thanks?rid=${receiptId}`);
const receiptPage = () => page.goto(`${site.origin}/me/receipts/${receiptId}`);
/** Pages change by themselves; how soon is up to them. */
const becomes = (words: string) => page.locator("main").getByText(words, { exact: true }).first().waitFor();
/** The newest checkout at Stripe. */
function session(): string {
  const newest = stripe.sessions.all.at(-1);
  if (newest === undefined) throw new Error("no checkout was opened");
  return newest.id;
}
const deliver = () => stripe.outbox.deliver(`${site.origin}/payments/webhook/stripe`);

describe("with Stripe", () => {
  it("a receipt is paid, and the payer comes back to thanks", async () => {
    await page.goto(`${site.origin}/payments/receipt/${receiptId}/start`);
    await picture(page, "pay-confirm");
    await expectNoBarriers(page, "confirm");
    await expectNoSidewaysScroll(page, "confirm");
    await pay("stripe");
    await press("Pay");
    await page.waitForURL(`${site.origin}/payments/thanks?rid=${receiptId}`);
    expect(await page.locator("main").innerText()).toContain("Thank you, it is paid");
    await picture(page, "pay-thanks");
    expect(await statuses()).toEqual(["succeeded"]);
  });

  it("a declined card charges nothing, going back keeps the receipt open, and the same checkout can still be paid", async () => {
    await pay("stripe");
    const checkout = page.url();
    await press("Pay with a card that is declined");
    expect(await page.getByRole("alert").innerText()).toBe("Your card was declined.");
    await press("Back");
    await page.waitForURL(/payments\/thanks/u);
    expect(await page.locator("main").innerText()).toContain("Waiting");
    await pay("stripe");
    expect(page.url()).toBe(checkout);
    await press("Pay");
    await page.waitForURL(/payments\/thanks/u);
    expect(await statuses()).toEqual(["succeeded"]);
  });

  it("two tabs lead to one payment, and the second finds it paid", async () => {
    const second = await page.context().newPage();
    await Promise.all([pay("stripe"), pay("stripe", second)]);
    expect(second.url()).toBe(page.url());
    await press("Pay");
    await page.waitForURL(/payments\/thanks/u);
    await second.goto(`${site.origin}/payments/receipt/${receiptId}/start`);
    expect(second.url()).toContain("/payments/thanks");
    expect(await statuses()).toEqual(["succeeded"]);
  });

  it("a double click on the button pays once, with and without script", async () => {
    const before = stripe.sessions.all.length;
    await ask("stripe");
    await page.locator("main button.button-primary").dblclick();
    await page.waitForURL(/\/c\/pay\//u);
    const plain = await site.visit({ javaScriptEnabled: false });
    await ask("stripe", plain.page);
    await plain.page.locator("main button.button-primary").dblclick();
    await plain.page.waitForURL(page.url());
    await plain.context.close();
    expect(stripe.sessions.all.length - before).toBe(1);
    expect(await statuses()).toEqual(["pending"]);
  });

  it("the browser's Back leads to the page before, and from there to the same checkout", async () => {
    await pay("stripe");
    const checkout = page.url();
    await back(/payments\/receipt\/\d+\/start/u);
    expect(await heading()).toContain("Pay receipt");
    await page.locator("main button.button-primary").click();
    await page.waitForURL(checkout);
    await press("Pay");
    await page.waitForURL(/payments\/thanks/u);
    await back(checkout);
    await page.reload();
    expect(await page.locator("body").innerText()).toContain("This checkout is complete");
    expect(await statuses()).toEqual(["succeeded"]);
  });

  it("a checkout that ran out charged nothing, and the next one is paid", async () => {
    await pay("stripe");
    const old = page.url();
    stripe.sessions.expire(session());
    await deliver();
    await thanks();
    expect(await heading()).toBe("The payment page has run out");
    await picture(page, "pay-expired");
    await expectNoBarriers(page, "expired");
    await page.getByRole("link", { name: "Try again" }).click();
    await page.locator("main button.button-primary").click();
    expect(page.url()).not.toBe(old);
    await press("Pay");
    await page.waitForURL(/payments\/thanks/u);
    expect(await statuses()).toEqual(["expired", "succeeded"]);
  });

  it("a method that takes days is told as such, offers no second payment, and the page changes when the money is there", async () => {
    await pay("stripe");
    await press("Pay by bank debit");
    await page.waitForURL(/payments\/thanks/u);
    expect(await heading()).toBe("The bank is working on it");
    expect(
      await page
        .locator("main")
        .getByRole("link", { name: /^(?:Pay|Continue|Try)/u })
        .count(),
    ).toBe(0);
    await picture(page, "pay-processing");
    await expectNoBarriers(page, "processing");
    stripe.sessions.finish(session(), "succeeded");
    await deliver();
    await becomes("Thank you, it is paid");
    expect(await statuses()).toEqual(["succeeded"]);
  });

  it("a method that takes days and fails in the end leaves the receipt to be paid again", async () => {
    await pay("stripe");
    await press("Pay by bank debit");
    await page.waitForURL(/payments\/thanks/u);
    stripe.sessions.finish(session(), "failed");
    await deliver();
    await becomes("The payment did not go through");
    await pay("stripe");
    await press("Pay");
    await page.waitForURL(/payments\/thanks/u);
    expect(await statuses()).toEqual(["failed", "succeeded"]);
  });

  it("a receipt that is with the bank offers nobody to pay it again, and changes by itself", async () => {
    await pay("stripe");
    await press("Pay by bank debit");
    await page.waitForURL(/payments\/thanks/u);
    await receiptPage();
    await picture(page, "receipt-processing");
    expect(await page.locator("main").getByRole("link", { name: /^Pay/u }).count()).toBe(0);
    stripe.sessions.finish(session(), "succeeded");
    await deliver();
    await becomes("Paid");
  });

  it("money that was paid back stands on the receipt, with the credit note that says why", async () => {
    await pay("stripe");
    await press("Pay");
    await page.waitForURL(/payments\/thanks/u);
    const { totalMinor } = (await findReceipt(server.db, receiptId)) ?? { totalMinor: 0n };
    const amount = fmt.money(totalMinor);
    await issueCreditNote(server, receiptId, { scope: "full", releaseJobs: false }, "the node was broken", BY);
    await receiptPage();
    expect(await main()).toContain(`${amount} is owed back to you`);
    const [payment] = await paymentsOf(server.db, receiptId);
    await orderRefund(
      payments,
      { receiptId, paymentId: payment?.id, amountMinor: totalMinor, text: "the node was broken" },
      BY,
    );
    await sendRefunds(payments);
    await deliver();
    await workOnDeliveries(payments);
    await receiptPage();
    expect(await main()).toContain(`${amount} credited`);
    expect(await main()).toContain(`${amount} went back`);
    expect(await main()).not.toContain("is owed back to you");
    await picture(page, "receipt-refunded");
    await expectNoBarriers(page, "refunded");
    await page.getByRole("link", { name: /^CN-/u }).click();
    expect(await main()).toContain("the node was broken");
  });

  it("a payment whose event is lost is found when the payer comes back", async () => {
    stripe.webhookUrl = null;
    await pay("stripe");
    await press("Pay");
    await page.waitForURL(/payments\/thanks/u);
    expect(await page.locator("main").innerText()).toContain("Thank you, it is paid");
  });

  it("that cannot be reached says that nothing was charged, and works when it is back", async () => {
    await stripe.stop();
    await pay("stripe");
    await page.waitForURL(/start\?failed=1/u);
    expect(await page.getByRole("alert").innerText()).toContain("Nothing was charged");
    await picture(page, "pay-away");
    await expectNoBarriers(page, "away");
    expect(await statuses()).toEqual([]);
    await stripe.listen();
    await pay("stripe");
    await press("Pay");
    await page.waitForURL(/payments\/thanks/u);
    expect(await statuses()).toEqual(["succeeded"]);
  });
});

describe("with Omise", () => {
  it("a PromptPay QR is paid, and the receipt says so", async () => {
    await pay("omise");
    await press("Pay by PromptPay");
    await press("Confirm in the banking app");
    await page.goto(`${site.origin}/payments/thanks?rid=${receiptId}`);
    expect(await page.locator("main").innerText()).toContain("Thank you, it is paid");
    expect(await statuses()).toEqual(["succeeded"]);
  });

  it("a declined card leaves the receipt open, and another way to pay works", async () => {
    await pay("omise");
    await press("Pay by a card that is declined");
    await page.goto(`${site.origin}/payments/thanks?rid=${receiptId}`);
    expect(await heading()).not.toContain("paid");
    await pay("omise");
    await press("Pay by card");
    await page.goto(`${site.origin}/payments/thanks?rid=${receiptId}`);
    expect(await page.locator("main").innerText()).toContain("Thank you, it is paid");
  });

  it("only hints that a payment has changed; the page changes once Omise was asked", async () => {
    await pay("omise");
    const atOmise = await page.context().newPage();
    await atOmise.goto(page.url());
    await receiptPage();
    await press("Pay by PromptPay", atOmise);
    await press("Confirm in the banking app", atOmise);
    await omise.settled();
    expect(await statuses()).toEqual(["pending"]);
    await workOnDeliveries(payments);
    await becomes("Paid");
    expect(await statuses()).toEqual(["succeeded"]);
  });

  it("a QR code that ran out can be asked for again", async () => {
    await pay("omise");
    await press("Pay by PromptPay");
    await press("Let the QR code expire");
    await press("Pay by PromptPay");
    await press("Confirm in the banking app");
    await omise.settled();
    await workOnDeliveries(payments);
    await thanks();
    expect(await main()).toContain("Thank you, it is paid");
    expect(await statuses()).toEqual(["succeeded"]);
  });

  it("that cannot be reached says that nothing was charged", async () => {
    omise.failNext("POST", { kind: "lose_call" });
    await pay("omise");
    await page.waitForURL(/start\?failed=1/u);
    expect(await page.getByRole("alert").innerText()).toContain("Nothing was charged");
    expect(await statuses()).toEqual([]);
  });

  it("takes the place of a checkout at Stripe that was left open", async () => {
    await pay("stripe");
    await pay("omise");
    await press("Pay by card");
    await page.goto(`${site.origin}/payments/thanks?rid=${receiptId}`);
    expect(await statuses()).toEqual(["canceled", "succeeded"]);
  });
});

describe("with the built-in simulation", () => {
  it.each([
    ["Let it fail", "The payment did not go through", "failed"],
    ["Cancel", "Payment cancelled", "canceled"],
  ])("“%s” is told as “%s”, and the receipt can be paid after that", async (button, said, status) => {
    await pay("dummy");
    await press(button);
    await page.waitForURL(/payments\/thanks/u);
    expect(await heading()).toBe(said);
    await pay("dummy");
    await page.getByRole("button", { name: /^Pay ฿/u }).click();
    await page.waitForURL(/payments\/thanks/u);
    expect(await heading()).toBe("Thank you, it is paid");
    expect(await statuses()).toEqual([status, "succeeded"]);
  });
});

it.each([
  [{ width: 1_240, height: 900 }, "en", "light"],
  [{ width: 1_240, height: 900 }, "th", "light"],
  [{ width: 390, height: 844 }, "en", "light"],
  [{ width: 390, height: 844 }, "th", "dark"],
] as const)(
  "what a payer sees has no barriers, no complaints and no sideways scroll (%o, %s, %s)",
  async (viewport, lang, colorScheme) => {
    const { context, page: tab, complaints } = await site.visit({ viewport, colorScheme }, lang);
    const look = async (name: string, path: string): Promise<void> => {
      const where = `payer-${name}-${viewport.width}-${lang}-${colorScheme}`;
      await tab.goto(`${site.origin}${path}`);
      await picture(tab, where);
      await expectNoSidewaysScroll(tab, where);
      await expectNoBarriers(tab, where);
      expect({ where, isCalm: (await tab.locator("main .button-primary").count()) <= 1 }).toEqual({
        where,
        isCalm: true,
      });
    };
    const here = `/me/receipts/${receiptId}`;
    const back = `/payments/thanks?rid=${receiptId}`;
    await look("open", here);
    await look("start", `/payments/receipt/${receiptId}/start?failed=1`);
    await startCheckout(payments, receiptId, { actor: "alice" });
    await look("waiting", back);
    stripe.sessions.payLater(session());
    await deliver();
    await look("processing", back);
    await look("processing-receipt", here);
    stripe.sessions.finish(session(), "succeeded");
    await deliver();
    await look("paid", back);
    const note = await issueCreditNote(
      server,
      receiptId,
      { scope: "lines", amounts: new Map([[1, 100n]]) },
      "the node was slow",
      BY,
    );
    await look("owed", here);
    await look("credit-note", `/me/credit-notes/${note.id}`);
    await look("list", "/me/receipts");
    expect(complaints).toEqual([]);
    await context.close();
  },
  90_000,
);

/** Paying at providers in a real browser, which are doubles on loopback with pages of their own. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { issueReceipt } from "../../src/billing/issue.ts";
import { paymentsOf } from "../../src/payments/checkout.ts";
import { omiseProvider } from "../../src/payments/omise/omise-provider.ts";
import { stripeProvider } from "../../src/payments/stripe/stripe-provider.ts";
import { OmiseDouble } from "../payments/omise/double.ts";
import { startStripeDouble, STRIPE_KEY, STRIPE_WEBHOOK_SECRET, type StripeDouble } from "../payments/stripe/double.ts";
import { aJob, at, type TestContext } from "../support/context.ts";
import type { MeSite } from "../web/me-site.ts";
import { expectNoBarriers, expectNoSidewaysScroll, openSite, picture, type VisitedSite } from "./me-visit.ts";

let site: VisitedSite;
let server: MeSite;
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
      payments: ({ db, clock, currency }: TestContext) => {
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
        return {
          db,
          clock,
          currency,
          onTrouble: () => undefined,
          provider: byStripe,
          providers: new Map([byStripe, byOmise].map((provider) => [provider.name, provider])),
          get siteBaseUrl() {
            return origin;
          },
        };
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

/** From the receipt to the provider's page. */
async function pay(provider: "stripe" | "omise", tab = page): Promise<void> {
  await tab.goto(`${site.origin}/payments/receipt/${receiptId}/start`);
  if (provider === "omise") await tab.getByRole("link", { name: /Omise.* instead/u }).click();
  await tab.locator("main button.button-primary").click();
}

const press = (label: string, tab = page): Promise<void> =>
  tab.getByRole("button", { name: label, exact: true }).click();
const statuses = async (): Promise<string[]> => (await paymentsOf(server.db, receiptId)).map(({ status }) => status);
const heading = (): Promise<string> => page.locator("main h1").innerText();

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

  it("takes the place of a checkout at Stripe that was left open", async () => {
    await pay("stripe");
    await pay("omise");
    await press("Pay by card");
    await page.goto(`${site.origin}/payments/thanks?rid=${receiptId}`);
    expect(await statuses()).toEqual(["canceled", "succeeded"]);
  });
});

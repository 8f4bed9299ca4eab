import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issueReceipt } from "../../src/billing/issue.ts";
import { findReceipt } from "../../src/billing/queries.ts";
import { sql } from "../../src/db/database.ts";
import { checkPayments } from "../../src/payments/check.ts";
import { paymentsOf, startCheckout } from "../../src/payments/checkout.ts";
import type { PaymentContext } from "../../src/payments/context.ts";
import { workOnDeliveries } from "../../src/payments/deliveries.ts";
import type { PaymentProvider } from "../../src/payments/provider.ts";
import { receiveWebhook } from "../../src/payments/webhook.ts";
import { aJob, createTestContext, type TestContext } from "../support/context.ts";
import { callOf, PaperProvider } from "../support/paper-provider.ts";

let context: TestContext;
let payments: PaymentContext;
let bank: PaperProvider;
let cards: PaperProvider;
let receiptId: bigint;
let number: string;
let amountMinor: bigint;
/** What the keys of the receipt's checkouts begin with. */
let key: string;
const by = { actor: "alice" };

beforeEach(async () => {
  context = await createTestContext({ now: "2026-11-01T02:00:00Z" });
  bank = new PaperProvider("bank");
  cards = new PaperProvider("cards");
  const { db, clock, currency } = context;
  const providers = new Map<string, PaymentProvider>([bank, cards].map((provider) => [provider.name, provider]));
  const siteBaseUrl = "https://billing.example";
  payments = { db, clock, currency, siteBaseUrl, onTrouble: () => undefined, provider: bank, providers };
  await context.importJobs([aJob({ allocGpus: 2 })]);
  const receipt = await issueReceipt(context, { userName: "alice", cutoffDay: "2026-10-31" }, by);
  if (receipt === undefined) throw new Error("nothing was billed");
  receiptId = receipt.id;
  number = receipt.number;
  amountMinor = receipt.totalMinor;
  key = `${number}-${context.clock.now().getTime() / 1000}`;
});

afterEach(() => context.close());

/** The key of the receipt's so-manieth checkout, asked for in English at that time. */
function keyOf(attempt: number, at = "2026-11-01T02:00:00Z", lang = "en"): string {
  return `${key}-${attempt}-${amountMinor}-${lang}-${Date.parse(at) / 600_000}`;
}

const statuses = async () =>
  (await paymentsOf(context.db, receiptId)).map(({ provider, status }) => `${provider} ${status}`);
const receiptStatus = async () => (await findReceipt(context.db, receiptId))?.status;

describe("a checkout", () => {
  it("is asked for with a key of its own, the exact amount, and where to come back to", async () => {
    await startCheckout(payments, receiptId, by, { lang: "th" });
    expect(bank.asked).toMatchObject([
      {
        receiptNumber: number,
        idempotencyKey: keyOf(1, undefined, "th"),
        returnUrl: `https://billing.example/payments/thanks?rid=${receiptId}`,
        lang: "th",
      },
    ]);
  });

  it("is the same for two clicks at once, also at the provider", async () => {
    const [first, second] = await Promise.all([1, 2].map(() => startCheckout(payments, receiptId, by)));
    expect(second?.url).toBe(first?.url);
    expect(bank.payments.size).toBe(1);
    expect(await statuses()).toEqual(["bank pending"]);
  });

  it("that we could not write down after the provider made it is found again by its key", async () => {
    await startCheckout(payments, receiptId, by);
    await context.db.run(sql`DELETE FROM payments`);
    await startCheckout(payments, receiptId, by);
    expect(bank.payments.size).toBe(1);
  });

  it("changes nothing when the provider is away, and works when it is back", async () => {
    bank.isAway = true;
    await expect(startCheckout(payments, receiptId, by)).rejects.toThrow("bank does not answer");
    expect(await statuses()).toEqual([]);
    bank.isAway = false;
    await startCheckout(payments, receiptId, by);
    expect(await statuses()).toEqual(["bank pending"]);
  });

  it("with another provider takes the place of the one that is open", async () => {
    await startCheckout(payments, receiptId, by);
    await startCheckout(payments, receiptId, by, { provider: "cards", lang: "en" });
    expect(await statuses()).toEqual(["bank canceled", "cards pending"]);
    await expect(startCheckout(payments, receiptId, by, { provider: "nobody", lang: "en" })).rejects.toThrow(
      "enabled are: bank, cards",
    );
  });

  it("that has run out at the provider is replaced by a new one", async () => {
    await startCheckout(payments, receiptId, by);
    bank.end(`bank:${keyOf(1)}`, "canceled");
    context.clock.set("2026-11-02T02:00:00Z");
    await startCheckout(payments, receiptId, by);
    expect(await statuses()).toEqual(["bank canceled", "bank pending"]);
    expect([...bank.payments.keys()]).toEqual([`bank:${keyOf(1)}`, `bank:${keyOf(2, "2026-11-02T02:00:00Z")}`]);
  });

  it("that was paid without our knowing is not opened again", async () => {
    await startCheckout(payments, receiptId, by);
    bank.end(`bank:${keyOf(1)}`, "succeeded");
    context.clock.set("2026-11-02T02:00:00Z");
    await expect(startCheckout(payments, receiptId, by)).rejects.toThrow("is paid already");
    expect(await receiptStatus()).toBe("paid");
  });
});

describe("the check of payments whose event never came", () => {
  it.each([
    ["succeeded", "paid"],
    ["failed", "pending"],
    ["canceled", "pending"],
  ] as const)("settles one that has %s", async (status, receipt) => {
    await startCheckout(payments, receiptId, by);
    bank.end(`bank:${keyOf(1)}`, status);
    context.clock.set("2026-11-01T02:10:00Z");
    expect(await checkPayments(payments)).toEqual({ asked: 1, ended: 1 });
    expect(await statuses()).toEqual([`bank ${status}`]);
    expect(await receiptStatus()).toBe(receipt);
    context.clock.set("2026-11-01T02:20:00Z");
    expect(await checkPayments(payments)).toEqual({ asked: 0, ended: 0 });
  });

  it("leaves those alone that still wait, or began a moment ago", async () => {
    await startCheckout(payments, receiptId, by);
    expect(await checkPayments(payments)).toEqual({ asked: 0, ended: 0 });
    context.clock.set("2026-11-01T02:10:00Z");
    expect(await checkPayments(payments)).toEqual({ asked: 1, ended: 0 });
    expect(await statuses()).toEqual(["bank pending"]);
  });

  it("gives up one that the provider does not know", async () => {
    await startCheckout(payments, receiptId, by);
    bank.payments.clear();
    context.clock.set("2026-11-01T02:10:00Z");
    expect(await checkPayments(payments)).toEqual({ asked: 1, ended: 1 });
    expect(await statuses()).toEqual(["bank canceled"]);
  });

  it("fails when the provider is away, and finds the payment the next time", async () => {
    await startCheckout(payments, receiptId, by);
    bank.end(`bank:${keyOf(1)}`, "succeeded");
    context.clock.set("2026-11-01T02:10:00Z");
    bank.isAway = true;
    await expect(checkPayments(payments)).rejects.toThrow("bank does not answer");
    bank.isAway = false;
    await checkPayments(payments);
    expect(await receiptStatus()).toBe("paid");
  });

  it("settles once when the event comes at the same moment", async () => {
    await startCheckout(payments, receiptId, by);
    bank.end(`bank:${keyOf(1)}`, "succeeded");
    context.clock.set("2026-11-01T02:10:00Z");
    const call = callOf(bank.eventOf(`bank:${keyOf(1)}`, "succeeded"));
    await Promise.all([
      checkPayments(payments),
      receiveWebhook(payments, bank, call),
      receiveWebhook(payments, bank, call),
    ]);
    expect(await statuses()).toEqual(["bank succeeded"]);
    expect(await receiptStatus()).toBe("paid");
  });
});

describe("a provider whose events are only a hint", () => {
  const hint = () => receiveWebhook(payments, bank, callOf(bank.eventOf(`bank:${keyOf(1)}`, "succeeded")));
  const verdicts = async () => {
    const all: string[] = [];
    await workOnDeliveries(payments, {
      onVerdict: (_provider, { verdict, reason }) => all.push(`${verdict}: ${reason}`),
    });
    return all;
  };

  beforeEach(async () => {
    bank.confirmsByFetching = true;
    await startCheckout(payments, receiptId, by);
  });

  it("is asked before a success counts, after the event was kept and answered", async () => {
    expect(await hint()).toMatchObject({ verdict: "stored" });
    expect(await verdicts()).toEqual(["ignored: the provider was asked and says that the payment is pending"]);
    expect(await receiptStatus()).toBe("pending");
    bank.end(`bank:${keyOf(1)}`, "succeeded");
    await hint();
    expect(await verdicts()).toEqual([expect.stringContaining("applied")]);
    expect(await receiptStatus()).toBe("paid");
  });

  it("is asked again later when it does not answer", async () => {
    bank.end(`bank:${keyOf(1)}`, "succeeded");
    bank.isAway = true;
    expect(await hint()).toMatchObject({ verdict: "stored" });
    expect(await verdicts()).toEqual([]);
    expect(await receiptStatus()).toBe("pending");
    bank.isAway = false;
    expect(await verdicts()).toEqual([]);
    context.clock.set("2026-11-01T02:00:11Z");
    expect(await verdicts()).toEqual([expect.stringContaining("applied")]);
    expect(await receiptStatus()).toBe("paid");
  });
});

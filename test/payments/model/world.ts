/** One centre with one payer, two providers, an admin, and a process that may die at any statement. */
import { issueReceipt, type BillingContext } from "../../../src/billing/issue.ts";
import { UpstreamError, UserError } from "../../../src/errors.ts";
import { checkPayments } from "../../../src/payments/check.ts";
import { closeCheckouts } from "../../../src/payments/close.ts";
import { paymentsOf, type Payment } from "../../../src/payments/checkout.ts";
import type { PaymentContext } from "../../../src/payments/context.ts";
import { workOnDeliveries } from "../../../src/payments/deliveries.ts";
import type { PaymentProvider } from "../../../src/payments/provider.ts";
import { sendRefunds } from "../../../src/payments/refunds.ts";
import { receiveWebhook } from "../../../src/payments/webhook.ts";
import { listReceipts, type Receipt } from "../../../src/billing/queries.ts";
import type { Database } from "../../../src/db/database.ts";
import { aJob, importJobs, type TestClock } from "../../support/context.ts";
import { callOf, PaperProvider } from "../../support/paper-provider.ts";
import { Crash, type CrashingDatabase } from "./crashing-database.ts";

export const ADMIN = { actor: "admin" };

/** The steps that a command took, for whoever reads a failure. */
export class World {
  readonly user: string;
  /** Reads for the test itself: nothing dies there. */
  readonly db: Database;
  readonly billing: BillingContext;
  readonly payments: PaymentContext;
  readonly providers: readonly PaperProvider[];
  readonly #crashing: CrashingDatabase;
  readonly #clock: TestClock;
  #months = 0;

  constructor(
    user: string,
    base: {
      readonly db: Database;
      readonly crashing: CrashingDatabase;
      readonly clock: TestClock;
      readonly billing: BillingContext;
    },
  ) {
    this.user = user;
    this.db = base.db;
    this.#crashing = base.crashing;
    this.#clock = base.clock;
    this.billing = { ...base.billing, db: base.crashing };
    const trusted = new PaperProvider(`bank-${user}`);
    const hinting = new PaperProvider(`cards-${user}`);
    hinting.confirmsByFetching = true;
    this.providers = [trusted, hinting];
    this.payments = {
      db: base.crashing,
      clock: base.clock,
      currency: base.billing.currency,
      siteBaseUrl: "https://billing.example",
      onTrouble: () => undefined,
      provider: trusted,
      providers: new Map(this.providers.map((one): [string, PaymentProvider] => [one.name, one])),
    };
  }

  /** Does something that may be refused, fail at the provider, or be cut short by a crash; anything else is a bug. */
  async attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const isExpected = error instanceof UserError || error instanceof UpstreamError || error instanceof Crash;
      if (!isExpected) throw error;
    } finally {
      this.#crashing.restart();
    }
  }

  crashIn(steps: number): void {
    this.#crashing.crashIn(steps);
  }

  pass(seconds: number): void {
    this.#clock.set(new Date(this.#clock.now().getTime() + seconds * 1000).toISOString());
  }

  /** Another finished job, so that there is something to bill. */
  async bill(): Promise<void> {
    const endAt = Date.UTC(2026, 9, 1 + (this.#months++ % 28)) / 1000;
    const times = { submitAt: endAt - 3600, startAt: endAt - 3600, endAt };
    const { db, clock, currency, days } = this.billing;
    await importJobs({ db, clock, currency, days }, [
      aJob({ user: this.user, allocGpus: 1 + (this.#months % 3), ...times }),
    ]);
    await issueReceipt(this.billing, { userName: this.user, cutoffDay: "2026-10-31" }, { actor: this.user });
  }

  async receipts(): Promise<Receipt[]> {
    return (await listReceipts(this.db, { userName: this.user }, { limit: 100 })).reverse();
  }

  async receipt(pick: number): Promise<Receipt | undefined> {
    const all = await this.receipts();
    return all[pick % Math.max(1, all.length)];
  }

  async allPayments(): Promise<Payment[]> {
    const receipts = await this.receipts();
    return (await Promise.all(receipts.map(({ id }) => paymentsOf(this.db, id)))).flat();
  }

  providerOf(payment: Payment): PaperProvider | undefined {
    return this.providers.find(({ name }) => name === payment.provider);
  }

  /** All payments that a provider knows, ours or (after a crash) not yet ours. */
  paperPayments(): { readonly provider: PaperProvider; readonly id: string }[] {
    return this.providers.flatMap((provider) => [...provider.payments.keys()].map((id) => ({ provider, id })));
  }

  async deliver(provider: PaperProvider, body: Buffer): Promise<void> {
    await receiveWebhook(this.payments, provider, callOf(body));
  }

  async background(): Promise<void> {
    await workOnDeliveries(this.payments);
    await sendRefunds(this.payments);
    await closeCheckouts(this.payments);
    await checkPayments(this.payments);
  }

  /** Everybody is back, every event arrives, and time passes: now nothing may be left to do. */
  async quiesce(): Promise<void> {
    this.#crashing.restart();
    for (const provider of this.providers) {
      provider.isAway = false;
      for (const body of provider.outbox.splice(0)) await this.deliver(provider, body);
    }
    for (let round = 0; round < 4; round++) {
      await this.background();
      this.pass(9 * 3600);
      for (const provider of this.providers)
        for (const body of provider.outbox.splice(0)) await this.deliver(provider, body);
    }
    await this.background();
  }
}

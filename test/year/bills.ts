import { issueReceipt, type IssuedReceipt } from "../../src/billing/issue.ts";
import { billMonth } from "../../src/billing/month.ts";
import { markPaid, voidReceipt } from "../../src/billing/settle.ts";
import { addDays } from "../../src/usage/site-day.ts";
import type { TestContext } from "../support/context.ts";
import { localDay } from "./berlin.ts";
import type { Dice } from "./dice.ts";
import type { Life } from "./life.ts";
import { PEOPLE } from "./people.ts";

const DAY = 86_400;
const by = { actor: "root" };

/** A month that was billed: when, and up to which day. */
export interface BilledMonth {
  readonly at: number;
  readonly cutoffDay: string;
}

/** The finance office: bills months, takes money, and takes receipts back. */
export class Bills {
  readonly #context: TestContext;
  readonly #life: Life;
  readonly #dice: Dice;
  readonly #pending: bigint[] = [];
  lastMonth: BilledMonth | null = null;
  paid = 0;
  voided = 0;

  constructor(context: TestContext, life: Life, dice: Dice) {
    this.#context = context;
    this.#life = life;
    this.#dice = dice;
  }

  /** Bills the month before from its third day on; in between, people make receipts of their own, and some get paid. */
  async act(now: number): Promise<void> {
    const today = localDay(now);
    const cutoffDay = addDays(`${today.slice(0, 8)}01`, -1);
    if (today.slice(8) >= "03" && now > this.#life.from + 3 * DAY && this.lastMonth?.cutoffDay !== cutoffDay) {
      this.#waitForPayment(await billMonth(this.#context, { month: cutoffDay.slice(0, 7) }, by));
      this.lastMonth = { at: now, cutoffDay };
    }
    if (this.#dice.percent(6)) await this.#billSomebody(addDays(today, -this.#dice.int(0, 9)));
    if (this.#dice.percent(20)) await this.#settleOne();
  }

  async #billSomebody(cutoffDay: string): Promise<void> {
    const { user } = this.#dice.pick(PEOPLE);
    const receipt = await issueReceipt(this.#context, { userName: user, cutoffDay }, { actor: user });
    if (receipt !== undefined) this.#waitForPayment([receipt]);
  }

  #waitForPayment(receipts: readonly IssuedReceipt[]): void {
    for (const { id, totalMinor } of receipts) if (totalMinor > 0n) this.#pending.push(id);
  }

  async #settleOne(): Promise<void> {
    const [id] = this.#pending.splice(this.#dice.int(0, Math.max(0, this.#pending.length - 1)), 1);
    if (id === undefined) return;
    if (this.#dice.percent(70)) {
      await markPaid(this.#context, id, "a transfer", by);
      this.paid++;
    } else {
      await voidReceipt(this.#context, id, "issued by mistake", by);
      this.voided++;
    }
  }
}

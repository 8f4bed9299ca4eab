/** Money that goes back: refunds and disputes, as in https://docs.omise.co/refunds-api and /disputes-api. */
import { newId, type DoubleCharge, type DoubleDispute, type DoubleRefund, type OmiseBooks } from "./double-books.ts";
import { disputeJson, refundJson } from "./double-json.ts";

/** A charge takes fewer partial refunds than this. */
const MOST_REFUNDS = 15;

export class MoneyBack {
  /** How refunds begin: some banks take their time. */
  refundsBeginAs: DoubleRefund["status"] = "closed";
  readonly #books: OmiseBooks;

  constructor(books: OmiseBooks) {
    this.#books = books;
  }

  /** Why Omise would not pay back so much of a charge; null when it would. */
  refusal(charge: DoubleCharge, amount: number): string | null {
    if (charge.status !== "successful") return "charge was not captured";
    if (charge.dispute !== null && charge.dispute.status !== "won") return "charge is disputed";
    if (charge.refunds.length >= MOST_REFUNDS) return "charge has too many refunds";
    const back = charge.refunds.filter(({ status }) => status !== "failed");
    const left = charge.amount - back.reduce((sum, refund) => sum + refund.amount, 0);
    if (left === 0) return "charge was already refunded";
    return amount > left ? "amount is greater than what is left of the charge" : null;
  }

  /** Through the API or, without metadata, in the dashboard. One event tells that it was made, and none how it ends. */
  refund(charge: DoubleCharge, amount: number, metadata: Readonly<Record<string, string>> = {}): DoubleRefund {
    const refused = this.refusal(charge, amount);
    if (refused !== null) throw new Error(refused);
    const refund: DoubleRefund = {
      id: newId("rfnd"),
      charge: charge.id,
      amount,
      currency: charge.currency,
      metadata,
      createdAt: this.#books.clock.now(),
      status: this.refundsBeginAs,
    };
    charge.refunds.push(refund);
    this.#books.tell("refund.create", refundJson(refund));
    return refund;
  }

  /** The payer's bank takes a charge back, all or a part. */
  openDispute(charge: DoubleCharge, amount = charge.amount): DoubleDispute {
    const dispute: DoubleDispute = {
      id: newId("dspt"),
      charge: charge.id,
      amount,
      currency: charge.currency,
      createdAt: this.#books.clock.now(),
      status: "open",
    };
    charge.dispute = dispute;
    this.#books.tell("dispute.create", disputeJson(dispute));
    return dispute;
  }

  /** Evidence was handed in (`pending`), or the dispute has ended. */
  moveDispute(dispute: DoubleDispute, status: "pending" | "won" | "lost"): void {
    dispute.status = status;
    this.#books.tell(status === "pending" ? "dispute.update" : "dispute.close", disputeJson(dispute));
  }
}

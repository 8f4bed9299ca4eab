/** The double's disputes; every move makes its events. Source: docs.stripe.com/disputes and /api/disputes. */
import type { Stripe } from "stripe";
import type { ApiAnswer } from "./api-answer.ts";
import { listAnswer } from "./list-answer.ts";
import type { Outbox } from "./outbox.ts";
import type { SessionBook } from "./session-book.ts";
import { newId, type KeptDispute } from "./sessions.ts";

const CLOSED: ReadonlySet<string> = new Set(["won", "lost", "warning_closed", "prevented"]);

export class DisputeBook {
  readonly #outbox: Outbox;
  readonly #sessions: SessionBook;

  constructor(outbox: Outbox, sessions: SessionBook) {
    this.#outbox = outbox;
    this.#sessions = sessions;
  }

  /**
   * The payer's bank takes the money back, all or a part; with `warning_needs_response` it only inquires.
   * @returns the dispute's id, for `move`.
   */
  open(sessionId: string, asked: { readonly amount?: number; readonly status?: Stripe.Dispute.Status } = {}): string {
    const kept = this.#sessions.kept(sessionId);
    const status = asked.status ?? "needs_response";
    const isInquiry = status.startsWith("warning_");
    const dispute: KeptDispute = {
      id: newId("du"),
      object: "dispute",
      amount: asked.amount ?? kept.session.amount_total ?? 0,
      charge: kept.chargeId ?? "",
      currency: kept.session.currency ?? "",
      is_charge_refundable: isInquiry,
      livemode: kept.session.livemode,
      metadata: {},
      payment_intent: kept.session.payment_intent,
      reason: "fraudulent",
      status,
    };
    kept.disputes.push(dispute);
    this.#outbox.add("charge.dispute.created", dispute);
    if (!isInquiry) this.#outbox.add("charge.dispute.funds_withdrawn", dispute);
    return dispute.id;
  }

  /** Evidence was handed in (`under_review`), or the dispute has ended (`won`, `lost`, …). */
  move(disputeId: string, status: Stripe.Dispute.Status): void {
    const dispute = this.#sessions.everyKept.flatMap(({ disputes }) => disputes).find(({ id }) => id === disputeId);
    if (dispute === undefined) throw new Error(`there is no dispute ${disputeId}`);
    dispute.status = status;
    this.#outbox.add(CLOSED.has(status) ? "charge.dispute.closed" : "charge.dispute.updated", dispute);
    if (status === "won") this.#outbox.add("charge.dispute.funds_reinstated", dispute);
  }

  /** `GET /v1/disputes` */
  list(query: URLSearchParams): ApiAnswer {
    const intent = query.get("payment_intent");
    const asked = this.#sessions.everyKept.filter(
      ({ session }) => intent === null || session.payment_intent === intent,
    );
    const disputes = asked.flatMap((kept) => kept.disputes);
    return listAnswer("/v1/disputes", disputes, query);
  }
}

/** What happened to a receipt, from its own dates, its payments and its money, oldest first. */
import type { ComponentChildren } from "preact";
import type { CreditNote } from "../../../billing/credit-note-queries.ts";
import type { Movement } from "../../../billing/money-movements.ts";
import type { Receipt } from "../../../billing/queries.ts";
import type { Payment } from "../../../payments/checkout.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import type { TimelineStep } from "../ui/index.ts";
import type { ReceiptMoney } from "./money-model.ts";

export interface StoryOf {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly receipt: Receipt;
  readonly payments: readonly Payment[];
  readonly money: Pick<ReceiptMoney, "movements" | "creditNotes">;
  /** Who reads it. */
  readonly reader: string;
}

interface Dated {
  readonly at: Date;
  readonly steps: readonly TimelineStep[];
}

export function storyOf(story: StoryOf): TimelineStep[] {
  const { t, fmt, receipt, payments, money, reader } = story;
  const time = (at: Date): string => fmt.dateTimeShort(at);
  const by = (at: Date, who: string): string =>
    who === reader ? t("receipts.story.byYou", { time: time(at) }) : t("receipts.story.by", { time: time(at), who });
  const issued: TimelineStep = {
    state: "done",
    title: t("receipts.story.issued"),
    note: by(receipt.issuedAt, receipt.issuedBy),
  };
  // What settled the receipt is told as that.
  const moved = money.movements.filter((movement) => !isTheSettlement(receipt, movement));
  const told = (movement: Movement): Dated => ({ at: movement.at, steps: [movementStep(story, movement)] });
  const cameIn = moved.filter(({ amountMinor }) => amountMinor > 0n).map(told);
  const wentOut = moved.filter(({ amountMinor }) => amountMinor < 0n).map(told);
  const credited = money.creditNotes.map((note) => ({ at: note.issuedAt, steps: [creditStep(story, note)] }));
  const ended = endedSteps(story, by);
  // Of the same moment, the cause comes first.
  const events: Dated[] = [
    ...payments.map((payment) => ({ at: payment.createdAt, steps: paymentSteps(story, payment) })),
    ...(receipt.paidMethod === "credit_note" ? [...cameIn, ...credited, ...ended] : [...ended, ...cameIn, ...credited]),
    ...wentOut,
  ];
  const inOrder = events.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  return [issued, ...inOrder.flatMap(({ steps }) => steps), ...nowSteps(story)];
}

function isTheSettlement(
  { status, paidAt, paidReference }: Receipt,
  { at, reference, amountMinor }: Movement,
): boolean {
  return status === "paid" && amountMinor > 0n && paidAt?.getTime() === at.getTime() && paidReference === reference;
}

/** A provider by the name people know. */
export function providerText(t: Translator, provider: string): string {
  if (provider === "dummy") return t("payments.provider.dummy");
  if (provider === "stripe") return t("payments.provider.stripe");
  return provider === "omise" ? t("payments.provider.omise") : provider;
}

function paymentSteps({ t, fmt }: StoryOf, payment: Payment): TimelineStep[] {
  const provider = providerText(t, payment.provider);
  const opened: TimelineStep = {
    state: "done",
    title: t("receipts.story.checkout"),
    note: `${fmt.dateTimeShort(payment.createdAt)}, ${provider}`,
  };
  if (payment.status === "failed")
    return [opened, { state: "failed", title: t("receipts.story.failed"), note: t("receipts.story.failedHint") }];
  if (payment.status === "canceled") return [opened, { state: "failed", title: t("receipts.story.canceled") }];
  if (payment.status === "expired") return [opened, { state: "failed", title: t("receipts.story.expired") }];
  return [opened];
}

function movementStep({ t, fmt }: StoryOf, movement: Movement): TimelineStep {
  const amount = fmt.money(movement.amountMinor < 0n ? -movement.amountMinor : movement.amountMinor);
  const time = fmt.dateTimeShort(movement.at);
  return movement.amountMinor > 0n
    ? { state: "done", title: t("receipts.story.received", { amount }), note: time }
    : { state: "done", title: t("receipts.story.wentBack", { amount }), note: time };
}

function creditStep({ t, fmt }: StoryOf, note: CreditNote): TimelineStep {
  return {
    state: "done",
    title: t("receipts.story.credited", { amount: fmt.money(note.totalMinor) }),
    note: (
      <>
        {fmt.dateTimeShort(note.issuedAt)}, <a href={`/me/credit-notes/${note.id}`}>{note.number}</a>
      </>
    ),
  };
}

/** How the receipt was settled or taken back; money may move after that. */
function endedSteps({ t, fmt, receipt }: StoryOf, by: (at: Date, who: string) => string): Dated[] {
  const { status, paidAt, voidedAt } = receipt;
  if (status === "paid" && paidAt !== null) {
    const note = paidNote(t, fmt.dateTimeShort(paidAt), receipt);
    return [{ at: paidAt, steps: [{ state: "done", title: t("receipts.story.paid"), note }] }];
  }
  if (status === "void" && voidedAt !== null) {
    const note = by(voidedAt, receipt.voidedBy ?? "");
    return [{ at: voidedAt, steps: [{ state: "failed", title: t("receipts.story.void"), note }] }];
  }
  return [];
}

/** What is still to come. */
function nowSteps({ t, fmt, receipt, payments }: StoryOf): TimelineStep[] {
  if (receipt.dueMinor < 0n)
    return [{ state: "current", title: t("receipts.story.owedBack", { amount: fmt.money(-receipt.dueMinor) }) }];
  if (receipt.status !== "pending") return [];
  if (payments.some(({ status }) => status === "processing"))
    return [{ state: "current", title: t("receipts.story.waitingBank"), note: t("receipts.story.processingHint") }];
  if (payments.some(({ status }) => status === "pending"))
    return [{ state: "current", title: t("receipts.story.waitingBank"), note: t("receipts.story.waitingBankHint") }];
  const hint = <span class="no-print">{waitingHint(t, fmt, receipt)}</span>;
  return [{ state: "current", title: t("receipts.story.waitingPayment"), note: hint }];
}

function waitingHint(t: Translator, fmt: Formatter, { dueMinor, totalMinor }: Receipt): string {
  return dueMinor === totalMinor
    ? t("receipts.story.waitingPaymentHint")
    : t("receipts.story.waitingRest", { amount: fmt.money(dueMinor) });
}

function paidNote(t: Translator, time: string, { paidMethod, paidReference }: Receipt): ComponentChildren {
  const reference = paidReference ?? "";
  if (paidMethod === "nothing_to_pay") return t("receipts.story.nothingToPay", { time });
  if (paidMethod === "manual") return t("receipts.story.paidManual", { time, reference });
  if (paidMethod === "credit_note") return t("receipts.story.paidCredit", { time, reference });
  if (paidMethod === "transfer") return t("receipts.story.paidTransfer", { time, reference });
  if (paidMethod === "moved_in") return t("receipts.story.paidMoved", { time, reference });
  return t("receipts.story.paidProvider", { time, provider: providerText(t, paidMethod ?? "") });
}

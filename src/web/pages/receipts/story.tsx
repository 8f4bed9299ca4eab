/** What happened to a receipt, from its own dates and its payments, oldest first. */
import type { ComponentChildren } from "preact";
import type { Receipt } from "../../../billing/queries.ts";
import type { Payment } from "../../../payments/checkout.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import type { TimelineStep } from "../ui/index.ts";

export interface StoryOf {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly receipt: Receipt;
  readonly payments: readonly Payment[];
  /** Who reads it. */
  readonly reader: string;
}

export function storyOf(story: StoryOf): TimelineStep[] {
  const { t, fmt, receipt, payments, reader } = story;
  const time = (at: Date): string => fmt.dateTimeShort(at);
  const by = (at: Date, who: string): string =>
    who === reader ? t("receipts.story.byYou", { time: time(at) }) : t("receipts.story.by", { time: time(at), who });
  const issued: TimelineStep = {
    state: "done",
    title: t("receipts.story.issued"),
    note: by(receipt.issuedAt, receipt.issuedBy),
  };
  return [issued, ...payments.flatMap((payment) => paymentSteps(story, payment)), ...endOf(story, by)];
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
  return [opened];
}

function endOf({ t, fmt, receipt, payments }: StoryOf, by: (at: Date, who: string) => string): TimelineStep[] {
  if (receipt.status === "paid" && receipt.paidAt !== null) {
    return [
      { state: "done", title: t("receipts.story.paid"), note: paidNote(t, fmt.dateTimeShort(receipt.paidAt), receipt) },
    ];
  }
  if (receipt.status === "void" && receipt.voidedAt !== null) {
    return [{ state: "failed", title: t("receipts.story.void"), note: by(receipt.voidedAt, receipt.voidedBy ?? "") }];
  }
  const isUnderWay = payments.some(({ status }) => status === "pending");
  return isUnderWay
    ? [{ state: "current", title: t("receipts.story.waitingBank"), note: t("receipts.story.waitingBankHint") }]
    : [
        {
          state: "current",
          title: t("receipts.story.waitingPayment"),
          note: <span class="no-print">{t("receipts.story.waitingPaymentHint")}</span>,
        },
      ];
}

function paidNote(t: Translator, time: string, { paidMethod, paidReference }: Receipt): ComponentChildren {
  if (paidMethod === "nothing_to_pay") return t("receipts.story.nothingToPay", { time });
  if (paidMethod === "manual") return t("receipts.story.paidManual", { time, reference: paidReference ?? "" });
  return t("receipts.story.paidProvider", { time, provider: providerText(t, paidMethod ?? "") });
}

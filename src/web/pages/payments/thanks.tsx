/** Did it work? */
import type { ComponentChildren } from "preact";
import type { Receipt } from "../../../billing/queries.ts";
import type { Formatter } from "../../format.ts";
import { UserShell, type SignedInFrame } from "../layout.tsx";
import { LinkButton, Notice, Panel, Timeline, type NoticeKind, type TimelineStep } from "../ui/index.ts";

/** Where the payment stands; see `paymentStateOf`. */
export type ThanksState = "open" | "waiting" | "processing" | "failed" | "canceled" | "expired" | "paid" | "void";

export interface ThanksProps {
  readonly frame: SignedInFrame;
  readonly fmt: Formatter;
  readonly receipt: Receipt;
  readonly state: ThanksState;
  readonly steps: readonly TimelineStep[];
  /** Where a checkout that is under way goes on. */
  readonly checkoutHref: string | null;
}

const LOOKS = {
  open: ["info", "payments.open.title"],
  waiting: ["info", "payments.waiting.title"],
  processing: ["info", "payments.processing.title"],
  failed: ["error", "payments.failed.title"],
  canceled: ["warning", "payments.canceled.title"],
  expired: ["warning", "payments.expired.title"],
  paid: ["good", "payments.paid.title"],
  void: ["warning", "payments.void.title"],
} as const satisfies Readonly<Record<ThanksState, readonly [NoticeKind, string]>>;

export function ThanksPage(props: ThanksProps) {
  const { frame, receipt, state, steps } = props;
  const { t } = frame;
  const [kind, title] = LOOKS[state];
  return (
    <UserShell
      frame={frame}
      title={t(title)}
      subtitle={t("receipts.titleOne", { number: receipt.number })}
      actions={<Actions {...props} />}
    >
      <Notice kind={kind} t={t}>
        <Hint {...props} />
      </Notice>
      <Panel title={t("receipts.story")} id="story">
        {state === "waiting" || state === "processing" ? (
          <div data-poll-url={`/payments/status?rid=${receipt.id}`} data-poll-status={state} />
        ) : null}
        <Timeline t={t} steps={steps} />
      </Panel>
    </UserShell>
  );
}

function Hint({ frame, fmt, receipt, state }: ThanksProps): ComponentChildren {
  const { t } = frame;
  const { number } = receipt;
  switch (state) {
    case "open":
      return t("payments.open.hint");
    case "waiting":
      return t("payments.waiting.hint");
    case "processing":
      return t("payments.processing.hint");
    case "expired":
      return t("payments.expired.hint");
    case "failed":
      return t("payments.failed.hint");
    case "canceled":
      return t("payments.canceled.hint");
    case "paid":
      return t("payments.paid.hint", {
        amount: fmt.money(receipt.receivedMinor),
        number,
        time: receipt.paidAt === null ? "" : fmt.dateTime(receipt.paidAt),
      });
    case "void":
      return t("payments.void.hint", { number });
  }
}

function Actions({ frame, fmt, receipt, state, checkoutHref }: ThanksProps) {
  const { t } = frame;
  const start = `/payments/receipt/${receipt.id}/start`;
  const back = (kind: "primary" | "secondary") => (
    <LinkButton kind={kind} href={`/me/receipts/${receipt.id}`}>
      {t("payments.backToReceipt")}
    </LinkButton>
  );
  if (state === "paid" || state === "void") return back("primary");
  if (state === "waiting" || state === "processing") {
    return (
      <>
        {back("secondary")}
        {checkoutHref === null || state === "processing" ? null : (
          <LinkButton href={checkoutHref}>{t("payments.waiting.resume")}</LinkButton>
        )}
        <LinkButton kind="primary" href={`/payments/thanks?rid=${receipt.id}`}>
          {t("payments.waiting.refresh")}
        </LinkButton>
      </>
    );
  }
  return (
    <>
      {back("secondary")}
      <LinkButton kind="primary" href={start}>
        {state === "open" ? t("payments.pay", { amount: fmt.money(receipt.dueMinor) }) : t("payments.retry")}
      </LinkButton>
    </>
  );
}

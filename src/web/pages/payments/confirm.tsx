import type { Receipt } from "../../../billing/queries.ts";
import type { Formatter } from "../../format.ts";
import { UserShell, type SignedInFrame } from "../layout.tsx";
import { ConfirmBody, KeyFigure } from "../ui/index.ts";

export interface ConfirmPaymentProps {
  readonly frame: SignedInFrame;
  readonly fmt: Formatter;
  readonly receipt: Receipt;
  readonly provider: string;
}

/** Asks before money moves: how much, for what, and what comes next. */
export function ConfirmPaymentPage({ frame, fmt, receipt, provider }: ConfirmPaymentProps) {
  const { t } = frame;
  const { number } = receipt;
  return (
    <UserShell frame={frame} title={t("payments.confirm.title", { number })}>
      <ConfirmBody
        t={t}
        csrfToken={frame.csrfToken}
        action={`/payments/receipt/${receipt.id}/start`}
        submit={t("payments.pay", { amount: fmt.money(receipt.totalMinor) })}
        cancelHref={`/me/receipts/${receipt.id}`}
      >
        <KeyFigure label={t("receipts.total")} value={fmt.moneyParts(receipt.totalMinor)} />
        <p>
          {t("payments.confirm.about", { number, count: Number(receipt.jobs), day: fmt.dateLong(receipt.cutoffDay) })}
        </p>
        <p>{t("payments.confirm.next", { provider })}</p>
        <p class="small second">{t("payments.confirm.once")}</p>
      </ConfirmBody>
    </UserShell>
  );
}

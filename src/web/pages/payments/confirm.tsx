import type { Receipt } from "../../../billing/queries.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { UserShell, type SignedInFrame } from "../layout.tsx";
import { ConfirmBody, KeyFigure, Notice } from "../ui/index.ts";

/** A provider, and how people know it. */
interface ProviderName {
  readonly name: string;
  readonly label: string;
}

export interface ConfirmPaymentProps {
  readonly frame: SignedInFrame;
  readonly fmt: Formatter;
  readonly receipt: Receipt;
  readonly provider: ProviderName & { readonly sendsBack: boolean };
  /** Those that the payer may choose instead. */
  readonly others: readonly ProviderName[];
  /** True when the provider could not be reached a moment ago. */
  readonly failed: boolean;
}

/** Asks before money moves: how much, for what, and what comes next. */
export function ConfirmPaymentPage({ frame, fmt, receipt, provider, others, failed }: ConfirmPaymentProps) {
  const { t } = frame;
  const { number } = receipt;
  return (
    <UserShell frame={frame} title={t("payments.confirm.title", { number })}>
      {failed ? (
        <Notice kind="error" t={t} title={t("payments.confirm.failed")}>
          {t("payments.confirm.failedHint")}
        </Notice>
      ) : null}
      <ConfirmBody
        t={t}
        csrfToken={frame.csrfToken}
        action={`/payments/receipt/${receipt.id}/start`}
        submit={t("payments.pay", { amount: fmt.money(receipt.dueMinor) })}
        cancelHref={`/me/receipts/${receipt.id}`}
        fields={{ provider: provider.name }}
      >
        <KeyFigure label={t("payments.due")} value={fmt.moneyParts(receipt.dueMinor)} />
        <p>
          {t("payments.confirm.about", { number, count: Number(receipt.jobs), day: fmt.dateLong(receipt.cutoffDay) })}
        </p>
        <Choice t={t} receipt={receipt} provider={provider} others={others} />
        <p class="small second">{t("payments.confirm.once")}</p>
      </ConfirmBody>
    </UserShell>
  );
}

/** The page says with whom it is about to be paid, and leads to the others. */
function Choice({
  t,
  receipt,
  provider,
  others,
}: Pick<ConfirmPaymentProps, "receipt" | "provider" | "others"> & { readonly t: Translator }) {
  return (
    <>
      <p>{t("payments.confirm.next", { provider: provider.label })}</p>
      {provider.sendsBack ? null : <p>{t("payments.confirm.comeBack")}</p>}
      {others.map(({ name, label }) => (
        <p class="small">
          <a href={`/payments/receipt/${receipt.id}/start?provider=${encodeURIComponent(name)}`}>
            {t("payments.confirm.instead", { provider: label })}
          </a>
        </p>
      ))}
    </>
  );
}

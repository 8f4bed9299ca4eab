import type { Formatter } from "../../format.ts";
import { BareShell, type Frame } from "../layout.tsx";
import { Button, CsrfField, HiddenFields, KeyFigure, Panel } from "../ui/index.ts";

/** What the provider was asked for, as the checkout's address says it. */
export interface SimulatedCheckout {
  readonly rid: string;
  readonly external_payment_id: string;
  readonly amount_cents: string;
  readonly currency: string;
}

export interface SimulateProps {
  readonly frame: Frame;
  readonly fmt: Formatter;
  readonly checkout: SimulatedCheckout;
  readonly amountMinor: bigint;
}

/** Stands in for a provider's page while developing: each button is what the provider would report. */
export function SimulatePage({ frame, fmt, checkout, amountMinor }: SimulateProps) {
  const { t } = frame;
  return (
    <BareShell
      frame={frame}
      title={t("payments.simulate.title")}
      subtitle={`${t("payments.simulate.payment")} ${checkout.external_payment_id}`}
    >
      <Panel>
        <form method="post" action="/payments/simulate" class="stack-form">
          <CsrfField token={frame.csrfToken} />
          <HiddenFields values={{ ...checkout }} />
          <KeyFigure label={t("receipts.total")} value={fmt.moneyParts(amountMinor)} />
          <p>{t("payments.simulate.about")}</p>
          <div class="actions">
            <Button kind="primary" name="outcome" value="succeeded" busyText={t("action.working")}>
              {t("payments.simulate.succeed", { amount: fmt.money(amountMinor) })}
            </Button>
            <Button name="outcome" value="failed">
              {t("payments.simulate.fail")}
            </Button>
            <Button name="outcome" value="canceled">
              {t("payments.simulate.cancel")}
            </Button>
          </div>
        </form>
      </Panel>
    </BareShell>
  );
}

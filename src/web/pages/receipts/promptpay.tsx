/** The QR with which a receipt is paid from a bank's app. */
import type { ReceiptQr } from "../../../payments/promptpay/receipt-qr.ts";
import { qrPath } from "../../../payments/promptpay/qr-svg.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { CopyButton, Panel, Terms } from "../ui/index.ts";

export function PromptPay({ t, fmt, qr }: { readonly t: Translator; readonly fmt: Formatter; readonly qr: ReceiptQr }) {
  const { size, d } = qrPath(qr.payload);
  const amount = fmt.money(qr.amountMinor);
  return (
    <Panel id="promptpay" title={t("promptpay.title")}>
      <div class="promptpay">
        <svg
          class="promptpay-code"
          viewBox={`0 0 ${size} ${size}`}
          role="img"
          aria-label={t("promptpay.code", { amount })}
          shape-rendering="crispEdges"
        >
          <rect width={size} height={size} fill="#fff" />
          <path d={d} fill="#000" />
        </svg>
        <div>
          <p>{t("promptpay.how")}</p>
          <Terms
            terms={[
              { term: t("promptpay.to"), value: qr.name },
              { term: t("promptpay.amount"), value: amount },
              {
                term: t("promptpay.reference"),
                value: qr.reference,
                note: <CopyButton text={qr.reference} t={t} />,
              },
            ]}
          />
          <p class="small second">{t("promptpay.when")}</p>
        </div>
      </div>
    </Panel>
  );
}

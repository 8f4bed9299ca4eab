/** Asks before a receipt is settled by hand or voided. */
import type { Receipt } from "../../../billing/queries.ts";
import { AdminShell } from "../layout.tsx";
import { ConfirmBody, Input } from "../ui/index.ts";
import type { AdminView } from "./view.ts";

export interface ReceiptConfirmProps {
  readonly view: AdminView;
  readonly receipt: Receipt;
  /** As typed before, when it has to be looked at again. */
  readonly value?: string;
  readonly isWrong?: boolean;
}

export function MarkPaidPage({ view, receipt, value = "", isWrong = false }: ReceiptConfirmProps) {
  const { t, fmt, frame } = view;
  const amount = fmt.money(receipt.totalMinor);
  const path = `/admin/receipts/${receipt.id}`;
  return (
    <AdminShell frame={frame} title={t("billing.paidTitle", { number: receipt.number })}>
      <ConfirmBody
        t={t}
        csrfToken={frame.csrfToken}
        action={`${path}/paid`}
        submit={t("billing.paidSubmit", { amount })}
        cancelHref={path}
        inputs={
          <Input
            id="reference"
            name="reference"
            label={t("billing.reference")}
            hint={t("billing.referenceHint")}
            value={value}
            maxLength={200}
            autocomplete="off"
            required
            {...(isWrong && { error: t("billing.referenceWrong") })}
          />
        }
      >
        <p>{t("billing.paidText", { user: receipt.userName, amount })}</p>
        <p class="small second">{t("billing.openCheckout")}</p>
      </ConfirmBody>
    </AdminShell>
  );
}

export function VoidPage({ view, receipt, value = "", isWrong = false }: ReceiptConfirmProps) {
  const { t, fmt, frame } = view;
  const amount = fmt.money(receipt.totalMinor);
  const path = `/admin/receipts/${receipt.id}`;
  return (
    <AdminShell frame={frame} title={t("billing.voidTitle", { number: receipt.number })}>
      <ConfirmBody
        t={t}
        csrfToken={frame.csrfToken}
        action={`${path}/void`}
        submit={t("billing.voidSubmit", { amount })}
        kind="danger"
        cancelHref={path}
        inputs={
          <Input
            id="reason"
            name="reason"
            label={t("billing.voidReason")}
            hint={t("billing.voidReasonHint")}
            value={value}
            maxLength={500}
            autocomplete="off"
            required
            {...(isWrong && { error: t("billing.voidReasonWrong") })}
          />
        }
      >
        <p>{t("billing.voidText", { user: receipt.userName, amount, jobs: Number(receipt.jobs) })}</p>
        <p class="small second">{t("billing.openCheckout")}</p>
      </ConfirmBody>
    </AdminShell>
  );
}

/** Asks before a receipt's money is touched: each page says what will happen, with the amount. */
import type { ComponentChildren } from "preact";
import type { Receipt, ReceiptLine } from "../../../billing/queries.ts";
import { formatMinor, type Currency } from "../../../rating/money.ts";
import { AdminShell } from "../layout.tsx";
import { resourceText } from "../me/words.ts";
import type { MoneyOptions } from "../receipts/money-model.ts";
import { providerText } from "../receipts/story.tsx";
import { ConfirmBody, Input, Notice, Select, type ButtonKind } from "../ui/index.ts";
import type { AdminView } from "./view.ts";

export interface ReceiptConfirmProps {
  readonly view: AdminView;
  readonly receipt: Receipt;
  readonly currency: Currency;
  readonly lines: readonly ReceiptLine[];
  readonly options: MoneyOptions;
  /** As typed before, when it has to be looked at again. */
  readonly values: Readonly<Record<string, string>>;
  /** Fields of `values` that are wrong. */
  readonly wrong: ReadonlySet<string>;
  /** What else was wrong, in words. */
  readonly problem: string | undefined;
}

interface AskProps extends ReceiptConfirmProps {
  readonly action: string;
  readonly title: string;
  readonly submit: string;
  readonly kind?: ButtonKind;
  readonly inputs: ComponentChildren;
  readonly children: ComponentChildren;
}

function Ask({ view, receipt, action, title, submit, kind, inputs, problem, children }: AskProps) {
  const { t, frame } = view;
  const path = `/admin/receipts/${receipt.id}`;
  return (
    <AdminShell frame={frame} title={title}>
      {problem === undefined ? null : (
        <Notice kind="error" t={t}>
          {problem}
        </Notice>
      )}
      <ConfirmBody
        t={t}
        csrfToken={frame.csrfToken}
        action={`${path}/${action}`}
        submit={submit}
        {...(kind !== undefined && { kind })}
        cancelHref={path}
        inputs={inputs}
      >
        {children}
      </ConfirmBody>
    </AdminShell>
  );
}

function Reason({ view: { t }, values, wrong }: ReceiptConfirmProps) {
  return (
    <Input
      id="reason"
      name="reason"
      label={t("billing.voidReason")}
      hint={t("billing.voidReasonHint")}
      value={values["reason"] ?? ""}
      maxLength={500}
      autocomplete="off"
      required
      {...(wrong.has("reason") && { error: t("billing.voidReasonWrong") })}
    />
  );
}

function Reference({ view: { t }, values, wrong }: ReceiptConfirmProps) {
  return (
    <Input
      id="reference"
      name="reference"
      label={t("billing.reference")}
      hint={t("billing.referenceHint")}
      value={values["reference"] ?? ""}
      maxLength={200}
      autocomplete="off"
      required
      {...(wrong.has("reference") && { error: t("billing.referenceWrong") })}
    />
  );
}

interface AmountProps extends ReceiptConfirmProps {
  readonly name?: string;
  readonly label?: string;
  readonly hint?: ComponentChildren;
  /** Undefined: stays empty. */
  readonly suggestedMinor?: bigint;
}

function Amount({ view: { t }, values, wrong, currency, name = "amount", label, hint, suggestedMinor }: AmountProps) {
  const suggested = suggestedMinor === undefined ? "" : formatMinor(suggestedMinor, currency);
  return (
    <Input
      id={name}
      name={name}
      label={label ?? t("billing.amount")}
      {...(hint !== undefined && { hint })}
      unit={currency.code}
      inputMode="decimal"
      width="short"
      numeric
      value={values[name] ?? suggested}
      autocomplete="off"
      {...(wrong.has(name) && { error: t("money.amountWrong", { decimals: currency.minorDigits }) })}
    />
  );
}

export function MarkPaidPage(props: ReceiptConfirmProps) {
  const { view, receipt } = props;
  const { t, fmt } = view;
  const amount = fmt.money(receipt.dueMinor);
  return (
    <Ask
      {...props}
      action="paid"
      title={t("billing.paidTitle", { number: receipt.number })}
      submit={t("billing.paidSubmit")}
      inputs={
        <>
          <Reference {...props} />
          <Amount {...props} suggestedMinor={receipt.dueMinor} hint={t("money.paidAmountHint")} />
        </>
      }
    >
      <p>{t("billing.paidText", { user: receipt.userName, amount })}</p>
      <p class="small second">{t("billing.openCheckout")}</p>
    </Ask>
  );
}

export function VoidPage(props: ReceiptConfirmProps) {
  const { view, receipt } = props;
  const { t, fmt } = view;
  const amount = fmt.money(receipt.totalMinor);
  return (
    <Ask
      {...props}
      action="void"
      title={t("billing.voidTitle", { number: receipt.number })}
      submit={t("billing.voidSubmit", { amount })}
      kind="danger"
      inputs={<Reason {...props} />}
    >
      <p>{t("billing.voidText", { user: receipt.userName, amount, jobs: Number(receipt.jobs) })}</p>
      <p class="small second">{t("billing.openCheckout")}</p>
    </Ask>
  );
}

export function RevertPage(props: ReceiptConfirmProps) {
  const { view, receipt, options } = props;
  const { t, fmt } = view;
  const movement = options.revertible;
  const amount = fmt.money(movement?.amountMinor ?? 0n);
  return (
    <Ask
      {...props}
      action="revert"
      title={t("money.revertTitle", { number: receipt.number })}
      submit={t("money.revertSubmit", { amount })}
      kind="danger"
      inputs={<Reason {...props} />}
    >
      <p>{t("money.revertText", { amount, reference: movement?.reference ?? "" })}</p>
    </Ask>
  );
}

export function CreditPage(props: ReceiptConfirmProps) {
  const { view, receipt, options, lines, values } = props;
  const { t, fmt } = view;
  const { creditable, correctionsMinor } = options;
  const left = receipt.totalMinor - receipt.creditedMinor;
  const choices = [
    { value: "full", label: t("money.creditFull", { amount: fmt.money(left) }) },
    { value: "release", label: t("money.creditRelease", { amount: fmt.money(left), jobs: Number(receipt.jobs) }) },
    { value: "lines", label: t("money.creditLines") },
    ...(correctionsMinor > 0n
      ? [{ value: "corrections", label: t("money.creditCorrections", { amount: fmt.money(correctionsMinor) }) }]
      : []),
  ];
  return (
    <Ask
      {...props}
      action="credit"
      title={t("money.creditTitle", { number: receipt.number })}
      submit={t("money.creditSubmit")}
      kind="danger"
      inputs={
        <>
          <Select
            id="scope"
            name="scope"
            label={t("money.creditScope")}
            value={values["scope"] ?? "full"}
            options={choices}
          />
          <fieldset class="field-group">
            <legend>{t("money.creditLinesLegend")}</legend>
            {(creditable?.lines ?? []).map(({ position, amountMinor, creditedMinor }) => {
              const line = lines[position - 1];
              const name = line === undefined ? String(position) : resourceText(t, line.resource, line.gpuType);
              return (
                <Amount
                  {...props}
                  name={`line_${position}`}
                  label={name}
                  hint={t("money.creditLeft", { amount: fmt.money(amountMinor - creditedMinor) })}
                />
              );
            })}
          </fieldset>
          <Reason {...props} />
        </>
      }
    >
      <p>{t("money.creditText", { number: receipt.number, user: receipt.userName })}</p>
      <p class="small second">{t("money.creditNext")}</p>
    </Ask>
  );
}

export function RefundPage(props: ReceiptConfirmProps) {
  const { view, receipt, options, values } = props;
  const { t, fmt } = view;
  const owed = options.freeCreditMinor;
  const payments = options.refundable.map(({ id, provider, externalPaymentId, leftMinor }) => ({
    value: String(id),
    label: t("money.refundThrough", {
      provider: providerText(t, provider),
      payment: externalPaymentId,
      amount: fmt.money(leftMinor),
    }),
  }));
  return (
    <Ask
      {...props}
      action="refund"
      title={t("money.refundTitle", { number: receipt.number })}
      submit={t("money.refundSubmit")}
      kind="danger"
      inputs={
        <>
          <Select
            id="payment"
            name="payment"
            label={t("money.refundHow")}
            value={values["payment"] ?? payments[0]?.value ?? "manual"}
            options={[...payments, { value: "manual", label: t("money.refundByHand") }]}
          />
          <Amount {...props} suggestedMinor={owed} />
          <Input
            id="text"
            name="text"
            label={t("money.refundReference")}
            hint={t("money.refundReferenceHint")}
            value={values["text"] ?? ""}
            maxLength={200}
            autocomplete="off"
            required
            {...(props.wrong.has("text") && { error: t("billing.referenceWrong") })}
          />
        </>
      }
    >
      <p>{t("money.refundText", { user: receipt.userName, amount: fmt.money(owed) })}</p>
    </Ask>
  );
}

export function MovePage(props: ReceiptConfirmProps) {
  const { view, receipt, options, values } = props;
  const { t, fmt } = view;
  const amount = fmt.money(options.freeCreditMinor);
  return (
    <Ask
      {...props}
      action="move"
      title={t("money.moveTitle", { number: receipt.number })}
      submit={t("money.moveSubmit", { amount })}
      inputs={
        <Input
          id="number"
          name="number"
          label={t("money.moveTo")}
          value={values["number"] ?? ""}
          placeholder="R-2026-000123"
          maxLength={40}
          autocomplete="off"
          required
          {...(props.wrong.has("number") && { error: t("money.moveWrong") })}
        />
      }
    >
      <p>{t("money.moveText", { user: receipt.userName, amount })}</p>
    </Ask>
  );
}

/** Form fields: a label always, a hint where it helps, an error that says what to do. */
import { h, type ComponentChildren } from "preact";
import type { Translator } from "../../i18n/index.ts";
import { Button, LinkButton, type ButtonKind } from "./button.tsx";
import { Icon } from "./icon.tsx";

/** Every POST carries the session's token. */
export function CsrfField({ token }: { readonly token: string }) {
  return <input type="hidden" name="csrf_token" value={token} />;
}

/** Hidden fields, to keep what the address said. */
export function HiddenFields({ values }: { readonly values: Readonly<Record<string, string>> }) {
  return (
    <>
      {Object.entries(values).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
    </>
  );
}

interface FieldFrame {
  readonly id: string;
  readonly label: ComponentChildren;
  /** `hidden` keeps the label for those who listen; the place or a placeholder must say it to the others. */
  readonly labelLook?: "above" | "beside" | "hidden";
  readonly hint?: ComponentChildren;
  readonly error?: ComponentChildren;
  /** Stands after the field: a unit, a currency. */
  readonly unit?: ComponentChildren;
}

/** The ids that describe a field, for `aria-describedby`. */
function describedBy({ id, hint, error }: Pick<FieldFrame, "id" | "hint" | "error">): string | undefined {
  const ids = [error === undefined ? null : `${id}-error`, hint === undefined ? null : `${id}-hint`].filter(
    (one) => one !== null,
  );
  return ids.length === 0 ? undefined : ids.join(" ");
}

/** Label, hint and error around any control; the control's `id` is the field's. */
export function Field({
  id,
  label,
  labelLook = "above",
  hint,
  error,
  unit,
  children,
}: FieldFrame & { readonly children: ComponentChildren }) {
  return (
    <div class={`field field-${labelLook}${error === undefined ? "" : " field-wrong"}`}>
      <label for={id} class={labelLook === "hidden" ? "hidden-visually" : undefined}>
        {label}
      </label>
      <div class="field-control">
        {children}
        {unit === undefined ? null : <span class="field-unit">{unit}</span>}
      </div>
      {error === undefined ? null : (
        <p class="field-error" id={`${id}-error`}>
          <Icon name="cross" />
          <span>{error}</span>
        </p>
      )}
      {hint === undefined ? null : (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** What is passed on to the element itself. */
interface InputAttributes {
  readonly autocomplete?: string;
  readonly autofocus?: boolean;
  readonly inputMode?: "text" | "numeric" | "decimal" | "search";
  readonly min?: string;
  readonly max?: string;
  readonly step?: string;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly placeholder?: string;
  readonly readOnly?: boolean;
  readonly required?: boolean;
  readonly spellcheck?: boolean;
}

export interface InputProps extends FieldFrame, InputAttributes {
  readonly name: string;
  readonly type?: "text" | "password" | "search" | "number" | "email" | "month" | "date";
  readonly value?: string | undefined;
  readonly width?: "full" | "short" | "date" | "search";
  /** Right-aligned tabular figures. */
  readonly numeric?: boolean;
}

/** A labelled text field. */
export function Input({
  id,
  label,
  labelLook,
  hint,
  error,
  unit,
  name,
  type = "text",
  value,
  width = "full",
  numeric = false,
  ...rest
}: InputProps) {
  return (
    <Field id={id} label={label} {...(labelLook && { labelLook })} hint={hint} error={error} unit={unit}>
      {/* Written as a call: JSX wants the input's type to be one literal, not one of several. */}
      {h("input", {
        ...rest,
        id,
        name,
        type,
        value,
        class: `input input-${width}${numeric ? " input-numeric" : ""}`,
        "aria-invalid": error === undefined ? undefined : "true",
        "aria-describedby": describedBy({ id, hint, error }),
      })}
    </Field>
  );
}

export interface DateFieldProps extends FieldFrame {
  readonly t: Translator;
  readonly name: string;
  readonly value?: string | undefined;
  readonly min?: string;
  readonly max?: string;
  readonly required?: boolean;
}

/**
 * A labelled day, `YYYY-MM-DD`. Written out and not the browser's own date field, which shows a day in the
 * order of the browser's language: nobody should wonder which of 10/11 is the month they are billed for.
 * A script puts the browser's calendar behind the button.
 */
export function DateField({
  t,
  id,
  label,
  labelLook,
  hint,
  error,
  unit,
  name,
  value,
  min,
  max,
  required,
}: DateFieldProps) {
  return (
    <Field id={id} label={label} {...(labelLook && { labelLook })} hint={hint} error={error} unit={unit}>
      <span class="date" data-date>
        <input
          id={id}
          name={name}
          type="text"
          inputMode="numeric"
          value={value}
          class="input input-date"
          placeholder="YYYY-MM-DD"
          pattern="\d{4}-\d{2}-\d{2}"
          title={t("date.form")}
          maxLength={10}
          autocomplete="off"
          required={required}
          data-min={min}
          data-max={max}
          aria-invalid={error === undefined ? undefined : "true"}
          aria-describedby={describedBy({ id, hint, error })}
        />
        <button type="button" class="date-button needs-script" aria-label={t("date.choose")} title={t("date.choose")}>
          <Icon name="calendar" />
        </button>
      </span>
    </Field>
  );
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface SelectProps extends FieldFrame {
  readonly name: string;
  readonly value?: string | undefined;
  readonly options: readonly Choice[];
}

/** A labelled choice. In a `FilterForm` a change takes effect at once. */
export function Select({ id, label, labelLook, hint, error, unit, name, value, options }: SelectProps) {
  return (
    <Field id={id} label={label} {...(labelLook && { labelLook })} hint={hint} error={error} unit={unit}>
      <select
        id={id}
        name={name}
        class="input select"
        aria-invalid={error === undefined ? undefined : "true"}
        aria-describedby={describedBy({ id, hint, error })}
      >
        {options.map((option) => (
          <option value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
    </Field>
  );
}

export interface FilterFormProps {
  readonly t: Translator;
  readonly action: string;
  /** What the address keeps beside the filter's own fields. */
  readonly keep?: Readonly<Record<string, string>>;
  readonly children: ComponentChildren;
}

/** A filter in the address. Its button shows only where scripts are off; Enter in a text field works anyway. */
export function FilterForm({ t, action, keep = {}, children }: FilterFormProps) {
  return (
    <form class="filter" method="get" action={action} data-auto-submit>
      <HiddenFields values={keep} />
      {children}
      <button type="submit" class="button button-secondary no-script-only">
        {t("action.show")}
      </button>
    </form>
  );
}

export interface ConfirmProps {
  readonly t: Translator;
  readonly csrfToken: string;
  /** What will happen, in full, with the amount: the page's title asks, this explains. */
  readonly children: ComponentChildren;
  readonly action: string;
  /** What the button does, with the amount: "Pay ฿13,357.10". */
  readonly submit: string;
  readonly kind?: ButtonKind;
  readonly cancelHref: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** Further fields to fill in, such as a reason. */
  readonly inputs?: ComponentChildren;
}

/** The body of a page that asks before something that cannot be undone; works without script. */
export function ConfirmBody({
  t,
  csrfToken,
  children,
  action,
  submit,
  kind = "primary",
  cancelHref,
  fields = {},
  inputs,
}: ConfirmProps) {
  return (
    <section class="panel panel-padded confirm">
      <div class="prose">{children}</div>
      <form method="post" action={action} class="stack-form">
        <CsrfField token={csrfToken} />
        <HiddenFields values={fields} />
        {inputs}
        <div class="actions">
          <Button kind={kind} busyText={t("action.working")}>
            {submit}
          </Button>
          <LinkButton href={cancelHref}>{t("action.cancel")}</LinkButton>
        </div>
      </form>
    </section>
  );
}

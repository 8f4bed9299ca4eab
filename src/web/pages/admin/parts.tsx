/** Pieces that several pages of the console are made of. */
import type { ComponentChildren } from "preact";
import type { Translator } from "../../i18n/index.ts";
import { Field, LinkButton } from "../ui/index.ts";
import type { AdminView } from "./view.ts";

export interface KeyPagerProps {
  readonly t: Translator;
  /** How much is shown of what: "143 people". */
  readonly text: string;
  readonly backHref?: string | undefined;
  readonly onHref?: string | undefined;
}

/** Back and on in a list that is read by key; nothing is shown where there is nowhere to go. */
export function KeyPager({ t, text, backHref, onHref }: KeyPagerProps) {
  return (
    <div class="pager">
      <p class="small third">{text}</p>
      {backHref === undefined && onHref === undefined ? null : (
        <nav aria-label={t("pager.label")} class="pager-links">
          {backHref === undefined ? null : (
            <LinkButton href={backHref} rel="prev">
              {t("admin.pager.back")}
            </LinkButton>
          )}
          {onHref === undefined ? null : (
            <LinkButton href={onHref} rel="next">
              {t("admin.pager.on")}
            </LinkButton>
          )}
        </nav>
      )}
    </div>
  );
}

export interface TextAreaProps {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
  readonly value: string;
  readonly rows: number;
}

/** Several lines of text, such as one price per GPU type. */
export function TextArea({ id, name, label, hint, error, value, rows }: TextAreaProps) {
  const described = [error === undefined ? "" : `${id}-error`, hint === undefined ? "" : `${id}-hint`]
    .filter(Boolean)
    .join(" ");
  return (
    <Field id={id} label={label} hint={hint} error={error}>
      <textarea
        id={id}
        name={name}
        rows={rows}
        class="input input-lines"
        spellcheck={false}
        aria-invalid={error === undefined ? undefined : "true"}
        aria-describedby={described === "" ? undefined : described}
      >
        {value}
      </textarea>
    </Field>
  );
}

/** A time as people say it, with seconds and zone on hover. */
export function Instant({ view, at }: { readonly view: AdminView; readonly at: Date }) {
  return (
    <time dateTime={at.toISOString()} title={view.fmt.dateTimeZone(at)}>
      {view.fmt.date(at)} {view.fmt.time(at)}
    </time>
  );
}

/** A question with its answer and what it rests on: the body of a page that asks before it does something. */
export function Facts({
  rows,
}: {
  readonly rows: readonly (readonly [name: ComponentChildren, value: ComponentChildren])[];
}) {
  return (
    <dl class="fact-list">
      {rows.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

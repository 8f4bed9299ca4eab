/** Panels group what belongs together; figures say the numbers. */
import type { ComponentChildren } from "preact";
import type { MoneyParts } from "../../format.ts";
import { Icon } from "./icon.tsx";

export interface PanelProps {
  readonly title?: ComponentChildren;
  /** Id of the heading, when something refers to it. */
  readonly id?: string;
  /** Stands at the right of the title: a legend, a small button. */
  readonly actions?: ComponentChildren;
  /** `flush` lets a table run to the panel's edges. */
  readonly body?: "padded" | "flush";
  /** Below everything, padded also in a flush panel: a link to more. */
  readonly foot?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Panel({ title, id, actions, body = "padded", foot, children }: PanelProps) {
  return (
    <section class={`panel panel-${body}`} aria-labelledby={title !== undefined && id !== undefined ? id : undefined}>
      {title === undefined ? null : (
        <div class="panel-head">
          <h2 id={id}>{title}</h2>
          {actions === undefined ? null : <div class="panel-actions">{actions}</div>}
        </div>
      )}
      {children}
      {foot === undefined ? null : <div class="panel-foot">{foot}</div>}
    </section>
  );
}

/** The answer at the top: the key figure with its action at the left, the figures beside it. */
export function AnswerPanel({
  answer,
  children,
}: {
  readonly answer: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="panel answer">
      <div class="answer-main">{answer}</div>
      <div class="answer-side">{children}</div>
    </section>
  );
}

export interface KeyFigureProps {
  readonly label: ComponentChildren;
  /** From `fmt.moneyParts`, or the words of another number. */
  readonly value: MoneyParts | string;
  readonly note?: ComponentChildren;
}

/** The one large number of a page. */
export function KeyFigure({ label, value, note }: KeyFigureProps) {
  return (
    <div class="key-figure">
      <p class="small second">{label}</p>
      <p class="key-figure-value">
        {typeof value === "string" ? (
          value
        ) : (
          <>
            {value.sign}
            <span class="key-figure-mark">{value.mark}</span>
            {value.digits}
          </>
        )}
      </p>
      {note === undefined ? null : <p class="small second">{note}</p>}
    </div>
  );
}

export interface Figure {
  readonly label: ComponentChildren;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
  /** To what the number is made of. */
  readonly href?: string;
}

export function FigureGrid({ figures }: { readonly figures: readonly Figure[] }) {
  return (
    <dl class="figures">
      {figures.map(({ label, value, note, href }) => (
        <div class="figure">
          <dt>{label}</dt>
          <dd class="figure-value">{href === undefined ? value : <a href={href}>{value}</a>}</dd>
          {note === undefined ? null : <dd class="figure-note">{note}</dd>}
        </div>
      ))}
    </dl>
  );
}

export interface ColumnsProps {
  readonly main: ComponentChildren;
  readonly aside: ComponentChildren;
  /** `aside`: a narrow second column; `wide`: both say something of weight, and end at one height. */
  readonly layout?: "aside" | "wide";
}

/** Two columns: what the page is about, and what stands beside it. On a phone one below the other. */
export function Columns({ main, aside, layout = "aside" }: ColumnsProps) {
  return (
    <div class={`columns columns-${layout}`}>
      <div class="stack">{main}</div>
      <div class="stack">{aside}</div>
    </div>
  );
}

export interface Term {
  readonly term: ComponentChildren;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
}

/** Names and values of one thing, side by side: "Billed to", "Price tier". */
export function Terms({ terms }: { readonly terms: readonly Term[] }) {
  return (
    <dl class="terms">
      {terms.map(({ term, value, note }) => (
        <div>
          <dt>{term}</dt>
          <dd class="term-value">{value}</dd>
          {note === undefined ? null : <dd>{note}</dd>}
        </div>
      ))}
    </dl>
  );
}

/** More, one click away; `open` where it was asked for. */
export function Disclosure({
  summary,
  open,
  children,
}: {
  readonly summary: ComponentChildren;
  readonly open?: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    <details class="disclosure" open={open}>
      <summary>
        {summary}
        <Icon name="chevron" />
      </summary>
      {children}
    </details>
  );
}

/** What stands where nothing is: says why, and leads on. */
export function EmptyState({
  title,
  children,
  action,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly action?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <div class="second">{children}</div>}
      {action === undefined ? null : <div class="empty-action">{action}</div>}
    </div>
  );
}

/** States and news, said in words; colour only helps. */
import type { ComponentChildren } from "preact";
import type { Translator } from "../../i18n/index.ts";
import { Icon, type IconName } from "./icon.tsx";

export type Tone = "good" | "waiting" | "bad" | "neutral";

export function Pill({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`pill pill-${tone}`}>{children}</span>;
}

const RECEIPT_STATES = {
  pending: ["receiptState.pending", "waiting"],
  paid: ["receiptState.paid", "good"],
  void: ["receiptState.void", "neutral"],
} as const;

export type ReceiptState = keyof typeof RECEIPT_STATES;

export function ReceiptPill({ state, t }: { readonly state: ReceiptState; readonly t: Translator }) {
  const [key, tone] = RECEIPT_STATES[state];
  return <Pill tone={tone}>{t(key)}</Pill>;
}

export type NoticeKind = "info" | "good" | "warning" | "error";

const NOTICE_ICONS: Readonly<Record<NoticeKind, IconName>> = {
  info: "info",
  good: "check",
  warning: "warning",
  error: "cross",
};
const NOTICE_WORDS = {
  info: "notice.info",
  good: "notice.good",
  warning: "notice.warning",
  error: "notice.error",
} as const;

export interface NoticeProps {
  readonly kind: NoticeKind;
  readonly t: Translator;
  readonly title?: ComponentChildren;
  /** What happened, what is safe, what to do. */
  readonly children?: ComponentChildren;
  readonly action?: ComponentChildren;
}

/** News about the page or about what was just done. Errors are announced. */
export function Notice({ kind, t, title, children, action }: NoticeProps) {
  return (
    <div class={`notice notice-${kind}`} role={kind === "error" ? "alert" : "status"}>
      <Icon name={NOTICE_ICONS[kind]} size={18} />
      <div class="notice-text">
        <span class="hidden-visually">{t(NOTICE_WORDS[kind])}: </span>
        {title === undefined ? null : <strong>{title}</strong>}
        {children === undefined ? null : <div>{children}</div>}
      </div>
      {action === undefined ? null : <div class="notice-action">{action}</div>}
    </div>
  );
}

export interface TrustItem {
  readonly ok: boolean;
  /** Said first and stronger: "Reconciled". */
  readonly subject?: string;
  readonly text: string;
  readonly href?: string;
}

/** What stands behind the numbers. A check that fails becomes a warning in the same place. */
export function TrustLine({
  items,
  t,
  look = "plain",
}: {
  readonly items: readonly TrustItem[];
  readonly t: Translator;
  readonly look?: "plain" | "panel";
}) {
  return (
    <ul class={`trust trust-${look}`}>
      {items.map((item) => (
        <li class={item.ok ? "trust-ok" : "trust-warning"}>
          <Icon name={item.ok ? "check" : "warning"} />
          <span>
            {item.ok ? null : <span class="hidden-visually">{t("notice.warning")}: </span>}
            {item.href === undefined ? (
              <TrustText item={item} />
            ) : (
              <a href={item.href}>
                <TrustText item={item} />
              </a>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function TrustText({ item }: { readonly item: TrustItem }) {
  return (
    <>
      {item.subject === undefined ? null : (
        <>
          <strong>{item.subject}</strong>{" "}
        </>
      )}
      {item.text}
    </>
  );
}

export type StepState = "done" | "current" | "failed" | "next";

export interface TimelineStep {
  readonly state: StepState;
  readonly title: ComponentChildren;
  readonly note?: ComponentChildren;
}

const STEP_WORDS = { done: "step.done", current: "step.current", failed: "step.failed", next: "step.next" } as const;

/** What happened so far, oldest first, and what is awaited. */
export function Timeline({ steps, t }: { readonly steps: readonly TimelineStep[]; readonly t: Translator }) {
  return (
    <ol class="timeline">
      {steps.map((step) => (
        <li class={`step-${step.state}`} aria-current={step.state === "current" ? "step" : undefined}>
          <p class="step-title">
            <span class="hidden-visually">{t(STEP_WORDS[step.state])}: </span>
            {step.title}
          </p>
          {step.note === undefined ? null : <p class="step-note">{step.note}</p>}
        </li>
      ))}
    </ol>
  );
}

/** Progress with a number, for long work. */
export function Progress({
  label,
  done,
  total,
}: {
  readonly label: ComponentChildren;
  readonly done: number;
  readonly total: number;
}) {
  return (
    <label class="progress">
      <span>{label}</span>
      <progress value={done} max={Math.max(1, total)} />
    </label>
  );
}

/** Buttons change something, links go somewhere; both can look alike. One primary per page. */
import type { ComponentChildren } from "preact";
import type { Translator } from "../../i18n/index.ts";
import { Icon, type IconName } from "./icon.tsx";

export type ButtonKind = "primary" | "secondary" | "danger" | "plain";

interface Look {
  readonly kind?: ButtonKind;
  /** For panel heads and table rows. */
  readonly size?: "normal" | "small";
  readonly icon?: IconName;
  readonly children: ComponentChildren;
}

function classOf({ kind = "secondary", size = "normal" }: Pick<Look, "kind" | "size">): string {
  return `button button-${kind}${size === "small" ? " button-small" : ""}`;
}

export interface ButtonProps extends Look {
  readonly type?: "submit" | "button";
  readonly name?: string;
  readonly value?: string;
  readonly disabled?: boolean;
  /** Shown in place of the words while the form is under way, so a second click finds nothing to press. */
  readonly busyText?: string;
  /** Id of the form it submits, where it stands outside. */
  readonly form?: string;
}

export function Button({ type = "submit", icon, children, busyText, kind, size, ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      class={classOf({ ...(kind && { kind }), ...(size && { size }) })}
      data-busy={busyText}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      <span class="button-text">{children}</span>
    </button>
  );
}

export interface LinkButtonProps extends Look {
  readonly href: string;
  /** Saves what the link answers instead of showing it; `true` takes the server's file name. */
  readonly download?: boolean;
  readonly rel?: string;
}

export function LinkButton({ href, icon, children, kind, size, download, rel }: LinkButtonProps) {
  return (
    <a href={href} class={classOf({ ...(kind && { kind }), ...(size && { size }) })} download={download} rel={rel}>
      {icon === undefined ? null : <Icon name={icon} />}
      <span class="button-text">{children}</span>
    </a>
  );
}

/** Copies a text; absent where scripts are off, since the text itself stands beside it. */
export function CopyButton({ text, t }: { readonly text: string; readonly t: Translator }) {
  return (
    <button
      type="button"
      class="button button-secondary button-small needs-script"
      data-copy={text}
      data-copied={t("action.copied")}
    >
      <Icon name="copy" />
      <span class="button-text" aria-live="polite">
        {t("action.copy")}
      </span>
    </button>
  );
}

/** The controls at the top right: language, theme, and whose account this is. */
import type { Lang, Translator } from "../../i18n/index.ts";
import { Button } from "./button.tsx";
import { CsrfField } from "./form.tsx";
import { Icon } from "./icon.tsx";

export type Theme = "system" | "light" | "dark";

/** Each language is named in itself, so those who need it can read it. */
const LANGUAGES: readonly { readonly lang: Lang; readonly short: string; readonly name: string }[] = [
  { lang: "en", short: "EN", name: "English" },
  { lang: "th", short: "ไทย", name: "ภาษาไทย" },
];

export interface LanguageSwitchProps {
  readonly t: Translator;
  readonly csrfToken: string;
  /** Path and query to come back to. */
  readonly returnTo: string;
}

export function LanguageSwitch({ t, csrfToken, returnTo }: LanguageSwitchProps) {
  return (
    <form class="languages" method="post" action="/i18n/set" aria-label={t("lang.label")}>
      <CsrfField token={csrfToken} />
      <input type="hidden" name="next" value={returnTo} />
      {LANGUAGES.map(({ lang, short, name }, index) => (
        <>
          {index === 0 ? null : <span aria-hidden="true">·</span>}
          <button
            type="submit"
            name="lang"
            value={lang}
            lang={lang}
            title={name}
            aria-pressed={lang === t.lang ? "true" : "false"}
          >
            {short}
          </button>
        </>
      ))}
    </form>
  );
}

const THEMES = [
  ["system", "theme.system"],
  ["light", "theme.light"],
  ["dark", "theme.dark"],
] as const;

/** Works by script alone, so it is absent without; the system's own choice holds then. */
export function ThemeSwitch({ t, theme }: { readonly t: Translator; readonly theme: Theme }) {
  return (
    <div class="themes needs-script" role="group" aria-label={t("theme.label")} data-theme-switch>
      {THEMES.map(([value, key]) => (
        <button type="button" data-theme-choice={value} aria-pressed={value === theme ? "true" : "false"}>
          {t(key)}
        </button>
      ))}
    </div>
  );
}

export interface AccountUser {
  /** The account's name, as on the cluster. */
  readonly name: string;
  readonly fullName?: string | undefined;
  readonly isAdmin: boolean;
}

export interface UserMenuProps {
  readonly t: Translator;
  readonly user: AccountUser;
  readonly theme: Theme;
  readonly csrfToken: string;
  /** Leads an admin from the own pages to the console and back. */
  readonly link?: { readonly href: string; readonly label: string } | undefined;
}

export function UserMenu({ t, user, theme, csrfToken, link }: UserMenuProps) {
  return (
    <details class="menu" data-menu>
      <summary>
        <Icon name="user" />
        <span class="hidden-visually">{t("nav.account")}: </span>
        {user.name}
      </summary>
      <div class="menu-panel">
        {user.fullName === undefined ? null : <p class="menu-name">{user.fullName}</p>}
        {link === undefined ? null : (
          <a class="menu-link" href={link.href}>
            {link.label}
          </a>
        )}
        <ThemeSwitch t={t} theme={theme} />
        <form method="post" action="/logout">
          <CsrfField token={csrfToken} />
          <Button kind="plain" icon="signOut">
            {t("nav.signOut")}
          </Button>
        </form>
      </div>
    </details>
  );
}

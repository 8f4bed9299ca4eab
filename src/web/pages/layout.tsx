/** The frames around every page, and the document they make. Pages are pure: everything comes in as props. */
import type { ComponentChildren, VNode } from "preact";
import { renderToString } from "preact-render-to-string";
import type { Translator } from "../i18n/index.ts";
import { Icon, Logo, type IconName } from "./ui/icon.tsx";
import { LanguageSwitch, ThemeSwitch, UserMenu, type AccountUser, type Theme } from "./ui/menu.tsx";

/** Addresses of the built files, from `dist/manifest.json`. */
export interface Assets {
  readonly script: string;
  readonly style: string;
  readonly icon: string;
  /** Fonts worth asking for before the style sheet has been read. */
  readonly fonts: readonly string[];
}

export interface NavItem {
  readonly href: string;
  readonly label: string;
  readonly icon?: IconName;
  readonly current?: boolean;
}

/** What every page is given by the request it answers. */
export interface Frame {
  readonly siteName: string;
  readonly t: Translator;
  readonly theme: Theme;
  readonly csrfToken: string;
  /** Path and query of this page: where the language switch comes back to. */
  readonly path: string;
  readonly assets: Assets;
}

/** The frame of a page for somebody who is signed in. */
export interface SignedInFrame extends Frame {
  readonly user: AccountUser;
  readonly nav: readonly NavItem[];
}

export interface PageHeadProps {
  /** The page's name: its `<h1>` and the first part of the document's title. */
  readonly title: string;
  /** Beside the title: a state in a pill. */
  readonly badge?: ComponentChildren;
  /** Where and when: the window, the tier, how old the data is. */
  readonly subtitle?: ComponentChildren;
  /** At the right: the period, a filter, the page's first action. */
  readonly actions?: ComponentChildren;
  /** Views of this page. */
  readonly tabs?: ComponentChildren;
}

export interface ShellProps extends PageHeadProps {
  readonly children: ComponentChildren;
}

interface DocumentProps {
  readonly frame: Frame;
  readonly title: string;
  readonly bodyClass: string;
  readonly children: ComponentChildren;
}

function Document({ frame, title, bodyClass, children }: DocumentProps) {
  const { t, theme, siteName, assets } = frame;
  return (
    <html lang={t.lang} data-theme={theme === "system" ? undefined : theme}>
      <head>
        <meta charset="utf-8" />
        <title>{title === siteName ? title : `${title} · ${siteName}`}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="description" content={siteName} />
        <meta name="color-scheme" content={theme === "system" ? "light dark" : theme} />
        {assets.fonts.map((font) => (
          <link rel="preload" href={font} as="font" type="font/woff2" crossorigin="anonymous" />
        ))}
        <link rel="stylesheet" href={assets.style} />
        <link rel="icon" href={assets.icon} type="image/svg+xml" />
        <script type="module" src={assets.script} />
      </head>
      <body class={bodyClass}>
        <a class="skip" href="#content">
          {t("layout.skip")}
        </a>
        {children}
      </body>
    </html>
  );
}

function Brand({ frame, href }: { readonly frame: Frame; readonly href: string }) {
  return (
    <a class="brand" href={href}>
      <Logo />
      {frame.siteName}
    </a>
  );
}

function NavLinks({ label, items }: { readonly label: string; readonly items: readonly NavItem[] }) {
  return (
    <nav class="nav" aria-label={label}>
      <ul>
        {items.map((item) => (
          <li>
            <a href={item.href} aria-current={item.current === true ? "page" : undefined}>
              {item.icon === undefined ? null : <Icon name={item.icon} />}
              {item.label}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function PageHead({
  title,
  badge,
  subtitle,
  actions,
  tabs,
  corner,
}: PageHeadProps & { readonly corner?: ComponentChildren }) {
  return (
    <>
      <div class="page-head">
        <div class="page-title">
          <h1>
            {title}
            {badge === undefined ? null : <> {badge}</>}
          </h1>
          {subtitle === undefined ? null : <p class="second">{subtitle}</p>}
        </div>
        {corner}
        {actions === undefined ? null : <div class="page-actions">{actions}</div>}
      </div>
      {tabs}
    </>
  );
}

function Corner({
  frame,
  link,
}: {
  readonly frame: SignedInFrame;
  readonly link?: { readonly href: string; readonly label: string } | undefined;
}) {
  return (
    <div class="corner">
      <LanguageSwitch t={frame.t} csrfToken={frame.csrfToken} returnTo={frame.path} />
      <UserMenu t={frame.t} user={frame.user} theme={frame.theme} csrfToken={frame.csrfToken} link={link} />
    </div>
  );
}

/** For researchers: a bar at the top, one column below it. */
export function UserShell({ frame, children, ...head }: ShellProps & { readonly frame: SignedInFrame }) {
  const { t } = frame;
  const console = frame.user.isAdmin ? { href: "/admin", label: t("nav.admin") } : undefined;
  return (
    <Document frame={frame} title={head.title} bodyClass="user">
      <header class="topbar">
        <div class="topbar-inner">
          <Brand frame={frame} href="/me" />
          <NavLinks label={t("nav.main")} items={frame.nav} />
          <Corner frame={frame} link={console} />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <PageHead {...head} />
        <div class="stack">{children}</div>
      </main>
    </Document>
  );
}

/** For those who run the centre: sections at the left. */
export function AdminShell({ frame, children, ...head }: ShellProps & { readonly frame: SignedInFrame }) {
  const { t } = frame;
  return (
    <Document frame={frame} title={head.title} bodyClass="admin">
      <header class="sidebar">
        <Brand frame={frame} href="/admin" />
        <NavLinks label={t("nav.main")} items={frame.nav} />
      </header>
      <main id="content" tabIndex={-1}>
        <PageHead {...head} corner={<Corner frame={frame} />} />
        <div class="stack">{children}</div>
      </main>
    </Document>
  );
}

/** Before signing in, and for errors: one narrow panel. */
export function BareShell({
  frame,
  title,
  subtitle,
  children,
}: {
  readonly frame: Frame;
  readonly title: string;
  readonly subtitle?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const { t } = frame;
  return (
    <Document frame={frame} title={title} bodyClass="bare">
      <main id="content" tabIndex={-1}>
        <p class="brand">
          <Logo size={24} />
          {frame.siteName}
        </p>
        <div class="bare-head">
          <h1>{title}</h1>
          {subtitle === undefined ? null : <p class="second">{subtitle}</p>}
        </div>
        <div class="stack">{children}</div>
      </main>
      <footer class="bare-foot">
        <LanguageSwitch t={t} csrfToken={frame.csrfToken} returnTo={frame.path} />
        <ThemeSwitch t={t} theme={frame.theme} />
      </footer>
    </Document>
  );
}

export type UserSection = "usage" | "receipts" | "calculator";

/** The bar's links, for everybody. */
export function userNav(t: Translator, current: UserSection | null): readonly NavItem[] {
  return [
    { href: "/me", label: t("nav.usage"), current: current === "usage" },
    { href: "/me/receipts", label: t("nav.receipts"), current: current === "receipts" },
    { href: "/playground", label: t("nav.calculator"), current: current === "calculator" },
  ];
}

const ADMIN_SECTIONS = [
  ["dashboard", "nav.dashboard", "dashboard"],
  ["usage", "nav.usage", "activity"],
  ["billing", "nav.billing", "receipt"],
  ["payments", "nav.payments", "wallet"],
  ["rates", "nav.rates", "tags"],
  ["tiers", "nav.tiers", "users"],
  ["sources", "nav.sources", "server"],
  ["periods", "nav.periods", "book"],
  ["audit", "nav.audit", "shield"],
  ["reconcile", "nav.reconcile", "scale"],
  ["myusage", "nav.myUsage", "user"],
] as const;

export type AdminSection = (typeof ADMIN_SECTIONS)[number][0];

/** The console's sections, those that exist: a section that is not built yet is not named. */
export const BUILT_SECTIONS: ReadonlySet<AdminSection> = new Set([
  "dashboard",
  "usage",
  "billing",
  "payments",
  "rates",
  "tiers",
  "sources",
  "audit",
  "reconcile",
  "myusage",
]);

export function adminNav(
  t: Translator,
  current: AdminSection | null,
  sections: ReadonlySet<AdminSection> = BUILT_SECTIONS,
): readonly NavItem[] {
  return ADMIN_SECTIONS.filter(([section]) => sections.has(section)).map(([section, key, icon]) => ({
    href: section === "dashboard" ? "/admin" : `/admin?section=${section}`,
    label: t(key),
    icon,
    current: section === current,
  }));
}

/** The whole page as it is sent. */
export function renderPage(page: VNode): string {
  return `<!doctype html>${renderToString(page)}`;
}

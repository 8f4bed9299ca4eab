/** Every component on pages like the real ones, with invented data. For tests and for looking at. */
import type { VNode } from "preact";
import { formatter } from "../../src/web/format.ts";
import { translator, type Lang } from "../../src/web/i18n/index.ts";
import {
  AdminShell,
  adminNav,
  BareShell,
  renderPage,
  userNav,
  UserShell,
  type Assets,
  type SignedInFrame,
  type UserSection,
} from "../../src/web/pages/layout.tsx";
import type { Theme } from "../../src/web/pages/ui/index.ts";
import { AdminPage, JobsPage, ReceiptPage, TrendPage, UsagePage, type View } from "./ui-gallery-pages.tsx";
import { ConfirmPage, LoginPage, StatesPage } from "./ui-gallery-states.tsx";

export const GALLERY = ["me", "jobs", "trend", "receipt", "admin", "states", "confirm", "login"] as const;
export type GalleryPage = (typeof GALLERY)[number];

export interface GalleryOptions {
  readonly lang: Lang;
  readonly theme: Theme;
  readonly assets: Assets;
}

/** One page of the gallery as it would be sent. */
export function renderGallery(page: GalleryPage, { lang, theme, assets }: GalleryOptions): string {
  const t = translator(lang);
  const fmt = formatter({ lang, timeZone: "Asia/Bangkok", currency: "THB" });
  const view: View = { t, fmt, csrfToken: "token", words: (en, th) => (lang === "th" ? th : en) };
  const frame = (section: UserSection): SignedInFrame => ({
    siteName: "HPC Billing",
    t,
    theme,
    csrfToken: "token",
    path: `/${page}`,
    assets,
    user: { name: "somchai", fullName: "Somchai Jaidee", isAdmin: false },
    nav: userNav(t, section),
  });
  const { words } = view;
  const title = words("Your usage", "การใช้งานของคุณ");
  const pages: Readonly<Record<GalleryPage, () => VNode>> = {
    me: () => (
      <UserShell frame={frame("usage")} title={title} {...UsagePage.head(view)}>
        <UsagePage.Body view={view} />
      </UserShell>
    ),
    jobs: () => (
      <UserShell frame={frame("usage")} title={title} {...JobsPage.head(view)}>
        <JobsPage.Body view={view} />
      </UserShell>
    ),
    trend: () => (
      <UserShell frame={frame("usage")} title={title}>
        <TrendPage view={view} />
      </UserShell>
    ),
    receipt: () => (
      <UserShell frame={frame("receipts")} {...ReceiptPage.head(view)}>
        <ReceiptPage.Body view={view} />
      </UserShell>
    ),
    admin: () => (
      <AdminShell
        frame={{
          ...frame("usage"),
          user: { name: "admin", isAdmin: true },
          nav: adminNav(
            t,
            "dashboard",
            new Set(["dashboard", "usage", "billing", "rates", "tiers", "sources", "periods", "audit"]),
          ),
        }}
        title={words("Dashboard", "ภาพรวมศูนย์")}
        subtitle={fmt.dateFull("2026-10-31")}
      >
        <AdminPage view={view} />
      </AdminShell>
    ),
    states: () => (
      <UserShell frame={frame("calculator")} title="States and fields">
        <StatesPage view={view} />
      </UserShell>
    ),
    confirm: () => (
      <UserShell frame={frame("receipts")} title="Bill October for everybody?">
        <ConfirmPage view={view} />
      </UserShell>
    ),
    login: () => (
      <BareShell
        frame={frame("usage")}
        title={words("Sign in", "เข้าสู่ระบบ")}
        subtitle={words("Usage and receipts of the cluster.", "การใช้งานและใบเสร็จของคลัสเตอร์")}
      >
        <LoginPage view={view} />
      </BareShell>
    ),
  };
  return renderPage(pages[page]());
}

/** What the views of the own usage, and of the group one coordinates, share: title, period, tabs, news. */
import type { ComponentChildren } from "preact";
import type { Formatter } from "../../format.ts";
import { UserShell, type SignedInFrame } from "../layout.tsx";
import { DateRangePicker, Notice, Tabs, type RangePreset } from "../ui/index.ts";
import { address, asFields, type Params } from "./address.ts";

export const ME_VIEWS = ["aggregate", "detail", "billed", "trend", "group"] as const;
export type MeView = (typeof ME_VIEWS)[number];

/** The window as the page shows it, and as its links say it. */
export interface WindowView {
  /** Local days, both included. */
  readonly fromDay: string;
  readonly toDay: string;
  readonly preset: RangePreset;
  /** What addresses say of it; nothing for the present month. */
  readonly params: Params;
  readonly presets: Readonly<Record<Exclude<RangePreset, "custom">, Params>>;
}

/** News about the page or about what was just done. */
export type MeNotice =
  | { readonly kind: "notADay"; readonly text: string }
  | { readonly kind: "backwards"; readonly fromDay: string; readonly toDay: string }
  | { readonly kind: "nothingToBill"; readonly newest: { readonly number: string; readonly href: string } | null }
  | { readonly kind: "futureCutoff"; readonly day: string }
  | { readonly kind: "cutoffNotADay"; readonly text: string }
  | { readonly kind: "repricing"; readonly jobsSeen: bigint };

export interface MeCommon {
  readonly frame: SignedInFrame;
  readonly fmt: Formatter;
  readonly window: WindowView;
  /** The group is for those who coordinate one. */
  readonly views: readonly MeView[];
  readonly notices: readonly MeNotice[];
}

const VIEW_WORDS = {
  aggregate: "me.view.overview",
  detail: "me.view.detail",
  billed: "me.view.billed",
  trend: "me.view.trend",
  group: "me.view.group",
} as const;

export interface MeShellProps {
  readonly common: MeCommon;
  readonly view: MeView;
  /** After the period: what it came to, how fresh it is. */
  readonly about: ComponentChildren;
  /** What addresses keep of this view when the period changes. */
  readonly keep?: Params;
  readonly children: ComponentChildren;
}

export function MeShell({ common, view, about, keep = {}, children }: MeShellProps) {
  const { frame, fmt, window } = common;
  const { t } = frame;
  const viewParam = view === "aggregate" ? undefined : view;
  const preset = (name: keyof WindowView["presets"]): string =>
    address("/me", { view: viewParam, ...window.presets[name], ...keep });
  return (
    <UserShell
      frame={frame}
      title={t(view === "group" ? "group.title" : "me.title")}
      subtitle={
        <>
          {fmt.dateRange(window.fromDay, window.toDay)}
          {about === null ? null : <> · {about}</>}
        </>
      }
      actions={
        <DateRangePicker
          t={t}
          current={window.preset}
          hrefs={{ thisMonth: preset("thisMonth"), lastMonth: preset("lastMonth"), days90: preset("days90") }}
          custom={{
            action: "/me",
            from: { name: "start", value: window.fromDay },
            to: { name: "before", value: window.toDay },
            keep: asFields({ view: viewParam, ...keep }),
          }}
        />
      }
      tabs={
        <Tabs
          label={t("me.view.label")}
          items={common.views.map((one) => ({
            label: t(VIEW_WORDS[one]),
            href: address("/me", { view: one === "aggregate" ? undefined : one, ...window.params }),
            current: one === view,
          }))}
        />
      }
    >
      {common.notices.map((notice) => (
        <MeNews common={common} notice={notice} />
      ))}
      {children}
    </UserShell>
  );
}

function MeNews({ common: { frame, fmt }, notice }: { readonly common: MeCommon; readonly notice: MeNotice }) {
  const { t } = frame;
  switch (notice.kind) {
    case "notADay":
      return (
        <Notice kind="error" t={t} title={t("me.notice.dates")}>
          {t("me.notice.datesNotADay", { text: notice.text })}
        </Notice>
      );
    case "backwards":
      return (
        <Notice kind="error" t={t} title={t("me.notice.dates")}>
          {t("me.notice.datesBackwards", { from: fmt.date(notice.fromDay), to: fmt.date(notice.toDay) })}
        </Notice>
      );
    case "futureCutoff":
      return (
        <Notice kind="error" t={t} title={t("me.notice.future")}>
          {t("me.notice.futureHint", { day: fmt.dateLong(notice.day) })}
        </Notice>
      );
    case "cutoffNotADay":
      return (
        <Notice kind="error" t={t} title={t("me.notice.future")}>
          {t("me.notice.notADayHint", { text: notice.text })}
        </Notice>
      );
    case "repricing":
      return (
        <Notice kind="info" t={t} title={t("me.notice.repricing")}>
          {t("me.notice.repricingHint", { count: Number(notice.jobsSeen) })}
        </Notice>
      );
    case "nothingToBill":
      return (
        <Notice kind="info" t={t} title={t("me.notice.billed")}>
          {t("me.notice.billedHint")}{" "}
          {notice.newest === null ? null : (
            <a href={notice.newest.href}>{t("me.notice.billedLink", { number: notice.newest.number })}</a>
          )}
        </Notice>
      );
  }
}

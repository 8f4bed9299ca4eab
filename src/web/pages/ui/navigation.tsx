/** Ways to move within a page's data; all are links, so the address says what is shown. */
import type { ComponentChildren } from "preact";
import type { Translator } from "../../i18n/index.ts";
import { LinkButton } from "./button.tsx";
import { DateField } from "./form.tsx";

export interface LinkItem {
  readonly label: ComponentChildren;
  readonly href: string;
  readonly current?: boolean;
}

const ariaCurrent = (item: LinkItem, kind: "page" | "true"): "page" | "true" | undefined =>
  item.current === true ? kind : undefined;

/** Views of one page: Overview, Jobs, Billed, Trend. */
export function Tabs({ label, items }: { readonly label: string; readonly items: readonly LinkItem[] }) {
  return (
    <nav class="tabs" aria-label={label}>
      <ul>
        {items.map((item) => (
          <li>
            <a href={item.href} aria-current={ariaCurrent(item, "page")}>
              {item.label}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** A choice of few, each a link. `children` come after the links, as further segments. */
export function Segmented({
  label,
  items,
  children,
}: {
  readonly label: string;
  readonly items: readonly LinkItem[];
  readonly children?: ComponentChildren;
}) {
  return (
    <nav class="segmented" aria-label={label}>
      <ul>
        {items.map((item) => (
          <li>
            <a href={item.href} aria-current={ariaCurrent(item, "true")}>
              {item.label}
            </a>
          </li>
        ))}
        {children}
      </ul>
    </nav>
  );
}

export type RangePreset = "thisMonth" | "lastMonth" | "days90" | "custom";

export interface DateRangePickerProps {
  readonly t: Translator;
  readonly current: RangePreset;
  readonly hrefs: Readonly<Record<Exclude<RangePreset, "custom">, string>>;
  /** Where the two days are sent by GET, under which names, with what they hold now (`YYYY-MM-DD`). */
  readonly custom: {
    readonly action: string;
    readonly from: { readonly name: string; readonly value: string };
    readonly to: { readonly name: string; readonly value: string };
    /** What the address keeps beside the days. */
    readonly keep?: Readonly<Record<string, string>>;
  };
}

/** This month | Last month | 90 days | Custom. */
export function DateRangePicker({ t, current, hrefs, custom }: DateRangePickerProps) {
  const items: LinkItem[] = [
    { label: t("range.thisMonth"), href: hrefs.thisMonth, current: current === "thisMonth" },
    { label: t("range.lastMonth"), href: hrefs.lastMonth, current: current === "lastMonth" },
    { label: t("range.days90"), href: hrefs.days90, current: current === "days90" },
  ];
  return (
    <Segmented label={t("range.label")} items={items}>
      <li>
        <details class="menu segmented-custom" data-menu>
          <summary aria-current={current === "custom" ? "true" : undefined}>{t("range.custom")}</summary>
          <form class="menu-panel range-form" method="get" action={custom.action}>
            {Object.entries(custom.keep ?? {}).map(([name, value]) => (
              <input type="hidden" name={name} value={value} />
            ))}
            <DateField
              t={t}
              id="range-from"
              label={t("range.from")}
              name={custom.from.name}
              value={custom.from.value}
              required
            />
            <DateField
              t={t}
              id="range-to"
              label={t("range.to")}
              name={custom.to.name}
              value={custom.to.value}
              required
            />
            <button class="button button-secondary" type="submit">
              {t("action.show")}
            </button>
          </form>
        </details>
      </li>
    </Segmented>
  );
}

export interface PaginationProps {
  readonly t: Translator;
  /** Absent at the newest page. */
  readonly newerHref?: string | undefined;
  /** Absent at the oldest page. */
  readonly olderHref?: string | undefined;
  readonly shown: number;
  readonly total: number;
}

/** Newest first, by key: there are no page numbers to jump to. */
export function Pagination({ t, newerHref, olderHref, shown, total }: PaginationProps) {
  return (
    <div class="pager">
      <p class="small third">{t("pager.showing", { shown, total })}</p>
      {newerHref === undefined && olderHref === undefined ? null : (
        <nav aria-label={t("pager.label")} class="pager-links">
          {newerHref === undefined ? (
            <Missing>{t("pager.newer")}</Missing>
          ) : (
            <LinkButton href={newerHref} rel="prev">
              {t("pager.newer")}
            </LinkButton>
          )}
          {olderHref === undefined ? (
            <Missing>{t("pager.older")}</Missing>
          ) : (
            <LinkButton href={olderHref} rel="next">
              {t("pager.older")}
            </LinkButton>
          )}
        </nav>
      )}
    </div>
  );
}

/** Keeps its place, so the other link does not jump under the pointer. */
function Missing({ children }: { readonly children: ComponentChildren }) {
  return (
    <span class="button button-secondary button-missing" aria-hidden="true">
      {children}
    </span>
  );
}

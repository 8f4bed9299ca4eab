/** What every page of the console is given beside its data. */
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import type { SignedInFrame } from "../layout.tsx";
import { tierText } from "../me/words.ts";

export interface AdminView {
  readonly frame: SignedInFrame;
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly now: Date;
  /** The site's local day, `YYYY-MM-DD`. */
  readonly today: string;
}

export type Params = Readonly<Record<string, string | number | bigint | undefined>>;

/** An address with the parameters that are given and not empty. */
export function hrefOf(path: string, params: Params): string {
  const query = new URLSearchParams(Object.entries(textParams(params)));
  return query.size === 0 ? path : `${path}?${query}`;
}

/** A section of the console with its filters. */
export function sectionHref(section: string, params: Params = {}): string {
  return hrefOf("/admin", { section, ...params });
}

/** The parameters that are given and not empty, as text: for hidden fields. */
export function textParams(params: Params): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[name, String(value)]],
    ),
  );
}

/** The tier's short name; a tier that was written by hand into a sum shows as it is. */
export function tierName(tier: string, t: Translator): string {
  return tier === "mu" || tier === "gov" || tier === "private" ? tierText(t, tier) : tier;
}

/** Turns keys into words of one language. */
import { IntlMessageFormat } from "intl-messageformat";
import { mergeAreas, type MessageKey, type MessageText } from "./catalogue.ts";
import { LANGS, type Lang } from "./define.ts";

export type MessageValues = Readonly<Record<string, string | number>>;

/** A message with `{…}` in it must be given values, one without must not. */
type ValuesFor<K extends MessageKey> =
  MessageText<K> extends `${string}{${string}` ? [values: MessageValues] : [values?: MessageValues];

/** `t("nav.usage")`, `t("pager.showing", { shown: 50, total: 261 })`. */
export interface Translator {
  <K extends MessageKey>(key: K, ...values: ValuesFor<K>): string;
  readonly lang: Lang;
}

/** Numbers inside messages are grouped as elsewhere; Thai keeps Arabic digits. */
const LOCALES: Readonly<Record<Lang, string>> = { en: "en-US", th: "th-TH" };

const translators = new Map<Lang, Translator>();

/** The translator of a language; made once, messages are parsed when first used. */
export function translator(lang: Lang): Translator {
  const made = translators.get(lang) ?? createTranslator(lang);
  translators.set(lang, made);
  return made;
}

function createTranslator(lang: Lang): Translator {
  const texts = mergeAreas(lang);
  const parsed = new Map<string, IntlMessageFormat | string>();

  function parse(key: string): IntlMessageFormat | string {
    const text = texts.get(key);
    if (text === undefined) throw new Error(`no message "${key}"`);
    // Most messages are plain words; only those with syntax in them need the parser. Messages are text, never markup.
    return /[{}']/.test(text) ? new IntlMessageFormat(text, LOCALES[lang], undefined, { ignoreTag: true }) : text;
  }

  function translate(key: string, values?: MessageValues): string {
    const message = parsed.get(key) ?? parse(key);
    parsed.set(key, message);
    return typeof message === "string" ? message : String(message.format(values ?? {}));
  }
  return Object.assign(translate, { lang });
}

/** The language of a visitor: the one chosen before, else the first the browser asks for that we have, else English. */
export function langOf(request: {
  readonly cookie?: string | undefined;
  readonly acceptLanguage?: string | undefined;
}): Lang {
  return parseLang(request.cookie) ?? preferredLang(request.acceptLanguage ?? "") ?? "en";
}

/** Null for anything that is not one of our languages. */
export function parseLang(value: string | undefined): Lang | null {
  return LANGS.find((lang) => lang === value) ?? null;
}

/** RFC 9110 section 12.5.4: ranges with weights; the heaviest wins, of equals the first. */
function preferredLang(header: string): Lang | null {
  let best: Lang | null = null;
  let bestWeight = 0;
  for (const item of header.slice(0, 500).split(",")) {
    const [range = "", ...parameters] = item.trim().split(";");
    const quality = parameters.map((parameter) => /^\s*q=(\d(?:\.\d{1,3})?)\s*$/i.exec(parameter)?.[1]).find(Boolean);
    const weight = quality === undefined ? 1 : Number(quality);
    const lang = parseLang(range.trim().toLowerCase().split("-")[0]);
    if (lang !== null && weight > bestWeight) [best, bestWeight] = [lang, weight];
  }
  return best;
}

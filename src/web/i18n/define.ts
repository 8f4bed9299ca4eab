/** How a file of messages is written: both languages side by side, with the same keys, or it does not compile. */

/** The languages of the product. */
export const LANGS = ["en", "th"] as const;
export type Lang = (typeof LANGS)[number];

export interface Messages<En extends Readonly<Record<string, string>>> {
  readonly en: En;
  readonly th: { readonly [K in keyof En]: string };
}

/**
 * One page area's messages, in ICU message syntax. `en` decides the keys.
 *
 * @example
 * export const receipts = defineMessages({
 *   en: { "receipts.title": "Receipts", "receipts.jobs": "{count, plural, one {# job} other {# jobs}}" },
 *   th: { "receipts.title": "ใบเสร็จ", "receipts.jobs": "{count, number} งาน" },
 * });
 */
export function defineMessages<const En extends Readonly<Record<string, string>>>(messages: {
  readonly en: En;
  readonly th: { readonly [K in keyof NoInfer<En>]: string };
}): Messages<En> {
  return messages;
}

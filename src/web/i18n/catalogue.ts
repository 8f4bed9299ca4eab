/** All messages of the product. A page area adds its file to the list; nothing else is to be done. */
import type { Lang, Messages } from "./define.ts";
import { areas } from "./messages/index.ts";

type Area = (typeof areas)[number];
type KeysOf<A> = A extends Messages<infer En> ? keyof En & string : never;
type TextOf<A, K extends string> = A extends Messages<infer En> ? (K extends keyof En ? En[K] : never) : never;

/** Every key there is. */
export type MessageKey = KeysOf<Area>;
/** The English text of a key, as a literal type: what tells whether a message takes values. */
export type MessageText<K extends MessageKey> = TextOf<Area, K>;

/** Merges the areas of one language; two areas that claim one key are a mistake found at start. */
export function mergeAreas(
  lang: Lang,
  list: readonly Messages<Readonly<Record<string, string>>>[] = areas,
): ReadonlyMap<string, string> {
  const merged = new Map<string, string>();
  for (const area of list) {
    for (const [key, text] of Object.entries(area[lang])) {
      if (merged.has(key)) throw new Error(`message "${key}" is defined twice`);
      merged.set(key, text);
    }
  }
  return merged;
}

export type { MessageKey } from "./catalogue.ts";
export { LANGS, type Lang } from "./define.ts";
export { langOf, parseLang, translator, type MessageValues, type Translator } from "./translator.ts";

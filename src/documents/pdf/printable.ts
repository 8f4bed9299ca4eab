/**
 * What a PDF/A file may not hold or must not obey: control characters (a line break is none here), characters that
 * nobody has agreed on, halves of characters, and those that turn the direction of the text around them.
 */
const UNPRINTABLE = /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u{FEFF}\p{Bidi_Control}]/gu;

const REPLACEMENT = "\u{FFFD}";

/** The value with every text in it printable. */
export function printable(value: unknown): unknown {
  if (typeof value === "string") return printableText(value);
  if (Array.isArray(value)) return value.map(printable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, printable(entry)]));
}

function printableText(text: string): string {
  const spaced = text.replaceAll(/\r\n?/gu, "\n").replaceAll("\t", " ");
  return spaced.replaceAll(UNPRINTABLE, (char) => (char === "\n" ? char : REPLACEMENT)).normalize("NFC");
}

import { UserError } from "../../errors.ts";

const ACCEPTED = "UTF-8, UTF-16 and Windows-874 (TIS-620)";

/**
 * Text of a bank's file. The encoding is what a byte order mark or the XML declaration says; without either it is
 * UTF-16 by its zero bytes, else UTF-8 if the bytes are that, else Windows-874, which Thai banks still write.
 * @throws UserError for bytes that are no text in that encoding, and for UTF-8 that ends within a character.
 */
export function decodeText(bytes: Uint8Array): string {
  const encoding = markedEncoding(bytes) ?? unmarkedEncoding(bytes);
  const text = decode(bytes, encoding);
  if (text.includes("\0")) throw new UserError(`The file is not text (it has zero bytes); accepted are ${ACCEPTED}.`);
  return text;
}

function decode(bytes: Uint8Array, encoding: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(
      `The file seems to be in ${encoding}, but has bytes that are no text in it, or is cut off; accepted are ${ACCEPTED}.`,
      { cause },
    );
  }
}

function markedEncoding(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  const start = new TextDecoder("windows-1252").decode(bytes.subarray(0, 200));
  return /^\s*<\?xml\s[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']/u.exec(start)?.[1];
}

function unmarkedEncoding(bytes: Uint8Array): string {
  // The first characters of a statement are Latin letters, digits or marks: one of their two bytes is zero.
  if (bytes[1] === 0 && bytes[0] !== 0) return "utf-16le";
  if (bytes[0] === 0 && bytes[1] !== 0) return "utf-16be";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    decoder.decode(bytes, { stream: true });
  } catch {
    return "windows-874";
  }
  // All is UTF-8, but for the end perhaps: that is a file cut off, and not another encoding.
  return "utf-8";
}

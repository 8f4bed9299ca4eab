import { uint16s } from "./sfnt.ts";

const WINDOWS = 3;
const UNICODE_BMP = 1;
const ENGLISH_US = 0x409;

/**
 * A `name` table that calls the font by this family name. Names of our own keep a font of the same name on the machine
 * out, so that a document is the same everywhere.
 */
export function nameTable(family: string): Buffer {
  const records = [
    { id: 1, text: family },
    { id: 2, text: "Regular" },
    { id: 4, text: family },
    { id: 6, text: family.replaceAll(" ", "") },
  ].map(({ id, text }) => ({ id, utf16: Buffer.from(text, "utf16le").swap16() }));
  const head = [0, records.length, 6 + records.length * 12];
  let offset = 0;
  for (const { id, utf16 } of records) {
    head.push(WINDOWS, UNICODE_BMP, ENGLISH_US, id, utf16.length, offset);
    offset += utf16.length;
  }
  return Buffer.concat([uint16s(...head), ...records.map(({ utf16 }) => utf16)]);
}

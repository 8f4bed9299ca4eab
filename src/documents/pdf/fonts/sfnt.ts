import { inflateSync } from "node:zlib";

/** A font's tables by their four-letter tags, as in TrueType files (OpenType spec, "The OpenType font file"). */
export type FontTables = ReadonlyMap<string, Buffer>;

const WOFF_HEADER_BYTES = 44;
const WOFF_ENTRY_BYTES = 20;
const SFNT_HEADER_BYTES = 12;
const SFNT_ENTRY_BYTES = 16;

/** Tables of a WOFF 1 file: each stands alone and is deflated where that made it smaller (W3C, "WOFF File Format 1.0"). */
export function readWoff(file: Buffer): Map<string, Buffer> {
  if (file.toString("latin1", 0, 4) !== "wOFF") throw new Error("not a WOFF font");
  const tables = new Map<string, Buffer>();
  for (let index = 0; index < file.readUInt16BE(12); index++) {
    const entry = WOFF_HEADER_BYTES + index * WOFF_ENTRY_BYTES;
    const offset = file.readUInt32BE(entry + 4);
    const storedBytes = file.readUInt32BE(entry + 8);
    const bytes = file.readUInt32BE(entry + 12);
    const stored = file.subarray(offset, offset + storedBytes);
    tables.set(file.toString("latin1", entry, entry + 4), storedBytes < bytes ? inflateSync(stored) : stored);
  }
  return tables;
}

/** A TrueType file of these tables. */
export function writeSfnt(tables: FontTables): Buffer {
  const sorted = [...tables].sort(([a], [b]) => (a < b ? -1 : 1));
  const directory = Buffer.alloc(SFNT_HEADER_BYTES + sorted.length * SFNT_ENTRY_BYTES);
  const log2 = Math.floor(Math.log2(sorted.length));
  directory.writeUInt32BE(0x0001_0000, 0);
  directory.writeUInt16BE(sorted.length, 4);
  directory.writeUInt16BE(2 ** log2 * SFNT_ENTRY_BYTES, 6);
  directory.writeUInt16BE(log2, 8);
  directory.writeUInt16BE((sorted.length - 2 ** log2) * SFNT_ENTRY_BYTES, 10);

  const parts = [directory];
  let offset = directory.length;
  for (const [index, [tag, table]] of sorted.entries()) {
    const padded = Buffer.concat([table, Buffer.alloc(-table.length & 3)]);
    const entry = SFNT_HEADER_BYTES + index * SFNT_ENTRY_BYTES;
    directory.write(tag, entry, "latin1");
    directory.writeUInt32BE(checksum(padded), entry + 4);
    directory.writeUInt32BE(offset, entry + 8);
    directory.writeUInt32BE(table.length, entry + 12);
    parts.push(padded);
    offset += padded.length;
  }
  return Buffer.concat(parts);
}

/** The table, which a font of ours always has. */
export function tableOf(tables: FontTables, tag: string): Buffer {
  const table = tables.get(tag);
  if (table === undefined) throw new Error(`the font has no ${tag} table`);
  return table;
}

/** Unsigned 16-bit numbers in a row, which is what most of a font is. */
export function uint16s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value & 0xffff, index * 2);
  return bytes;
}

/** Unsigned 32-bit numbers in a row. */
export function uint32s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

function checksum(padded: Buffer): number {
  let sum = 0;
  for (let at = 0; at < padded.length; at += 4) sum = (sum + padded.readUInt32BE(at)) >>> 0;
  return sum;
}

/** A `loca` table in its long form: where each glyph's outline starts, and where the last one ends. */
export function locations(outlines: readonly Buffer[]): Buffer {
  let end = 0;
  const ends = outlines.map((outline) => (end += outline.length));
  return uint32s(0, ...ends);
}

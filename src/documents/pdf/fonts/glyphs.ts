import type { Offset } from "./anchors.ts";
import { locations, tableOf, uint16s, uint32s, type FontTables } from "./sfnt.ts";

/** A glyph in another one, moved by an offset. */
export interface Part {
  readonly glyph: number;
  readonly at: Offset;
}

export interface CompositeGlyph {
  readonly advance: number;
  readonly parts: readonly Part[];
}

const ARGUMENTS_ARE_WORDS_AND_OFFSETS = 0x0003;
const MORE_PARTS = 0x0020;

/** Length of the names that the `post` table takes from the Macintosh's own list. */
const MACINTOSH_NAMES = 258;

/** Glyphs by the names that the font's designer gave them: `uni0E48.small`. */
export function glyphNames(tables: FontTables): Map<string, number> {
  const post = tableOf(tables, "post");
  if (post.readUInt32BE(0) !== 0x0002_0000) throw new Error("the font does not name its glyphs");
  const glyphs = post.readUInt16BE(32);
  const names: string[] = [];
  for (let at = 34 + glyphs * 2; at < post.length; at += 1 + post.readUInt8(at)) {
    names.push(post.toString("latin1", at + 1, at + 1 + post.readUInt8(at)));
  }
  const found = new Map<string, number>();
  for (let glyph = 0; glyph < glyphs; glyph++) {
    const name = names[post.readUInt16BE(34 + glyph * 2) - MACINTOSH_NAMES];
    if (name !== undefined) found.set(name, glyph);
  }
  return found;
}

export function advanceOf(tables: FontTables, glyph: number): number {
  const metrics = tableOf(tables, "hhea").readUInt16BE(34);
  return tableOf(tables, "hmtx").readUInt16BE(Math.min(glyph, metrics - 1) * 4);
}

/** The tables with these glyphs behind the font's own; the first of them is number `glyphCount(tables)`. */
export function withComposites(tables: FontTables, composites: readonly CompositeGlyph[]): Map<string, Buffer> {
  const outlines = glyphOutlines(tables);
  const ownCount = outlines.length;
  outlines.push(...composites.map((composite) => compositeOutline(composite, outlines)));

  const changed = new Map(tables);
  changed.set("glyf", Buffer.concat(outlines));
  changed.set("loca", locations(outlines));
  changed.set("hmtx", metricsOf(tables, ownCount, composites, outlines.slice(ownCount)));
  changed.set("head", patched(tableOf(tables, "head"), { 50: 1 }));
  changed.set("hhea", patched(tableOf(tables, "hhea"), { 34: outlines.length }));
  changed.set("maxp", roomFor(tableOf(tables, "maxp"), outlines.length));
  // Names are only for us; version 3 says that there are none.
  changed.set("post", Buffer.concat([uint32s(0x0003_0000), tableOf(tables, "post").subarray(4, 32)]));
  return changed;
}

export function glyphCount(tables: FontTables): number {
  return tableOf(tables, "maxp").readUInt16BE(4);
}

function glyphOutlines(tables: FontTables): Buffer[] {
  const loca = tableOf(tables, "loca");
  const glyf = tableOf(tables, "glyf");
  const isLong = tableOf(tables, "head").readInt16BE(50) === 1;
  const offset = (glyph: number): number => (isLong ? loca.readUInt32BE(glyph * 4) : loca.readUInt16BE(glyph * 2) * 2);
  return Array.from({ length: glyphCount(tables) }, (_, glyph) => glyf.subarray(offset(glyph), offset(glyph + 1)));
}

function compositeOutline({ parts }: CompositeGlyph, outlines: readonly Buffer[]): Buffer {
  const boxes = parts.map(({ glyph, at }) => {
    const outline = outlines[glyph];
    if (outline === undefined || outline.length === 0) throw new Error(`glyph ${glyph} has no outline`);
    return {
      left: outline.readInt16BE(2) + at.x,
      bottom: outline.readInt16BE(4) + at.y,
      right: outline.readInt16BE(6) + at.x,
      top: outline.readInt16BE(8) + at.y,
    };
  });
  const header = uint16s(
    -1,
    Math.min(...boxes.map(({ left }) => left)),
    Math.min(...boxes.map(({ bottom }) => bottom)),
    Math.max(...boxes.map(({ right }) => right)),
    Math.max(...boxes.map(({ top }) => top)),
  );
  const body = parts.map(({ glyph, at }, index) => {
    const more = index < parts.length - 1 ? MORE_PARTS : 0;
    return uint16s(ARGUMENTS_ARE_WORDS_AND_OFFSETS | more, glyph, at.x, at.y);
  });
  return Buffer.concat([header, ...body]);
}

/** `hmtx` with an advance and a left side for every glyph. */
function metricsOf(
  tables: FontTables,
  ownCount: number,
  composites: readonly CompositeGlyph[],
  outlines: readonly Buffer[],
): Buffer {
  const hmtx = tableOf(tables, "hmtx");
  const fullCount = tableOf(tables, "hhea").readUInt16BE(34);
  const own = Array.from({ length: ownCount }, (_, glyph) => {
    const left = glyph < fullCount ? glyph * 4 + 2 : fullCount * 4 + (glyph - fullCount) * 2;
    return uint16s(advanceOf(tables, glyph), hmtx.readInt16BE(left));
  });
  const added = composites.map(({ advance }, index) => uint16s(advance, outlines[index]?.readInt16BE(2) ?? 0));
  return Buffer.concat([...own, ...added]);
}

/** `maxp` for so many glyphs, of which the new ones have up to four parts, each perhaps made of parts itself. */
function roomFor(maxp: Buffer, glyphs: number): Buffer {
  const points = Math.max(maxp.readUInt16BE(6), maxp.readUInt16BE(10));
  const contours = Math.max(maxp.readUInt16BE(8), maxp.readUInt16BE(12));
  const depth = maxp.readUInt16BE(30);
  return patched(maxp, { 4: glyphs, 10: points * 4, 12: contours * 4, 28: 4, 30: depth + 1 });
}

function patched(table: Buffer, values: Readonly<Record<number, number>>): Buffer {
  const copy = Buffer.from(table);
  for (const [at, value] of Object.entries(values)) copy.writeUInt16BE(value, Number(at));
  return copy;
}

/** Where a mark goes, from the `GPOS` table (OpenType spec: mark-to-base and mark-to-mark attachment). */

export interface Offset {
  readonly x: number;
  readonly y: number;
}

/** How far a mark's origin lies from that of the glyph it sits on; null where the font does not say. */
type MarkOffset = (onGlyph: number, mark: number) => Offset | null;

const MARK_TO_BASE = 4;
const MARK_TO_MARK = 6;

export interface MarkOffsets {
  readonly onBase: MarkOffset;
  readonly onMark: MarkOffset;
}

export function markOffsets(gpos: Buffer): MarkOffsets {
  return { onBase: firstOf(attachments(gpos, MARK_TO_BASE)), onMark: firstOf(attachments(gpos, MARK_TO_MARK)) };
}

function firstOf(subtables: readonly MarkOffset[]): MarkOffset {
  return (onGlyph, mark) => {
    for (const offset of subtables) {
      const found = offset(onGlyph, mark);
      if (found !== null) return found;
    }
    return null;
  };
}

function attachments(gpos: Buffer, lookupType: number): MarkOffset[] {
  const lookupList = gpos.subarray(gpos.readUInt16BE(8));
  return offsets16(lookupList, 0)
    .map((at) => lookupList.subarray(at))
    .filter((lookup) => lookup.readUInt16BE(0) === lookupType)
    .flatMap((lookup) => offsets16(lookup, 4).map((at) => attachment(lookup.subarray(at))));
}

/** Both kinds of subtable have the same shape: marks with a class and an anchor, and an anchor a class for the rest. */
function attachment(subtable: Buffer): MarkOffset {
  const marks = coverage(subtable.subarray(subtable.readUInt16BE(2)));
  const onGlyphs = coverage(subtable.subarray(subtable.readUInt16BE(4)));
  const classes = subtable.readUInt16BE(6);
  const markArray = subtable.subarray(subtable.readUInt16BE(8));
  const onArray = subtable.subarray(subtable.readUInt16BE(10));
  return (onGlyph, mark) => {
    const markIndex = marks.get(mark);
    const onIndex = onGlyphs.get(onGlyph);
    if (markIndex === undefined || onIndex === undefined) return null;
    const markClass = markArray.readUInt16BE(2 + markIndex * 4);
    const onAnchor = onArray.readUInt16BE(2 + (onIndex * classes + markClass) * 2);
    if (onAnchor === 0) return null;
    const on = anchor(onArray, onAnchor);
    const own = anchor(markArray, markArray.readUInt16BE(4 + markIndex * 4));
    return { x: on.x - own.x, y: on.y - own.y };
  };
}

function anchor(table: Buffer, at: number): Offset {
  return { x: table.readInt16BE(at + 2), y: table.readInt16BE(at + 4) };
}

/** Place of each glyph in the list that a coverage table is. */
function coverage(table: Buffer): Map<number, number> {
  const places = new Map<number, number>();
  const count = table.readUInt16BE(2);
  for (let index = 0; index < count; index++) {
    if (table.readUInt16BE(0) === 1) {
      places.set(table.readUInt16BE(4 + index * 2), index);
      continue;
    }
    const range = 4 + index * 6;
    const first = table.readUInt16BE(range);
    const last = table.readUInt16BE(range + 2);
    for (let glyph = first; glyph <= last; glyph++) places.set(glyph, places.size);
  }
  return places;
}

/** A count at `at`, and as many offsets behind it. */
function offsets16(table: Buffer, at: number): number[] {
  return Array.from({ length: table.readUInt16BE(at) }, (_, index) => table.readUInt16BE(at + 2 + index * 2));
}

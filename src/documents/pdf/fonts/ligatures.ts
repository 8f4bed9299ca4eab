import { uint16s } from "./sfnt.ts";

/** Glyphs that are shown as one other glyph. */
export interface Ligature {
  readonly glyphs: readonly [number, ...number[]];
  readonly becomes: number;
}

const ALWAYS_ON = "ccmp";
const LIGATURE_SUBSTITUTION = 4;

/** A `GSUB` table that makes these ligatures in Thai text, and nothing else (OpenType spec, "Glyph Substitution Table"). */
export function ligatureTable(ligatures: readonly Ligature[]): Buffer {
  const sets = Map.groupBy(ligatures, ({ glyphs }) => glyphs[0]);
  const firsts = [...sets.keys()].sort((a, b) => a - b);
  const coverage = uint16s(1, firsts.length, ...firsts);
  const subtable = withOffsets(
    (offsets) => uint16s(1, ...offsets.slice(0, 1), firsts.length, ...offsets.slice(1)),
    [coverage, ...firsts.map((first) => ligatureSet(sets.get(first) ?? []))],
  );
  const lookup = withOffsets((offsets) => uint16s(LIGATURE_SUBSTITUTION, 0, 1, ...offsets), [subtable]);
  const feature = Buffer.concat([uint16s(1), Buffer.from(ALWAYS_ON), uint16s(8, 0, 1, 0)]);
  return withOffsets(
    (offsets) => uint16s(1, 0, ...offsets),
    [scriptList("DFLT", "thai"), feature, withOffsets((offsets) => uint16s(1, ...offsets), [lookup])],
  );
}

/** Ligatures with one first glyph: the longest first, as the first one that fits is taken. */
function ligatureSet(ligatures: readonly Ligature[]): Buffer {
  const longestFirst = ligatures.toSorted((a, b) => b.glyphs.length - a.glyphs.length);
  return withOffsets(
    (offsets) => uint16s(offsets.length, ...offsets),
    longestFirst.map(({ glyphs, becomes }) => uint16s(becomes, glyphs.length, ...glyphs.slice(1))),
  );
}

/** Every script with the first feature for all its languages. */
function scriptList(...tags: readonly string[]): Buffer {
  const script = uint16s(4, 0, 0, 0xffff, 1, 0);
  const bodyAt = 2 + tags.length * 6;
  const records = tags.flatMap((tag, index) => [Buffer.from(tag), uint16s(bodyAt + index * script.length)]);
  return Buffer.concat([uint16s(tags.length), ...records, ...tags.map(() => script)]);
}

/** A header that holds the offsets of the parts behind it. */
function withOffsets(header: (offsets: readonly number[]) => Buffer, parts: readonly Buffer[]): Buffer {
  let offset = header(parts.map(() => 0)).length;
  const offsets = parts.map((part) => {
    const at = offset;
    offset += part.length;
    return at;
  });
  if (offset > 0xffff) throw new Error("too many ligatures for 16-bit offsets");
  return Buffer.concat([header(offsets), ...parts]);
}

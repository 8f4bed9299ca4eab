/**
 * One glyph for every consonant with its vowel and tone mark.
 *
 * A PDF says of each glyph which text it stands for. Thai is drawn with a glyph for each part of a letter, and Typst
 * 0.14 gives the text of the whole letter to every part, so that readers copy and search something that is not
 * there (typst/typst#7610, LaurenzV/krilla#411). With one glyph a letter there is nothing to mix up. The parts, their
 * variants and their places are the font's own, so it looks as before. To be removed when Typst does it right.
 */
import { markOffsets, type MarkOffsets, type Offset } from "./anchors.ts";
import { advanceOf, glyphCount, glyphNames, withComposites, type CompositeGlyph, type Part } from "./glyphs.ts";
import { ligatureTable, type Ligature } from "./ligatures.ts";
import { tableOf, type FontTables } from "./sfnt.ts";

const KO_KAI = 0x0e01;
const HO_NOKHUK = 0x0e2e;
const CONSONANTS = Array.from({ length: HO_NOKHUK - KO_KAI + 1 }, (_, index) => String.fromCodePoint(KO_KAI + index));
const UPPER_VOWELS = ["\u0e31", "\u0e34", "\u0e35", "\u0e36", "\u0e37", "\u0e47", "\u0e4d"];
const LOWER_VOWELS = ["\u0e38", "\u0e39", "\u0e3a"];
const TONES = ["\u0e48", "\u0e49", "\u0e4a", "\u0e4b", "\u0e4c"];
/** The shaper splits SARA AM into these two and puts the first one below a tone mark. */
const NIKHAHIT = "\u0e4d";
const SARA_AA = "\u0e32";

/** Right stem too tall for a mark of full width above it. */
const TALL = ["ป", "ฝ", "ฟ"];

interface Cluster {
  readonly consonant: string;
  readonly marks: readonly string[];
  readonly hasSaraAm: boolean;
}

/** The font with those glyphs, and the substitutions that use them. */
export function withThaiClusters(tables: FontTables): Map<string, Buffer> {
  const font = thaiFont(tables);
  const clusters = CONSONANTS.flatMap((consonant) => clustersOf(consonant));
  const changed = withComposites(
    tables,
    clusters.map((cluster) => composite(font, cluster)),
  );
  const first = glyphCount(tables);
  changed.set("GSUB", ligatureTable(clusters.map((cluster, index) => ligature(font, cluster, first + index))));
  return changed;
}

function clustersOf(consonant: string): Cluster[] {
  const vowels = [[], ...[...UPPER_VOWELS, ...LOWER_VOWELS].map((vowel) => [vowel])];
  const tones = [[], ...TONES.map((tone) => [tone])];
  const plain = vowels.flatMap((vowel) => tones.map((tone) => [...vowel, ...tone])).filter((marks) => marks.length > 0);
  return [
    ...plain.map((marks) => ({ consonant, marks, hasSaraAm: false })),
    ...tones.map((tone) => ({ consonant, marks: [NIKHAHIT, ...tone], hasSaraAm: true })),
  ];
}

interface ThaiFont {
  readonly tables: FontTables;
  /** The glyph of a character. */
  readonly glyph: (char: string) => number;
  /** A variant of it, or the glyph itself where there is none. */
  readonly variant: (char: string, suffix: string) => number;
  readonly offsets: MarkOffsets;
}

function thaiFont(tables: FontTables): ThaiFont {
  const names = glyphNames(tables);
  const glyph = (char: string, suffix = ""): number | undefined => {
    const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return names.get(`uni${code}${suffix}`);
  };
  const plain = (char: string): number => {
    const found = glyph(char);
    if (found === undefined) throw new Error(`the font has no ${char}`);
    return found;
  };
  return {
    tables,
    glyph: plain,
    variant: (char, suffix) => glyph(char, suffix) ?? plain(char),
    offsets: markOffsets(tableOf(tables, "GPOS")),
  };
}

function ligature({ glyph }: ThaiFont, { consonant, marks, hasSaraAm }: Cluster, becomes: number): Ligature {
  const tail = hasSaraAm ? [...marks, SARA_AA] : marks;
  return { glyphs: [glyph(consonant), ...tail.map(glyph)], becomes };
}

function composite(font: ThaiFont, { consonant, marks, hasSaraAm }: Cluster): CompositeGlyph {
  const base = baseGlyph(font, consonant, marks);
  const width = advanceOf(font.tables, base);
  const parts: Part[] = [{ glyph: base, at: { x: 0, y: 0 } }];
  let below: Part | null = null;
  for (const mark of marks) {
    const isLower = LOWER_VOWELS.includes(mark);
    const glyph: number = isLower ? font.glyph(mark) : upperGlyph(font, consonant, mark, { isStacked: below !== null });
    const onBase = font.offsets.onBase(base, glyph) ?? { x: width, y: 0 };
    const onMark = below === null ? null : font.offsets.onMark(below.glyph, glyph);
    const at: Offset =
      below === null || onMark === null ? onBase : { x: below.at.x + onMark.x, y: below.at.y + onMark.y };
    parts.push({ glyph, at });
    if (!isLower) below = { glyph, at };
  }
  if (!hasSaraAm) return { advance: width, parts };
  const saraAa = font.glyph(SARA_AA);
  return {
    advance: width + advanceOf(font.tables, saraAa),
    parts: [...parts, { glyph: saraAa, at: { x: width, y: 0 } }],
  };
}

/** Some consonants lose their foot to a vowel below, and one its tail to a mark above. */
function baseGlyph({ variant, glyph }: ThaiFont, consonant: string, marks: readonly string[]): number {
  const hasLower = marks.some((mark) => LOWER_VOWELS.includes(mark));
  if (hasLower && "ญฐ".includes(consonant)) return variant(consonant, ".less");
  if (hasLower && "ฎฏ".includes(consonant)) return variant(consonant, ".short");
  if (consonant === "ฬ" && marks.some((mark) => !LOWER_VOWELS.includes(mark))) return variant(consonant, ".short");
  return glyph(consonant);
}

function upperGlyph(
  { variant, glyph }: ThaiFont,
  consonant: string,
  mark: string,
  { isStacked }: { readonly isStacked: boolean },
): number {
  if (isStacked) return variant(mark, ".small");
  return TALL.includes(consonant) ? variant(mark, ".narrow") : glyph(mark);
}

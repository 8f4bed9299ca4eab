import { nameTable } from "./name-table.ts";
import { locations, uint16s, uint32s, writeSfnt } from "./sfnt.ts";

const UNITS_PER_EM = 1000;
const ADVANCE = 640;
const BOX = { left: 60, bottom: 0, right: 580, top: 700 } as const;
const STROKE = 50;

/**
 * So many boxes, taken in turns by the characters: two that meet on a page should not share one, as a PDF keeps one
 * text for each glyph.
 */
const BOXES = 4096;
const CODE_POINTS = 0x11_0000;

/**
 * A font that draws a box for every character there is. It comes last, for what no other font has: the page shows
 * that something is there, copied and searched text is right, and PDF/A, which forbids text without a glyph, accepts
 * any name.
 */
export function boxFont(family: string): Buffer {
  // Glyph 0 stands for "no glyph" and is never used; glyph 1 is the box, the others refer to it.
  const outlines = [Buffer.alloc(0), boxOutline(), ...Array.from({ length: BOXES - 1 }, () => sameAsFirst())];
  const glyphs = outlines.length;
  const maxima = [8, 2, 8, 2, 1, 0, 0, 0, 0, 0, 0, 1, 1];
  return writeSfnt(
    new Map([
      ["OS/2", os2Table()],
      ["cmap", characterMap()],
      ["glyf", Buffer.concat(outlines)],
      ["head", headTable()],
      ["hhea", uint16s(1, 0, 1025, -275, 0, ADVANCE, BOX.left, BOX.left, BOX.right, 1, 0, 0, 0, 0, 0, 0, 0, 1)],
      ["hmtx", uint16s(ADVANCE, ...outlines.map(() => BOX.left))],
      ["loca", locations(outlines)],
      ["maxp", Buffer.concat([uint32s(0x0001_0000), uint16s(glyphs, ...maxima)])],
      ["name", nameTable(family)],
      ["post", uint32s(0x0003_0000, 0, 0, 0, 0, 0, 0, 0)],
    ]),
  );
}

/** Two rectangles, the inner one drawn the other way round, which makes it a hole. */
function boxOutline(): Buffer {
  const width = BOX.right - BOX.left;
  const height = BOX.top - BOX.bottom;
  const inner = { width: width - 2 * STROKE, height: height - 2 * STROKE };
  const header = uint16s(2, BOX.left, BOX.bottom, BOX.right, BOX.top, 3, 7, 0);
  const onCurve = Buffer.alloc(8, 1);
  const x = uint16s(BOX.left, 0, width, 0, STROKE - width, inner.width, 0, -inner.width);
  const y = uint16s(BOX.bottom, height, 0, -height, STROKE, 0, inner.height, 0);
  return Buffer.concat([header, onCurve, x, y]);
}

function sameAsFirst(): Buffer {
  return uint16s(-1, BOX.left, BOX.bottom, BOX.right, BOX.top, 0x0003, 1, 0, 0);
}

/** `cmap` format 12, in ranges that each begin with the first box again. */
function characterMap(): Buffer {
  const ranges = Array.from({ length: CODE_POINTS / BOXES }, (_, index) => index * BOXES);
  const groups = ranges.flatMap((first) => [first, first + BOXES - 1, 1]);
  const bytes = 16 + groups.length * 4;
  return Buffer.concat([
    uint16s(0, 1, 3, 10),
    uint32s(12),
    uint16s(12, 0),
    uint32s(bytes, 0, ranges.length, ...groups),
  ]);
}

function headTable(): Buffer {
  const neverMade = [0, 0, 0, 0];
  return Buffer.concat([
    uint32s(0x0001_0000, 0x0001_0000, 0, 0x5f0f_3cf5),
    uint16s(0, UNITS_PER_EM),
    uint32s(...neverMade),
    uint16s(BOX.left, BOX.bottom, BOX.right, BOX.top, 0, 8, 2, 1, 0),
  ]);
}

function os2Table(): Buffer {
  const table = Buffer.alloc(96);
  const fields = { 0: 4, 2: ADVANCE, 4: 400, 6: 5, 68: 780, 70: -220, 74: 1025, 76: 275, 86: 516, 88: 698 };
  for (const [at, value] of Object.entries(fields)) table.writeUInt16BE(value & 0xffff, Number(at));
  return table;
}

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { boxFont } from "./box-font.ts";
import { nameTable } from "./name-table.ts";
import { readWoff, writeSfnt } from "./sfnt.ts";
import { withThaiClusters } from "./thai-clusters.ts";

/** The subsets of IBM Plex Sans Thai, under family names of our own. Its Latin letters are those of IBM Plex Sans. */
const SUBSETS = [
  { subset: "latin", family: "Plex One" },
  { subset: "thai", family: "Plex Two" },
  { subset: "latin-ext", family: "Plex Three" },
] as const;

const WEIGHTS = [400, 600] as const;

const BOXES = "Plex Box";

/** In this order a character looks for a font. The compiler brings the fourth: it has Greek, Cyrillic and Vietnamese. */
export const FONT_FAMILIES: readonly string[] = [...SUBSETS.map(({ family }) => family), "DejaVu Sans Mono", BOXES];

/** The fonts as TrueType files, made from the WOFF files that the pages' fonts come with. */
export async function documentFonts(): Promise<Buffer[]> {
  const { resolve } = createRequire(import.meta.url);
  const plex = SUBSETS.flatMap(({ subset, family }) =>
    WEIGHTS.map(async (weight) => {
      const path = `@fontsource/ibm-plex-sans-thai/files/ibm-plex-sans-thai-${subset}-${weight}-normal.woff`;
      const tables = readWoff(await readFile(resolve(path)));
      const shaped = subset === "thai" ? withThaiClusters(tables) : tables;
      return writeSfnt(new Map([...shaped, ["name", nameTable(family)]]));
    }),
  );
  return [...(await Promise.all(plex)), boxFont(BOXES)];
}

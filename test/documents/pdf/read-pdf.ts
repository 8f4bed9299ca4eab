import { extractText, getDocumentProxy, getResolvedPDFJS } from "unpdf";
import { z } from "zod";

/** The reader takes the bytes away from whoever gives them. */
export function openPdf(pdf: Uint8Array) {
  return getDocumentProxy(Uint8Array.from(pdf));
}

/** Text of each page, as a reader of the file would copy it. */
export async function pageTexts(pdf: Uint8Array): Promise<string[]> {
  const { text } = await extractText(await openPdf(pdf), { mergePages: false });
  return text;
}

/** The text without white space: where a line is broken is not what is said. */
export function squeezed(text: string): string {
  return text.replaceAll(/\s+/gu, "");
}

export interface PageQr {
  /** Rows of modules, true where one is dark. */
  readonly modules: readonly (readonly boolean[])[];
  readonly moduleMm: number;
  /** White around it, in modules. */
  readonly quietModules: number;
}

const MM_PER_POINT = 25.4 / 72;
const MOVE_TO = 0;
const LINE_TO = 1;
const BLACK = "#000000";

const matrix = z.array(z.number()).length(6);
const pathArguments = z.tuple([z.number(), z.tuple([z.instanceof(Float32Array)]), z.unknown()]);

/** The code on the first page, from the shapes that the file draws: nothing else on it is quite black. */
export async function qrOnPage(pdf: Uint8Array): Promise<PageQr> {
  const { OPS } = await getResolvedPDFJS();
  const page = await (await openPdf(pdf)).getPage(1);
  const { fnArray, argsArray } = await page.getOperatorList();
  let transform: readonly number[] = [];
  let colour: unknown = null;
  let clip: readonly number[] = [];
  for (const [index, operator] of fnArray.entries()) {
    const given: unknown = argsArray[index];
    if (operator === OPS.transform) transform = matrix.parse(given);
    if (operator === OPS.setFillRGBColor) [colour] = z.array(z.unknown()).parse(given);
    if (operator !== OPS.constructPath) continue;
    const [, [path]] = pathArguments.parse(given);
    if (colour === BLACK) return { ...measure(path, transform, clip) };
    clip = [...path];
  }
  throw new Error("no QR code on the page");
}

/** The path is one small rectangle after the other, in modules; the frame before it is the whole picture, in points. */
function measure(path: Float32Array, transform: readonly number[], frame: readonly number[]): PageQr {
  const [pointsAModule = 0, , , , left = 0] = transform;
  const corners = rectangles(path);
  const size = Math.max(...corners.map(({ x }) => x));
  const dark = new Set(corners.filter((_, index) => index % 4 === 0).map(({ x, y }) => `${x} ${y}`));
  const places = Array.from({ length: size }, (_, place) => place);
  return {
    modules: places.map((y) => places.map((x) => dark.has(`${x} ${y}`))),
    moduleMm: pointsAModule * MM_PER_POINT,
    quietModules: (left - (frame[1] ?? 0)) / pointsAModule,
  };
}

/** Corners of the rectangles, four of each, the top left one first. */
function rectangles(path: Float32Array): { readonly x: number; readonly y: number }[] {
  const corners: { readonly x: number; readonly y: number }[] = [];
  for (let at = 0; at < path.length;) {
    const verb = path[at];
    if (verb === MOVE_TO || verb === LINE_TO) {
      corners.push({ x: path[at + 1] ?? 0, y: path[at + 2] ?? 0 });
      at += 3;
    } else at += 1;
  }
  return corners;
}

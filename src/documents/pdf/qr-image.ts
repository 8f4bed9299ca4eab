import type { DocumentQr } from "./payment-document.ts";

/** White modules around a QR code that readers count on (ISO/IEC 18004, quiet zone). */
const QUIET_MODULES = 4;

const PATH_DATA = /^[\s\d.,+\-eMmLlHhVvZz]+$/u;

/** The code as an SVG image, quiet zone included. */
export function qrImage({ size, d }: DocumentQr): string {
  if (!PATH_DATA.test(d)) throw new Error("a QR code is a path of straight lines");
  const side = size + 2 * QUIET_MODULES;
  const viewBox = `${-QUIET_MODULES} ${-QUIET_MODULES} ${side} ${side}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${viewBox}" width="${side}" height="${side}"><path d="${d}"/></svg>`;
}

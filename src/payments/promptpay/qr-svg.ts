import { encode } from "uqr";

/** Light modules around the code, as ISO/IEC 18004 asks for. */
const QUIET_ZONE = 4;

export interface QrPath {
  /** Width and height in modules, quiet zone included: the view box is `0 0 size size`. */
  readonly size: number;
  /** Path data of the dark modules, in module units. */
  readonly d: string;
}

/**
 * A QR code as one path, for an inline SVG, or without quiet zone for a PDF whose renderer adds it. The caller gives it a white ground, a dark fill,
 * `shape-rendering="crispEdges"` (an attribute, not a style) and a name for those who do not see it:
 * @example
 * <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={name} shape-rendering="crispEdges"><path d={d} /></svg>
 */
export function qrPath(payload: string, { quietZone = QUIET_ZONE }: { readonly quietZone?: number } = {}): QrPath {
  // Level M mends 15 % of the code: enough for a screen and for print.
  const { data, size } = encode(payload, { ecc: "M", border: quietZone });
  return { size, d: data.map(rowPath).join("") };
}

/** Each run of dark modules is one rectangle: fewer seams than one per module, and a quarter of the text. */
function rowPath(row: readonly boolean[], y: number): string {
  let path = "";
  for (let x = row.indexOf(true); x !== -1; x = row.indexOf(true, x)) {
    const light = row.indexOf(false, x);
    const end = light === -1 ? row.length : light;
    path += `M${x} ${y}h${end - x}v1h-${end - x}z`;
    x = end;
  }
  return path;
}

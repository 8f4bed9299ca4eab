import fc from "fast-check";
import { encode } from "uqr";
import { expect, test } from "vitest";
import { qrPath } from "../../../src/payments/promptpay/qr-svg.ts";

/** The dark modules of a path, as `x,y`. */
function modulesOf(d: string): Set<string> {
  const dark = new Set<string>();
  for (const [, x, y, width] of d.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/gu))
    for (let at = 0; at < Number(width); at += 1) dark.add(`${Number(x) + at},${y}`);
  return dark;
}

test("the path draws exactly the dark modules, within a quiet zone of four", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Z0-9.]{1,150}$/u), (payload) => {
      const code = encode(payload, { ecc: "M", border: 0 });
      const dark = code.data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`${x + 4},${y + 4}`] : [])));
      const { size, d } = qrPath(payload);
      expect(size).toBe(code.size + 8);
      expect(modulesOf(d)).toEqual(new Set(dark));
      expect(d.replace(/M\d+ \d+h\d+v1h-\d+z/gu, "")).toBe("");
    }),
    { numRuns: 20 },
  );
});

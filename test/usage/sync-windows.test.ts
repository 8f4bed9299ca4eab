import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { windowsBetween, windowsUntilNow } from "../../src/usage/sync/windows.ts";

const policy = { startAt: 1_000_000, overlapSeconds: 21_600, windowSeconds: 86_400 };

describe("the windows of a sync", () => {
  it("begin with the policy's start for a cluster that was never read, and end open", () => {
    expect(windowsUntilNow(null, 1_200_000, policy)).toEqual([
      { from: 1_000_000, to: 1_086_400 },
      { from: 1_086_400, to: 1_172_800 },
      { from: 1_172_800, to: null },
    ]);
  });

  it("go back by the overlap behind what is complete", () => {
    expect(windowsUntilNow(1_100_000, 1_100_600, policy)).toEqual([{ from: 1_078_400, to: null }]);
  });

  it("go back by the overlap behind now when our clock had run ahead", () => {
    expect(windowsUntilNow(2_000_000, 1_500_000, policy)).toEqual([{ from: 1_478_400, to: null }]);
  });

  it("cover everything without a gap, whatever the numbers, and none is longer than allowed", () => {
    const instant = fc.integer({ min: 1, max: 4_000_000_000 });
    fc.assert(
      fc.property(
        instant,
        fc.integer({ min: 0, max: 10 * 86_400 }),
        fc.integer({ min: 3_600, max: 2_678_400 }),
        (from, length, longest) => {
          const windows = windowsBetween(from, from + length, longest);
          let reached = from;
          for (const window of windows) {
            expect(window.from).toBe(reached);
            expect(window.to).not.toBeNull();
            const to = window.to ?? 0;
            expect(to - window.from).toBeGreaterThan(0);
            expect(to - window.from).toBeLessThanOrEqual(longest);
            reached = to;
          }
          expect(reached).toBe(from + length);
        },
      ),
    );
  });
});

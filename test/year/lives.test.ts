import fc from "fast-check";
import { expect, it } from "vitest";
import { midnightOf } from "./berlin.ts";
import { aLife } from "./life.ts";
import { expectRightBooks } from "./right-books.ts";

const DAY = 86_400;

it("the books are right to the satang after a few weeks of any life", { timeout: 240_000 }, async () => {
  // Over a change of the clocks, over New Year, and where there is neither.
  const start = fc.constantFrom("2025-10-17", "2025-12-22", "2026-03-21", "2026-05-21");
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), start, async (seed, day) => {
      const from = midnightOf(day);
      const life = aLife({ seed, from, to: from + 14 * DAY, jobs: 40 });
      const { story } = await expectRightBooks(life, {
        syncEveryHours: [6, 12],
        reconcileEveryDays: 5,
        reconciledDays: 14,
      });
      expect(story.reconciled).toBeGreaterThan(1);
    }),
    // A smaller seed is not a simpler life.
    { numRuns: 5, endOnFailure: true },
  );
});

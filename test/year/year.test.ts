import { expect, it } from "vitest";
import { midnightOf } from "./berlin.ts";
import { aLife } from "./life.ts";
import { expectRightBooks } from "./right-books.ts";

it("the books are right to the satang after a year of a cluster's life", { timeout: 240_000 }, async () => {
  const from = midnightOf("2025-07-01");
  const life = aLife({ seed: 1, from, to: midnightOf("2026-07-01"), jobs: 1_600 });
  expect(life.runs.length).toBeGreaterThan(1_800);
  // Less often than the product does it, because that is where the time goes; nothing depends on how often.
  const { story, bills, events } = await expectRightBooks(life, {
    syncEveryHours: [12, 24],
    reconcileEveryDays: 28,
    reconciledDays: 46,
  });
  // The year was worth it: everything that can go wrong did.
  for (const count of [story.failedSyncs, story.canceledSyncs, story.takenOver, bills.paid, bills.voided])
    expect(count).toBeGreaterThan(3);
  expect(events.corrections).toBeGreaterThan(100n);
  expect(events.adjustments).toBeGreaterThan(30n);
  expect(events.vanished).toBeGreaterThan(0n);
});

import { expect } from "vitest";
import { verifyAudit } from "../../src/audit/verify.ts";
import { reconcileBreaks } from "../../src/usage/reconcile/queries.ts";
import { createTestContext, TEST_KEYRING } from "../support/context.ts";
import { rollupAndTruth } from "../support/rollup.ts";
import { localDay, TIME_ZONE } from "./berlin.ts";
import type { Bills } from "./bills.ts";
import { Centre, type PlayOptions, type Story } from "./centre.ts";
import { differences } from "./differences.ts";
import { heldEvents } from "./held.ts";
import type { Life } from "./life.ts";

/** Plays a life and expects the books to be right to the satang. */
export async function expectRightBooks(
  life: Life,
  options: PlayOptions,
): Promise<{ story: Story; bills: Bills; events: Awaited<ReturnType<typeof heldEvents>> }> {
  const context = await createTestContext({
    timeZone: TIME_ZONE,
    tax: { label: "VAT", rateMicro: 70_000n, inclusive: false },
  });
  try {
    const centre = new Centre(context, life, options);
    const now = await centre.live();
    expect(await differences(context.db, life, now, centre.bills.lastMonth)).toEqual([]);
    const { rollup, truth } = await rollupAndTruth(context.db);
    expect(rollup).toEqual(truth);
    const run = await centre.compare(localDay(life.from), localDay(now));
    expect(await reconcileBreaks(context.db, run.id, { limit: 5 })).toEqual([]);
    expect(run).toMatchObject({ status: "balanced", breaks: 0n, error: null });
    expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
    return { story: centre.story, bills: centre.bills, events: await heldEvents(context.db) };
  } finally {
    await context.close();
  }
}

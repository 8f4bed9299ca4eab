import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import { importRecords, type RecordBatch } from "../../src/usage/import/import.ts";
import { usageTotals } from "../../src/usage/queries/summary.ts";
import { aJob, createTestContext, type TestContext } from "../support/context.ts";
import { rollupAndTruth } from "../support/rollup.ts";

let context: TestContext;

beforeEach(async () => {
  context = await createTestContext();
});

afterEach(() => context.close());

async function* inBatches(batches: readonly (readonly JobRecord[])[]): AsyncGenerator<RecordBatch> {
  for (const records of batches) yield { records, rejects: [], rowsRead: records.length, bytesRead: 0 };
}

describe("two imports of the same jobs at once", () => {
  it("end, whichever way their batches cross", async () => {
    const [x, y] = [aJob({ rawJobId: "x" }), aJob({ rawJobId: "y" })];
    const many = (): JobRecord[] => Array.from({ length: 1_500 }, () => aJob());
    const options = { source: "a test", actor: "test", onRejects: () => undefined, onProgress: () => undefined };
    // The second batch of each holds what the first batch of the other waits for.
    const results = await Promise.all([
      importRecords(context, inBatches([[...many(), y], [x]]), options),
      importRecords(context, inBatches([[...many(), x], [y]]), options),
    ]);
    expect(results.reduce((sum, totals) => sum + totals.new, 0)).toBe(3_002);
    expect((await usageTotals(context.db, {})).jobs).toBe(3_002n);
    const { rollup, truth } = await rollupAndTruth(context.db);
    expect(rollup).toEqual(truth);
  });
});

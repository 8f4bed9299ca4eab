/** Reads the sums of our own books that a reconciliation has kept. */
import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import type { Books } from "./books.ts";

const big = z.string().transform((text) => BigInt(text));

const booksSchema = z.object({
  usage: z.array(
    z.object({
      kind: z.string(),
      reason: z.string().nullable(),
      jobs: big,
      cpuSeconds: big,
      gpuSeconds: big,
      memMibSeconds: big,
      minor: big,
    }),
  ),
  charges: z.object({ totalMinor: big, billedMinor: big, settledMinor: big, owedMinor: big, unbilledMinor: big }),
  receipts: z.object({
    count: big,
    totalMinor: big,
    paymentsMinor: big,
    byHandMinor: big,
    // Runs of before there were credit notes have neither.
    creditedMinor: big.default(0n),
    receivableMinor: big,
    toPayBackMinor: big.default(0n),
    voidMinor: big,
  }),
  repricingJobs: z.number(),
});

/** Null for a run that did not come so far. */
export async function booksOfRun(queries: Queries, runId: bigint): Promise<Books | null> {
  const row = await queries.maybeOne(
    z.object({ books: booksSchema.nullable() }),
    sql`SELECT books FROM reconcile_runs WHERE id = ${runId}`,
  );
  return row?.books ?? null;
}

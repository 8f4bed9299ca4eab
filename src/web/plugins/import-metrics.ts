/** Jobs that came in, for Prometheus: read from the records of all imports, since they run in other processes too. */
import { Counter, type Registry } from "prom-client";
import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import type { ScrapeQuestions } from "./metrics-questions.ts";

const IMPORT_OUTCOMES = ["new", "changed", "unchanged", "running", "rejected"] as const;

export function addImportMetrics(registers: Registry[], db: Queries, questions: ScrapeQuestions): void {
  const totals = questions.about("imports", () => importTotals(db));
  const imported: Counter<"outcome"> = new Counter({
    name: "hpc_import_rows_total",
    help: "Jobs imported by what became of them, and rows that were rejected",
    labelNames: ["outcome"],
    registers,
    collect: () =>
      totals((found) => {
        imported.reset();
        for (const outcome of IMPORT_OUTCOMES) imported.inc({ outcome }, Number(found[outcome]));
      }),
  });
  for (const outcome of IMPORT_OUTCOMES) imported.inc({ outcome }, 0);
}

const totalsSchema = z.object({
  new: z.string(),
  changed: z.string(),
  unchanged: z.string(),
  running: z.string(),
  rejected: z.string(),
});

function importTotals(db: Queries): Promise<z.output<typeof totalsSchema>> {
  return db.one(
    totalsSchema,
    sql`SELECT coalesce(sum(new), 0)::text AS new, coalesce(sum(changed), 0)::text AS changed,
               coalesce(sum(unchanged), 0)::text AS unchanged, coalesce(sum(running), 0)::text AS running,
               coalesce(sum(rejected), 0)::text AS rejected
        FROM import_runs`,
  );
}

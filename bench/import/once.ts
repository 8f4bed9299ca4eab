/** Imports one dump into DATA_DIR as the command does, and prints what it took as JSON. */
import { openServices } from "../../src/services.ts";
import { openDump } from "../../src/slurm/input.ts";
import { readDump } from "../../src/slurm/sacct-reader.ts";
import { JOBS_PER_BATCH } from "../../src/usage/import/batch.ts";
import { importRecords } from "../../src/usage/import/import.ts";

const path = process.argv[2];
if (path === undefined) throw new Error("give a dump");
const services = await openServices({ env: process.env, role: "command" });
const startedAt = performance.now();
const input = await openDump(path);
const batches = readDump(input.bytes, { defaultCluster: "bench", format: "auto", jobsPerBatch: JOBS_PER_BATCH });
const totals = await importRecords(services.importing, batches, {
  source: path,
  actor: "bench",
  onRejects: () => undefined,
  onProgress: () => undefined,
});
const milliseconds = Math.round(performance.now() - startedAt);
const peakMib = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(JSON.stringify({ milliseconds, rows: totals.rows, peakMib }));
await services.close();

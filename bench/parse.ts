/**
 * How fast a dump is read, and in how much memory: `node bench/parse.ts dump.psv`.
 * Prints rows, jobs, rejects, seconds, and the largest resident set seen.
 */
import { openDump } from "../src/slurm/input.ts";
import { readDump } from "../src/slurm/sacct-reader.ts";

const path = process.argv[2];
if (path === undefined) {
  console.error("Usage: node bench/parse.ts FILE");
  process.exit(2);
}
const input = await openDump(path);
let jobs = 0;
let rows = 0;
let rejects = 0;
let cpuSeconds = 0n;
const startedAt = performance.now();
for await (const batch of readDump(input.bytes, { defaultCluster: "bench", format: "auto", jobsPerBatch: 1000 })) {
  jobs += batch.records.length;
  rows += batch.rowsRead;
  rejects += batch.rejects.length;
  for (const job of batch.records) cpuSeconds += BigInt(job.allocCpus * job.elapsedSeconds);
}
const seconds = (performance.now() - startedAt) / 1000;
const peakMib = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(
  JSON.stringify({ jobs, rows, rejects, cpuSeconds: String(cpuSeconds), seconds: Number(seconds.toFixed(2)), peakMib }),
);

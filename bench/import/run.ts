/**
 * What an import costs, beside the least it could cost and beside what a centre does today:
 *
 *     node bench/import/run.ts [--jobs 200000] [--seed 1] [--rounds 3] [--keep FOLDER]
 *
 * In one run, on one machine, several rounds, each with an import and a COPY right after it:
 * - import: the product's own, into an empty database, in a process of its own whose peak memory is read;
 * - COPY: the same finished rows, copied by PostgreSQL itself from a file into an empty table like `jobs` (the limit);
 * - pandas: a script that only reads and sums the same dump (where python3 with pandas is there).
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { copyLimitMs } from "./copy-limit.ts";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "200000" },
    seed: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    keep: { type: "string" },
  },
});

const folder = values.keep ?? mkdtempSync(join(tmpdir(), "hpc-billing-bench-"));
const here = import.meta.dirname;
const resultSchema = z.object({ milliseconds: z.number(), rows: z.number(), peakMib: z.number() });

async function output(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve(text) : reject(new Error(`${command} ended with ${code}`))));
  });
}

const dump = join(folder, `jobs-${values.jobs}-${values.seed}.psv`);
if (!existsSync(dump)) {
  await output(process.execPath, [
    join(here, "../generate.ts"),
    "--jobs",
    values.jobs,
    "--seed",
    values.seed,
    "--out",
    dump,
  ]);
}
console.log(`dump: ${values.jobs} jobs, ${Math.round(statSync(dump).size / 1e6)} MB`);

const imports: z.output<typeof resultSchema>[] = [];
const limits: number[] = [];
for (let round = 1; round <= Number(values.rounds); round++) {
  const dataDir = join(folder, `data-${process.pid}-${round}`);
  const flags = ["--max-semi-space-size=16"];
  const text = await output(process.execPath, [...flags, join(here, "once.ts"), dump], { DATA_DIR: dataDir });
  imports.push(resultSchema.parse(JSON.parse(text)));
  limits.push(await copyLimitMs(dataDir, folder));
  rmSync(dataDir, { recursive: true, force: true });
}

const ratios = imports
  .map((result, round) => result.milliseconds / (limits[round] ?? Number.NaN))
  .sort((a, b) => a - b);
const best = imports.reduce((a, b) => (a.milliseconds < b.milliseconds ? a : b));
const peakMib = Math.max(...imports.map((result) => result.peakMib));
const rate = Math.round((best.rows / best.milliseconds) * 1000);
console.log(`import: ${imports.map((result) => result.milliseconds).join(", ")} ms; COPY: ${limits.join(", ")} ms`);
console.log(`import: ${best.rows} rows, at best ${best.milliseconds} ms (${rate} rows/s), peak memory ${peakMib} MiB`);
console.log(`an import takes ${ratios[Math.floor(ratios.length / 2)]?.toFixed(2)} times COPY of its rows (median)`);
try {
  console.log(
    `pandas, only reading and summing: ${(await output("/usr/bin/python3", [join(here, "pandas-sum.py"), dump])).trim()}`,
  );
} catch {
  console.log("pandas: not measured, python3 with pandas is not installed (Debian: python3-pandas)");
}
if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });

/** `npm test`: everything that runs on a bare machine: types, unit tests on a real PostgreSQL, and a real browser. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt } from "./build.ts";
import { run } from "./run.ts";

await run("tsc", ["-p", "."]);
await run("tsc", ["-p", "src/web/client"]);
await ensureBuilt();

const folder = mkdtempSync(join(tmpdir(), "hpc-billing-tests-"));
const report = join(folder, "report.json");
try {
  await run("vitest", [
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ]);
  const counts: unknown = JSON.parse(readFileSync(report, "utf8"));
  if (typeof counts === "object" && counts !== null && "numPassedTests" in counts && "numFailedTests" in counts) {
    console.log(`${String(counts.numPassedTests)} passed, ${String(counts.numFailedTests)} failed`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

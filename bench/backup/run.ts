/**
 * How long a backup and a restore take: `node bench/backup/run.ts [--jobs 1000000]`. Makes up a year, bills a month of it,
 * backs it up, restores it into an empty data folder and starts the server on that.
 */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { jobs: { type: "string", default: "1000000" }, month: { type: "string", default: "2026-09" } } }); // prettier-ignore
const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "hpcb-bench-"));
chmodSync(folder, 0o711);
const PORT = "27590";

function start(args: readonly string[], dataDir: string) {
  return spawn(process.execPath, args, {
    cwd: root,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], SECRET_KEY: "a secret of the benchmark, long enough", SEED_DEMO_USERS: "0", PORT, DATA_DIR: join(folder, dataDir) }, // prettier-ignore
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Runs to the end; gives the seconds and the output. */
async function timed(what: string, args: readonly string[], dataDir: string): Promise<string> {
  const startedAt = performance.now();
  const child = start(args, dataDir);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`${what} ended with ${String(code)}`);
  console.log(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return output;
}

const bill = (what: string, args: readonly string[], dataDir = "data"): Promise<string> =>
  timed(what, [join(root, "bin/hpc-billing.mjs"), ...args], dataDir);

try {
  const dump = join(folder, "dump.psv");
  await timed(
    "generate",
    [join(root, "bench/generate.ts"), "--jobs", values.jobs, "--seed", "9", "--out", dump],
    "data",
  );
  await bill(`import ${values.jobs} jobs`, ["import", dump]);
  rmSync(dump);
  await bill(`bill ${values.month}`, ["receipts", "create", "--month", values.month]);
  const to = join(folder, "backups");
  const said = await bill("backup", ["backup", "--to", to, "--json"]);
  const file = /"file":"([^"]+)"/u.exec(said)?.[1] ?? "";
  console.log(`backup: ${(statSync(file).size / 1e6).toFixed(0)} MB, ${/"rows":(\d+)/u.exec(said)?.[1] ?? "?"} rows`);
  await bill("restore as a trial, beside the data", ["restore", file, "--trial"]);
  const startedAt = performance.now();
  await bill("restore into an empty data folder", ["restore", file], "restored");
  const server = start([join(root, "bin/hpc-billing.mjs"), "serve"], "restored");
  server.stdout.resume();
  while (!(await fetch(`http://127.0.0.1:${PORT}/readyz`).then(({ ok }) => ok, () => false))) await sleep(50); // prettier-ignore
  console.log(`from nothing to a server that is ready: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  server.kill("SIGTERM");
  await new Promise((resolve) => server.once("close", resolve));
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

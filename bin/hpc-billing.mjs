#!/usr/bin/env -S node --max-semi-space-size=16
// The command. In a checkout it first makes sure that the build is fresh; a packaged install has no
// `src/` and runs `dist/` as it is. Written so that any node can read it: an old one hands over to the
// node that the project installed.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const NODE_MAJOR = 24;
const HANDED_OVER = "HPC_BILLING_NODE_HANDED_OVER";

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));

if (Number(process.versions.node.split(".")[0]) < NODE_MAJOR) handOver();
else await run();

async function run() {
  delete process.env[HANDED_OVER];
  const { enableCompileCache } = await import("node:module");
  enableCompileCache();
  if (existsSync(join(root, "src"))) {
    const { isFresh } = await load("scripts/freshness.ts");
    if (!isFresh(root)) {
      const { ensureBuilt } = await load("scripts/build.ts");
      try {
        await ensureBuilt(root);
      } catch (error) {
        // The bundler has said where and why.
        process.stderr.write(
          `hpc-billing: the build failed: ${error instanceof Error ? error.message.split("\n")[0] : error}\n`,
        );
        process.exit(1);
      }
    }
  }
  await load("dist/cli.js");
}

function load(path) {
  return import(pathToFileURL(join(root, path)).href);
}

/** Runs this very command with the project's own node: same arguments, same streams, same end. */
function handOver() {
  const node = findNode();
  if (node === null || process.env[HANDED_OVER] !== undefined) {
    process.stderr.write(
      `hpc-billing needs Node.js ${NODE_MAJOR} or newer, this is ${process.version}. Run "npm ci" first.\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, [...process.execArgv, self, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, [HANDED_OVER]: "1" },
  });
  for (const signal of ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"]) process.on(signal, () => child.kill(signal));
  // A terminal sends Ctrl-C to both of us; passing it on would count as a second one.
  process.on("SIGINT", () => {
    if (!process.stdin.isTTY) child.kill("SIGINT");
  });
  child.on("error", (error) => {
    process.stderr.write(`cannot start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** Beside the project, or where a package manager put the `node` package this one depends on. */
function findNode() {
  const beside = [join(root, "node_modules/.bin/node"), join(root, "../.bin/node")];
  try {
    const manifest = createRequire(self).resolve("node/package.json");
    beside.push(join(dirname(manifest), "bin/node"));
  } catch {
    // Not installed: the message says what to do.
  }
  return beside.find((path) => existsSync(path)) ?? null;
}

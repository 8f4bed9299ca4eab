import { defineConfig } from "vitest/config";

/** Run by `test/ops/proxy/run`, which installs the proxies. */
export default defineConfig({
  test: {
    name: "proxy",
    include: ["test/ops/proxy/**/*.check.ts"],
    pool: "forks",
    maxWorkers: 1,
    fileParallelism: false,
    // Slow clients wait for the proxies' limits side by side.
    maxConcurrency: 10,
    hookTimeout: 120_000,
    testTimeout: 60_000,
  },
});

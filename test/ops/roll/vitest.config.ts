import { defineConfig } from "vitest/config";

/** Run by `test/ops/roll/run`, which installs nginx. */
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: {
    name: "roll",
    include: ["test/ops/roll/**/*.check.ts"],
    // One PostgreSQL, which is an external one for the processes.
    globalSetup: "test/support/global-setup.ts",
    pool: "forks",
    maxWorkers: 1,
    hookTimeout: 120_000,
    testTimeout: 300_000,
    teardownTimeout: 60_000,
  },
});

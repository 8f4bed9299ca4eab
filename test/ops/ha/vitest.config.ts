import { defineConfig } from "vitest/config";

/** Run by `test/ops/ha/run`, which installs PostgreSQL and HAProxy. */
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: {
    name: "ha",
    include: ["test/ops/ha/**/*.check.ts"],
    pool: "forks",
    maxWorkers: 1,
    hookTimeout: 120_000,
    testTimeout: 300_000,
    teardownTimeout: 60_000,
  },
});

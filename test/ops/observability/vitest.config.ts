import { defineConfig } from "vitest/config";

/** Run by `test/ops/observability/run`, which installs Prometheus. */
export default defineConfig({
  test: {
    name: "observability",
    include: ["test/ops/observability/**/*.check.ts"],
    // A database for the application whose password can be planted.
    globalSetup: "test/support/global-setup.ts",
    pool: "forks",
    maxWorkers: 1,
    fileParallelism: false,
    hookTimeout: 120_000,
    testTimeout: 90_000,
  },
});

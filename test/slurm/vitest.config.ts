import { defineConfig } from "vitest/config";

/** Run by `test/slurm/run`, which starts the cluster; one file after the other, since all of them share it. */
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: {
    name: "slurm",
    include: ["test/slurm/**/*.test.ts"],
    globalSetup: "test/support/global-setup.ts",
    pool: "forks",
    fileParallelism: false,
    hookTimeout: 120_000,
    testTimeout: 120_000,
    teardownTimeout: 60_000,
  },
});

import { defineConfig } from "vitest/config";

/** Run by `test/ops/backup/run`, which installs age and gpg. */
export default defineConfig({
  test: {
    name: "backup",
    globalSetup: "test/support/global-setup.ts",
    include: ["test/ops/backup/**/*.check.ts"],
    pool: "forks",
    maxWorkers: 1,
    hookTimeout: 60_000,
    testTimeout: 60_000,
    teardownTimeout: 60_000,
  },
});

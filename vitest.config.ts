import { defineConfig } from "vitest/config";

const jsx = { oxc: { jsx: { runtime: "automatic", importSource: "preact" } } } as const;

/** Tests kill servers and wait for them to recover, on machines that are busy. */
const patience = { hookTimeout: 60_000, testTimeout: 30_000, teardownTimeout: 60_000 };

export default defineConfig({
  test: {
    // Of the whole run and not of a project: one database server serves both.
    globalSetup: "test/support/global-setup.ts",
    pool: "forks",
    maxWorkers: 2,
    teardownTimeout: patience.teardownTimeout,
    projects: [
      {
        ...jsx,
        test: {
          ...patience,
          name: "unit",
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: ["test/slurm/**", "test/e2e/**"],
        },
      },
      {
        ...jsx,
        test: { ...patience, name: "e2e", include: ["test/e2e/**/*.test.{ts,tsx}"] },
      },
    ],
  },
});

import { defineConfig } from "vitest/config";

/** Without the database of the other tests. */
export default defineConfig({ test: { include: ["test/ops/pipeline/*.test.ts"] } });

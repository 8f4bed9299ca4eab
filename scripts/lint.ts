/** `npm run lint`: format, lint with import rules, and types. */
import { run } from "./run.ts";

await run("prettier", ["--check", "--log-level", "warn", "."]);
await run("oxlint", ["--type-aware", "--deny-warnings", "src", "test", "bench", "scripts"]);
await run("tsc", ["-p", "."]);
await run("tsc", ["-p", "src/web/client"]);

/** `npm run lint`: format, lint with import rules, and types. */
import { run } from "./run.ts";

export async function lint(): Promise<void> {
  await run("prettier", ["--check", "--log-level", "warn", "."]);
  await run("oxlint", ["--type-aware", "--deny-warnings", "src", "test", "bench", "scripts"]);
  await run("tsc", ["-p", "."]);
  await run("tsc", ["-p", "src/web/client"]);
}

if (import.meta.main) await lint();

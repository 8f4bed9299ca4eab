import { spawn } from "node:child_process";
import { join } from "node:path";

const BIN = join(import.meta.dirname, "..", "node_modules", ".bin");

/** Runs one of the project's own tools with its output shown; ends this process when it fails. */
export async function run(
  tool: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const code = await new Promise<number>((resolve, reject) => {
    const child = spawn(join(BIN, tool), args, { stdio: "inherit", env: { ...process.env, ...env } });
    child.once("error", reject);
    child.once("exit", (status) => resolve(status ?? 1));
  });
  if (code !== 0) {
    console.error(`${tool} ${args.join(" ")} failed`);
    process.exit(code);
  }
}

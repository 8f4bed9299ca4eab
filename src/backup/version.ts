import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PROJECT_ROOT } from "../project-root.ts";

/** The version of this product. */
export async function productVersion(): Promise<string> {
  const text = await readFile(join(PROJECT_ROOT, "package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

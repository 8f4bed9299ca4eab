import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder with package.json and migrations/: above the sources and above the bundle, however deep its chunks lie. */
export const PROJECT_ROOT = findRoot(import.meta.dirname);

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json")) && existsSync(join(folder, "migrations"))) return folder;
    if (dirname(folder) === folder) throw new Error(`no package.json with migrations/ beside it above ${start}`);
  }
}

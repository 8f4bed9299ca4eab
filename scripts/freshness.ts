/**
 * Says whether `dist/` was made from what lies in the folders now. Imports nothing but node, so that
 * asking costs a few milliseconds before every command.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Everything a build reads, relative to the project's root. */
const SOURCES = ["src", "scripts", "migrations", "package-lock.json", "tsconfig.json"];

export const STAMP = join("dist", "stamp.txt");

/** A digest of names, sizes and modification times: cheap, and it changes with every saved edit. */
export function sourceDigest(root: string): string {
  const hash = createHash("sha256");
  for (const source of SOURCES) addTo(hash, root, source);
  return hash.digest("hex");
}

function addTo(hash: ReturnType<typeof createHash>, root: string, path: string): void {
  const absolute = join(root, path);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    hash.update(`${path}\0${stats.size}\0${stats.mtimeMs}\n`);
    return;
  }
  for (const name of readdirSync(absolute).toSorted()) addTo(hash, root, join(path, name));
}

/** The stamp is written last, so a build that was killed is not taken for a finished one. */
export function isFresh(root: string, digest: string = sourceDigest(root)): boolean {
  const stamp = join(root, STAMP);
  return existsSync(stamp) && readFileSync(stamp, "utf8").trim() === digest;
}

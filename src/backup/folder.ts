/** The folder in which backups lie: their names, and what is known of them without opening them. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { lockFile } from "../db/embedded-lock.ts";
import { UserError } from "../errors.ts";
import type { Cipher } from "./crypt.ts";

const NAME = /^hpc-billing-\d{4}-\d{2}-\d{2}T\d{6}\.\d{3}Z\.tar\.zst(\.age|\.gpg)?$/u;
const UNFINISHED = ".unfinished-";
const RESTORE_TEST = "restore-test.json";

const noteSchema = z.object({
  file: z.string(),
  taken_at: z.iso.datetime(),
  bytes: z.int(),
  sha256: z.string(),
});

/** What lies beside a backup as `NAME.json`: enough to watch over it, and nothing that encryption hides. */
export type BackupNote = z.output<typeof noteSchema>;

const restoreTestSchema = noteSchema.pick({ file: true, taken_at: true }).extend({ tested_at: z.iso.datetime() });

/** The last time that somebody restored a backup of this folder and all was right. */
export type RestoreTest = z.output<typeof restoreTestSchema>;

export function backupName(takenAt: Date, cipher: Cipher | null): string {
  const time = takenAt.toISOString().replaceAll(":", "");
  return `hpc-billing-${time}.tar.zst${cipher === null ? "" : `.${cipher}`}`;
}

/** Which program decrypts a file, by its name. */
export function cipherOfFile(path: string): Cipher | null {
  return path.endsWith(".age") ? "age" : path.endsWith(".gpg") ? "gpg" : null;
}

/** The complete backups of a folder, oldest first. A name is given to a file only when all of it is on the disk. */
export async function backupsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => NAME.test(name)).sort();
}

/** What was noted of a backup when it was taken; undefined where it was copied without that. */
export function noteBeside(path: string): Promise<BackupNote | undefined> {
  return readJson(noteSchema, noteOf(path));
}

/** What is known of the newest complete backup; undefined when there is none. */
export async function newestBackup(folder: string): Promise<BackupNote | undefined> {
  const newest = (await backupsIn(folder).catch(() => [])).at(-1);
  if (newest === undefined) return undefined;
  const note = await noteBeside(join(folder, newest));
  const { size, mtime } = await stat(join(folder, newest));
  return note ?? { file: newest, taken_at: mtime.toISOString(), bytes: size, sha256: "" };
}

export function lastRestoreTest(folder: string): Promise<RestoreTest | undefined> {
  return readJson(restoreTestSchema, join(folder, RESTORE_TEST));
}

/** Remembers that a backup was restored and all was right, in the folder in which it lies. */
export async function noteRestoreTest(file: string, test: RestoreTest): Promise<void> {
  await writeWhole(join(dirname(file), RESTORE_TEST), `${JSON.stringify(test)}\n`);
}

/** A folder that is being written to, by this process alone. */
export interface OpenFolder {
  /** Where the bytes go until they are complete. */
  readonly unfinished: string;
  /** Makes a backup of them, after which it is there even if the power fails. */
  finish(name: string, note: Omit<BackupNote, "file">): Promise<string>;
  /** Removes all but the newest complete ones, and gives their names. */
  keep(count: number): Promise<string[]>;
  close(): Promise<void>;
}

/** @throws {UserError} when another backup is being written there. */
export async function openFolder(folder: string): Promise<OpenFolder> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = await lockFile(join(folder, ".lock"), { wait: false });
  if (lock === undefined) throw new UserError(`another backup is being written to ${folder}: wait for its end`);
  await removeLeftovers(folder);
  const unfinished = join(folder, `${UNFINISHED}${process.pid}`);
  return {
    unfinished,
    finish: async (name, note) => {
      const path = join(folder, name);
      // The note first: what has a backup's name is complete, with all that belongs to it.
      await writeWhole(noteOf(path), `${JSON.stringify({ file: name, ...note })}\n`);
      await rename(unfinished, path);
      await syncFolder(folder);
      return path;
    },
    keep: async (count) => {
      const old = (await backupsIn(folder)).slice(0, -count);
      for (const name of old) {
        await rm(join(folder, name));
        await rm(noteOf(join(folder, name)), { force: true });
      }
      return old;
    },
    close: async () => {
      await rm(unfinished, { force: true });
      lock.release();
    },
  };
}

/** What runs that were killed have left: parts of backups, and notes without one. */
async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder);
  for (const name of names) {
    const isNoteOfNone =
      name.endsWith(".json") && NAME.test(basename(name, ".json")) && !names.includes(basename(name, ".json"));
    if (name.startsWith(UNFINISHED) || isNoteOfNone) await rm(join(folder, name), { force: true });
  }
}

function noteOf(path: string): string {
  return `${path}.json`;
}

async function readJson<T>(schema: z.ZodType<T>, path: string): Promise<T | undefined> {
  try {
    return schema.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const aside = join(dirname(path), `${UNFINISHED}${process.pid}-${basename(path)}`);
  const handle = await open(aside, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(aside, path);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

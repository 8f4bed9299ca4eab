/** A lock between processes of one machine: a file made exclusively that holds its owner's process id. */
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 40;
/** Longer than any build; covers owners whose process id means nothing here (another container). */
const ABANDONED_MS = 120_000;

/** Runs `work` while no other process holds the lock; waits for its turn, and takes over from the dead. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!tryTake(path)) {
    if (isAbandoned(path)) breakLock(path);
    else await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** The id is in the file from its first instant: it is written aside and linked, never created empty. */
function tryTake(path: string): boolean {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, path);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

function isAbandoned(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (Date.now() - stats.mtimeMs > ABANDONED_MS) return true;
  const owner = ownerOf(path);
  return owner !== null && !isAlive(owner);
}

function ownerOf(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Of several that find the lock abandoned, the rename lets one through. */
function breakLock(path: string): void {
  const aside = `${path}.broken.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  rmSync(aside, { force: true });
}

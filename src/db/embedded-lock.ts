import { spawn } from "node:child_process";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { UpstreamError, UserError } from "../errors.ts";
import { errnoOf, openForAppending, startTicks } from "./embedded-process.ts";

/** A lock of the kernel on a file: it ends with the process that holds it, however that ends. */
export interface FileLock {
  release(): void;
}

/**
 * Locks a file, or gives undefined when another process has it and `wait` is false.
 *
 * A lock file with a process number in it has no safe way to be taken over from the dead: of two that find it stale,
 * the slower one removes the lock of the faster. A flock(2) is never stale. Node cannot take one, but flock(1) (util-linux,
 * essential in Debian) locks the open file it inherits, which is ours. The file itself is never removed: a second
 * file under the same name would be a second lock.
 */
export async function lockFile(path: string, options: { wait: boolean }): Promise<FileLock | undefined> {
  // A plain descriptor: a FileHandle would be closed, and the lock lost, when the garbage collector finds it.
  const descriptor = openForAppending(path);
  try {
    if (!(await flock(descriptor, options.wait ? ["-x"] : ["-x", "-n"]))) {
      closeSync(descriptor);
      return undefined;
    }
    signFile(descriptor);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return { release: () => closeSync(descriptor) };
}

/** Whether a process has the file locked. */
export async function isLocked(path: string): Promise<boolean> {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
  try {
    return !(await flock(descriptor, ["-s", "-n"]));
  } finally {
    closeSync(descriptor);
  }
}

/** Who holds the lock is for messages only: a full disk must not make a difference. */
function signFile(descriptor: number): void {
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${process.pid} ${startTicks(process.pid) ?? ""}\n`);
  } catch {
    // The lock itself is held.
  }
}

/** The number of the process that holds the lock, if it can be seen from here (it may be in another container). */
export async function lockHolder(path: string): Promise<number | undefined> {
  // The holder writes its number a moment after it has got the lock: until then the last holder's is there.
  for (let attempt = 0; attempt < 20; attempt++) {
    const [pid, ticks] = readFileSync(path, "utf8").trim().split(" ");
    if (pid !== undefined && ticks !== undefined && startTicks(Number(pid)) === ticks) return Number(pid);
    await sleep(25);
  }
  return undefined;
}

function flock(descriptor: number, how: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn("flock", [...how, "3"], { stdio: ["ignore", "ignore", "ignore", descriptor] });
    child.on("error", (error) => {
      reject(
        errnoOf(error) === "ENOENT"
          ? new UserError(
              "the built-in PostgreSQL needs the program flock (package util-linux): install it, or set DATABASE_URL",
            )
          : error,
      );
    });
    child.on("exit", (code, signalName) => {
      if (code === 0 || (code === 1 && how.includes("-n"))) resolve(code === 0);
      else reject(new UpstreamError(`flock ended with ${String(code ?? signalName)}`));
    });
  });
}

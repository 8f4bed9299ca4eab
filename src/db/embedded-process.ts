import { spawn } from "node:child_process";
import { constants, fchownSync, openSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** The ordinary account PostgreSQL runs under; undefined stands for our own. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** What PostgreSQL's programs see of our environment: nothing secret, and messages in English that we can recognise. */
const TOOL_ENVIRONMENT = {
  LC_ALL: "C",
  TZ: "UTC",
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
};

/** How to spawn a program of PostgreSQL. The working folder must be one that every account can enter. */
export function toolOptions(
  account: Account | undefined,
): { cwd: string; env: Record<string, string> } & Partial<Account> {
  return { cwd: "/", env: TOOL_ENVIRONMENT, ...account };
}

/** Runs a short program to its end and gives what it printed; a program that does not exist has the code `ENOENT`. */
export function runTool(
  command: string,
  args: readonly string[],
  options: { account?: Account | undefined; input?: string } = {},
): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...toolOptions(options.account), stdio: ["pipe", "pipe", "pipe"] });
    // A program that ends without reading its input is no error of its own.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    let output = "";
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-8_000);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", (error) => resolve({ code: errnoOf(error) ?? "failed", output: error.message }));
    child.on("close", (code, signal) => resolve({ code: code ?? signal ?? "failed", output }));
  });
}

/**
 * Opens a file of the data folder for appending. As root it is given to the folder's owner, who could not use it
 * otherwise, and a link he may have put there is not followed.
 */
export function openForAppending(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(dirname(path));
    fchownSync(descriptor, uid, gid);
  }
  return descriptor;
}

/** `ENOENT` and its like, of an error of the operating system. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * When the process was started, in the kernel's ticks since boot: with its number it names one process for good, as the
 * numbers are used again. Undefined for a process that is gone, and for one that has ended and waits to be collected
 * by its parent, which in a container nobody may ever do; our own children Node collects in a moment.
 */
export function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // proc(5): the name in parentheses may hold anything, so count from its end: state is field 3, parent 4, starttime 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const hasEnded = fields[0] === "Z" && fields[1] !== String(process.pid);
    return hasEnded ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Whether the process lives and works in `folder`, as every process of a PostgreSQL server does in its data folder. */
export function worksIn(pid: number, folder: string): boolean {
  if (process.platform !== "linux") return signal(pid, 0);
  if (startTicks(pid) === undefined) return false;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return false;
  }
}

/** Sends a signal; false when there is no such process (any more). */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

import { spawn } from "node:child_process";
import { closeSync, existsSync, fstatSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UpstreamError } from "../errors.ts";
import type { Binaries } from "./embedded-binaries.ts";
import { lastLines, spaceHint } from "./embedded-cluster.ts";
import { PORT, type Home } from "./embedded-home.ts";
import { errnoOf, openForAppending, signal, startTicks, toolOptions, worksIn } from "./embedded-process.ts";
import { settingArguments } from "./embedded-settings.ts";

/** What a running server writes down in `postmaster.pid`. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly socketFolder: string;
  /** `starting`, `ready` or `stopping`. */
  readonly status: string;
}

const MAX_LOG_BYTES = 10 * 1024 * 1024;
const STOP_MS = 60_000;
const LEFTOVER_MS = 30_000;
const POLL_MS = 10;

/** Reads `postmaster.pid`; undefined when there is none, or not all of it yet. What it says may be long past. */
export function readPostmaster(pgData: string): Postmaster | undefined {
  const text = readIfThere(join(pgData, "postmaster.pid"));
  // pidfile.h: pid, data folder, start time, port, socket folder, address, shared memory key, status.
  const [pid, , , port, socketFolder, , , status] = (text ?? "").split("\n");
  if (pid === undefined || port === undefined || socketFolder === undefined || socketFolder === "") return undefined;
  return { pid: Number(pid), port: Number(port), socketFolder, status: status?.trim() ?? "" };
}

/** The process that serves this folder, if `postmaster.pid` names one that does. */
export function runningPostmaster(pgData: string): number | undefined {
  const pid = Number.parseInt(readIfThere(join(pgData, "postmaster.pid")) ?? "", 10);
  return pid > 0 && worksIn(pid, pgData) ? pid : undefined;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Starts the server and returns when it takes connections. It is in a session of its own, so that Ctrl-C reaches the
 * application and not the database below it, and it outlives the application if that is killed.
 *
 * @throws {UpstreamError} with the end of the server's log when it does not start.
 */
export async function startPostmaster(options: {
  home: Home;
  binaries: Binaries;
  socketFolder: string;
  settings: Readonly<Record<string, string>>;
}): Promise<void> {
  const { home } = options;
  removeStaleLocks(home.pgData, options.socketFolder);
  const deadline = Date.now() + LEFTOVER_MS;
  for (;;) {
    const failure = await tryStart(options);
    if (failure === undefined || runningPostmaster(home.pgData) !== undefined) return;
    // The server was killed, and a query it ran has not noticed yet. The kernel's count of users of the shared memory
    // is what keeps two servers apart, so wait for it to end, and hurry it.
    if (failure.includes("pre-existing shared memory block") && Date.now() < deadline) {
      terminateLeftovers(home.pgData);
      await sleep(100);
      continue;
    }
    throw new UpstreamError(
      `PostgreSQL did not start on ${home.pgData}${await spaceHint(home.pgData)}; the end of ${home.logFile}:\n${lastLines(failure)}`,
    );
  }
}

/** Undefined when the server is up, else what it has written into its log. */
function tryStart(options: {
  home: Home;
  binaries: Binaries;
  socketFolder: string;
  settings: Readonly<Record<string, string>>;
}): Promise<string | undefined> {
  const { home, binaries, socketFolder, settings } = options;
  const logFile = openLog(home.logFile);
  const logStart = fstatSync(logFile).size;
  return new Promise((resolve, reject) => {
    const child = spawn(
      binaries.postgres,
      ["-D", home.pgData, "-k", socketFolder, "-p", String(PORT), ...settingArguments(settings)],
      { ...toolOptions(home.account), stdio: ["ignore", logFile, logFile], detached: true },
    );
    closeSync(logFile);
    // A long recovery is no failure: the server says `ready` or ends.
    const poll = setInterval(() => {
      const seen = readPostmaster(home.pgData);
      if (seen?.pid !== child.pid || seen?.status !== "ready") return;
      clearInterval(poll);
      // How it ends one day is not this start's business, and its folder may be gone by then.
      child.off("exit", onExit);
      child.unref();
      resolve(undefined);
    }, POLL_MS);
    child.on("error", (error) => {
      clearInterval(poll);
      reject(error);
    });
    function onExit(code: number | null, signalName: NodeJS.Signals | null): void {
      clearInterval(poll);
      const written = existsSync(home.logFile) ? readFileSync(home.logFile).subarray(logStart).toString() : "";
      resolve(written.trim() === "" ? `postgres ended with ${String(code ?? signalName)}` : written);
    }
    child.on("exit", onExit);
  });
}

/** The log goes straight to the file, as the server outlives us; it is cut where we can, at a start. */
function openLog(path: string): number {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
  return openForAppending(path);
}

/**
 * After a power cut the number in `postmaster.pid`, and in the lock beside the socket, may be that of any process of
 * today, even our own, and PostgreSQL would refuse to start because of it. They are safe to remove: the shared memory, not
 * these files, is what tells PostgreSQL that an old server's process still works on the folder.
 */
function removeStaleLocks(pgData: string, socketFolder: string): void {
  if (runningPostmaster(pgData) !== undefined) return;
  rmSync(join(pgData, "postmaster.pid"), { force: true });
  rmSync(join(socketFolder, `.s.PGSQL.${PORT}.lock`), { force: true });
}

function terminateLeftovers(pgData: string): void {
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/u.test(name) && worksIn(Number(name), pgData)) signal(Number(name), "SIGTERM");
  }
}

/**
 * Stops the server (fast: sessions are ended, what was committed is written) and returns when it is gone.
 *
 * @throws {UpstreamError} when it does not end.
 */
export async function stopPostmaster(pgData: string, log: (line: string) => void): Promise<void> {
  const pid = runningPostmaster(pgData);
  if (pid === undefined) return;
  const ticks = startTicks(pid);
  signal(pid, "SIGINT");
  if (await isGone(pid, ticks, STOP_MS)) return;
  log(
    `PostgreSQL (process ${pid}) has not stopped in ${STOP_MS / 1000} s; stopping it at once, the next start recovers`,
  );
  signal(pid, "SIGQUIT");
  if (await isGone(pid, ticks, STOP_MS)) return;
  throw new UpstreamError(`PostgreSQL (process ${pid}) on ${pgData} does not stop`);
}

async function isGone(pid: number, ticks: string | undefined, milliseconds: number): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  while (Date.now() < deadline) {
    if (process.platform === "linux" ? startTicks(pid) !== ticks : !signal(pid, 0)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

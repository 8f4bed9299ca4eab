import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runningPostmaster } from "../../src/db/embedded-postmaster.ts";

/** The folder everything a test run writes lies in. */
export interface RunFolder {
  readonly path: string;
  remove(): void;
}

/**
 * Makes the folder of a test run. It is gone, with every PostgreSQL that runs in it, when `remove` is called or this
 * process ends, however it was told to (all but kill -9).
 */
export function makeRunFolder(): RunFolder {
  const path = makeFolderIn(tmpdir());
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const remove = (): void => {
    process.off("exit", remove);
    for (const name of signals) process.off(name, onSignal);
    removeWithServers(path);
  };
  const onSignal = (name: NodeJS.Signals): void => {
    remove();
    // Without our listener the signal does what it always does; with other listeners the end is theirs to decide.
    if (process.listenerCount(name) === 0) process.kill(process.pid, name);
  };
  process.on("exit", remove);
  for (const name of signals) process.on(name, onSignal);
  return { path, remove };
}

/** A new folder that the account PostgreSQL runs under can enter, also when we are root. */
export function makeFolderIn(parent: string): string {
  // Short, for the sockets in it: their paths have 107 bytes.
  const folder = mkdtempSync(join(parent, "hpcb-"));
  chmodSync(folder, 0o711);
  return folder;
}

const PATIENCE_MS = 10_000;

/** Removes a folder of {@link makeFolderIn}, and kills the servers of the data folders in it. */
export function removeWithServers(folder: string): void {
  const deadline = Date.now() + PATIENCE_MS;
  // Again and again, as what is interrupted with us (an initdb, a server) may still be writing.
  while (existsSync(folder)) {
    try {
      for (const server of serversIn(folder)) killServer(server);
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (Date.now() > deadline) throw error;
      block();
    }
  }
}

function serversIn(folder: string): string[] {
  const dataFolders = [folder, ...readdirSync(folder).map((name) => join(folder, name))];
  return dataFolders.map((one) => join(one, "postgres")).filter((one) => existsSync(join(one, "postmaster.pid")));
}

function killServer(pgData: string): void {
  const deadline = Date.now() + PATIENCE_MS;
  const pid = runningPostmaster(pgData);
  if (pid !== undefined) process.kill(pid, "SIGQUIT");
  while (runningPostmaster(pgData) !== undefined && Date.now() < deadline) block();
}

/** At the end of a process there is no waiting for a promise. */
function block(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
}

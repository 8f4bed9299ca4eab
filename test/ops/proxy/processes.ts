/** Programs that a test starts and ends. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../../support/until.ts";

const run = promisify(execFile);

export const ROOT = join(import.meta.dirname, "../../..");
export const SITE = "billing.example.org";

/** A folder that is removed with what was started in it. */
export interface Workplace {
  readonly folder: string;
  readonly ca: Authority;
  /** Starts a program whose output goes to `<name>.log` in the folder. */
  start(
    name: string,
    command: string,
    args: readonly string[],
    options?: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string },
  ): Started;
  /** Ends everything, in the order opposite to that in which it was started. */
  close(): Promise<void>;
}

export interface Started {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  log(): string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A certificate authority of the test's own, and the site's certificate by it. */
export interface Authority {
  readonly pem: string;
  readonly certPath: string;
  readonly keyPath: string;
}

export async function openWorkplace(): Promise<Workplace> {
  const folder = mkdtempSync(join(tmpdir(), "hpcb-ops-"));
  // The workers of a proxy that was started by root run under an account of their own.
  chmodSync(folder, 0o711);
  const started: Started[] = [];
  const ca = await makeAuthority(join(folder, "tls"));
  return {
    folder,
    ca,
    start(name, command, args, options = {}) {
      const one = startProgram(join(folder, `${name}.log`), command, args, options);
      started.push(one);
      return one;
    },
    async close() {
      for (const one of started.toReversed()) await one.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startProgram(
  logPath: string,
  command: string,
  args: readonly string[],
  { env = {}, cwd = ROOT }: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string },
): Started {
  const log = openSync(logPath, "a");
  const child = spawn(command, args, {
    cwd,
    // Nothing of the machine's own settings, but the way to programs.
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", ...env },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  return {
    child,
    exited,
    log: () => readFileSync(logPath, "utf8"),
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return exited;
    },
  };
}

/** Waits until a started program says or does something, and shows its log if it ends before that. */
export async function untilReady(started: Started, what: string, isReady: () => Promise<boolean>): Promise<void> {
  await until(
    what,
    async () => {
      if (started.child.exitCode !== null) throw new Error(`it ended before ${what}:\n${started.log()}`);
      return isReady().catch(() => false);
    },
    60_000,
  );
}

async function makeAuthority(folder: string): Promise<Authority> {
  mkdirSync(folder);
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    "req", "-x509", ...key, "-days", "2", "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem",
  ); // prettier-ignore
  await openssl(
    "req", "-x509", ...key, "-days", "2", "-subj", `/CN=${SITE}`, "-addext", `subjectAltName=DNS:${SITE}`,
    "-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key",
    "-keyout", "site.key", "-out", "site.pem",
  ); // prettier-ignore
  return { pem: readFileSync(path("ca.pem"), "utf8"), certPath: path("site.pem"), keyPath: path("site.key") };
}

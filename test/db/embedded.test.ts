import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { openClient } from "../../src/db/connection.ts";
import {
  connectionUrl,
  openEmbeddedPostgres,
  type EmbeddedConnection,
  type EmbeddedPostgres,
} from "../../src/db/embedded.ts";
import { runningPostmaster } from "../../src/db/embedded-postmaster.ts";
import { UserError } from "../../src/errors.ts";
import { makeFolderIn, removeWithServers } from "../support/run-folder.ts";
import { until } from "../support/until.ts";
import { startHolder } from "./holder.ts";

let dataDir: string;
/** What a test has opened; closed after it, also when it fails. */
let opened: { close(): Promise<void> }[];

/** A data folder that has been used and closed: copied, it spares a test the second that making one takes. */
let usedBefore: string;

beforeAll(async () => {
  usedBefore = makeFolderIn(inject("runFolder"));
  const postgres = await openEmbeddedPostgres({ dataDir: usedBefore, role: "command", log: () => undefined });
  await postgres.close();
});

afterAll(() => removeWithServers(usedBefore));

beforeEach(() => {
  dataDir = makeFolderIn(inject("runFolder"));
  opened = [];
});

afterEach(async () => {
  for (const one of opened.reverse()) await one.close();
  removeWithServers(dataDir);
});

function pgData(): string {
  return join(dataDir, "postgres");
}

function copyUsedFolder(): void {
  execFileSync("cp", ["-a", join(usedBefore, "postgres"), pgData()]);
}

async function open(role: "serve" | "command" = "serve"): Promise<EmbeddedPostgres> {
  const postgres = await openEmbeddedPostgres({ dataDir, role, log: () => undefined });
  opened.push(postgres);
  return postgres;
}

async function hold(role: "serve" | "command" = "serve"): ReturnType<typeof startHolder> {
  const holder = await startHolder(dataDir, role);
  opened.push(holder);
  return holder;
}

async function query(connection: EmbeddedConnection, text: string): Promise<unknown[]> {
  const client = openClient(connectionUrl(connection));
  await client.connect();
  try {
    const answer = await client.query<Record<string, unknown>>(text);
    return answer.rows;
  } finally {
    await client.end();
  }
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it did not fail");
}

const REMEMBER = "CREATE TABLE kept AS SELECT 42 AS answer";
const RECALL = "SELECT answer FROM kept";
const isRunning = (): boolean => runningPostmaster(pgData()) !== undefined;

describe("a new data folder", () => {
  test("gets a durable UTF-8 database that sorts alike everywhere and is reached by a private socket only", async () => {
    const postgres = await open();

    expect(postgres.adopted).toBe(false);
    expect(postgres.connection).toMatchObject({ user: "hpc_billing", database: "hpc_billing" });
    const settings = await query(
      postgres.connection,
      `SELECT name, setting FROM pg_settings WHERE name IN
       ('listen_addresses', 'fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'server_encoding') ORDER BY name`,
    );
    expect(settings).toEqual([
      { name: "data_checksums", setting: "on" },
      { name: "fsync", setting: "on" },
      { name: "full_page_writes", setting: "on" },
      { name: "listen_addresses", setting: "" },
      { name: "server_encoding", setting: "UTF8" },
      { name: "synchronous_commit", setting: "on" },
    ]);
    const locale = await query(
      postgres.connection,
      "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()",
    );
    expect(locale).toEqual([{ datlocprovider: "b", datlocale: "C.UTF-8" }]);
    expect(statSync(postgres.connection.host).mode & 0o777).toBe(0o700);
    expect(statSync(pgData()).mode & 0o777).toBe(0o700);
  });

  test("is not spoilt by an initdb that was killed", async () => {
    const halfDone = `${pgData()}.unfinished-1`;
    mkdirSync(join(halfDone, "base"), { recursive: true });
    writeFileSync(join(halfDone, "PG_VERSION"), "18\n");

    const postgres = await open();

    expect(await query(postgres.connection, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(readdirSync(dataDir).filter((name) => name.includes("unfinished"))).toEqual([]);
  });

  test("whose path is too long for a socket has it in the folder of temporary files", async () => {
    const parent = dataDir;
    dataDir = join(parent, "a".repeat(60), "b".repeat(60));
    mkdirSync(dataDir, { recursive: true });
    try {
      const postgres = await open();
      expect(postgres.connection.host.startsWith(dataDir)).toBe(false);
      expect(await query(postgres.connection, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
      await postgres.close();
      rmSync(postgres.connection.host, { recursive: true });
    } finally {
      dataDir = parent;
    }
  });

  test("that holds something else is refused and left as it is", async () => {
    mkdirSync(pgData());
    writeFileSync(join(pgData(), "thesis.tex"), "\\chapter{One}");

    const failure = await failureOf(open());

    expect(failure).toBeInstanceOf(UserError);
    expect(failure.message).toContain("not a PostgreSQL database");
    expect(readdirSync(pgData())).toEqual(["thesis.tex"]);
  });
});

describe("a process that is killed", () => {
  beforeEach(copyUsedFolder);

  test("leaves a server that the next one takes over, with its data", async () => {
    const holder = await hold();
    if ("failure" in holder.answer) throw new Error(holder.answer.failure);
    await query(holder.answer.connection, REMEMBER);
    const pid = runningPostmaster(pgData());
    await holder.kill();

    const postgres = await open();

    expect(postgres.adopted).toBe(true);
    expect(runningPostmaster(pgData())).toBe(pid);
    expect(await query(postgres.connection, RECALL)).toEqual([{ answer: 42 }]);
    await postgres.close();
    expect(isRunning()).toBe(false);
  });
});

describe("a server that is killed", () => {
  beforeEach(copyUsedFolder);

  test("is noticed, closes without waiting, and recovers what was committed", async () => {
    const first = await open();
    await query(first.connection, REMEMBER);
    process.kill(runningPostmaster(pgData()) ?? 0, "SIGKILL");

    await first.exited;
    await first.close();
    const second = await open();

    expect(second.adopted).toBe(false);
    expect(await query(second.connection, RECALL)).toEqual([{ answer: 42 }]);
  });

  test("while it works on a query does not keep the next one from starting", async () => {
    const first = await open();
    const client = openClient(connectionUrl(first.connection));
    await client.connect();
    // Never looks up from its work, as a query that waits for something would.
    const busy = failureOf(client.query("SELECT count(*) FROM generate_series(1, 100000000000) AS n WHERE n % 7 = 3"));
    await until("the query runs", async () => {
      const [row] = await query(
        first.connection,
        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%% 7%'",
      );
      return row;
    });
    process.kill(runningPostmaster(pgData()) ?? 0, "SIGKILL");
    await first.exited;
    await first.close();

    const second = await open();

    expect(await query(second.connection, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await busy;
    await client.end();
  });

  test("starts again when its number has gone to a process that has nothing to do with it", async () => {
    const first = await open();
    await query(first.connection, REMEMBER);
    const file = join(pgData(), "postmaster.pid");
    const socketLock = join(first.connection.host, ".s.PGSQL.5432.lock");
    process.kill(runningPostmaster(pgData()) ?? 0, "SIGKILL");
    await first.exited;
    await first.close();
    // Of the account the server runs under, for PostgreSQL looks at others' processes with less suspicion.
    const { uid, gid } = statSync(pgData());
    const stranger = spawn("sleep", ["600"], { cwd: "/", uid, gid });
    await once(stranger, "spawn");
    for (const path of [file, socketLock])
      writeFileSync(path, readFileSync(path, "utf8").replace(/^\d+/u, String(stranger.pid)));

    try {
      const second = await open();
      expect(await query(second.connection, RECALL)).toEqual([{ answer: 42 }]);
    } finally {
      stranger.kill("SIGKILL");
    }
  });

  test("by the crash of one connection's process recovers by itself, and stays until its last user leaves", async () => {
    const serve = await open();
    const [row] = await query(
      serve.connection,
      "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'hpc-billing lease%'",
    );
    const { pid } = Object(row);
    process.kill(Number(pid), "SIGKILL");
    await until("the server has recovered", async () => {
      const rows = await query(serve.connection, `SELECT 1 FROM pg_stat_activity WHERE pid = ${pid}`).catch(() => [
        pid,
      ]);
      return rows.length === 0;
    });

    const command = await open("command");
    await command.close();

    expect(isRunning()).toBe(true);
    expect(await query(serve.connection, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });
});

describe("several processes on one data folder", () => {
  beforeEach(copyUsedFolder);

  test("a second serve is told where the first one is", async () => {
    const first = await hold("serve");
    expect(first.answer).toHaveProperty("connection");

    const failure = await failureOf(open("serve"));

    expect(failure).toBeInstanceOf(UserError);
    expect(failure.message).toContain(dataDir);
    expect(failure.message).toContain(`process ${readFileSync(join(dataDir, "serve.lock"), "utf8").split(" ")[0]}`);
  });

  test("of several that serve at the same moment exactly one wins", async () => {
    const holders = await Promise.all([hold("serve"), hold("serve"), hold("serve"), hold("serve")]);

    expect(holders.filter((holder) => "connection" in holder.answer)).toHaveLength(1);
  });

  test("a serve that was killed makes way for the next one", async () => {
    const first = await hold("serve");
    await first.kill();

    expect(await open("serve")).toHaveProperty("adopted", true);
  });

  test("a command runs beside serve, and whoever leaves last stops the server", async () => {
    const serve = await open("serve");
    const command = await hold("command");
    expect(command.answer).toMatchObject({ adopted: true });

    await serve.close();
    expect(isRunning()).toBe(true);
    await command.close();
    expect(isRunning()).toBe(false);
  });

  test("of commands that start at once one makes and starts the server and the others use it", async () => {
    rmSync(pgData(), { recursive: true });

    const holders = await Promise.all([hold("command"), hold("command"), hold("command")]);

    const servers = holders.filter((holder) => "adopted" in holder.answer && !holder.answer.adopted);
    expect(servers).toHaveLength(1);
    await Promise.all(holders.map((holder) => holder.close()));
    expect(isRunning()).toBe(false);
  });

  test("commands that come and go never meet a server that is being stopped", async () => {
    const runs = Array.from({ length: 4 }, async () => {
      for (let round = 0; round < 4; round++) {
        const postgres = await openEmbeddedPostgres({ dataDir, role: "command", log: () => undefined });
        expect(await query(postgres.connection, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
        await postgres.close();
      }
    });

    await Promise.all(runs);

    expect(isRunning()).toBe(false);
  });
});

describe("a server that cannot start", () => {
  test("because another version made the data says which, and changes nothing", async () => {
    copyUsedFolder();
    writeFileSync(join(pgData(), "PG_VERSION"), "17\n");

    const failure = await failureOf(open());

    expect(failure).toBeInstanceOf(UserError);
    expect(failure.message).toMatch(/made by PostgreSQL 17, .* brings PostgreSQL 18/u);
    writeFileSync(join(pgData(), "PG_VERSION"), "18\n");
    expect(await open()).toHaveProperty("adopted", false);
  });

  test("shows the end of its log, and lets go of the folder", async () => {
    copyUsedFolder();
    const control = join(pgData(), "global", "pg_control");
    const bytes = readFileSync(control);
    writeFileSync(control, bytes.subarray(0, 100));

    const failure = await failureOf(open());

    expect(failure.message).toContain(`${dataDir}/postgres.log`);
    expect(failure.message).toContain("pg_control");
    writeFileSync(control, bytes);
    expect(await open()).toHaveProperty("adopted", false);
  });

  test("because the link to its data leads nowhere does not begin with an empty database", async () => {
    symlinkSync(join(dataDir, "gone"), pgData());

    expect((await failureOf(open())).message).toContain("not there");
    rmSync(pgData());
  });
});

describe.runIf(process.getuid?.() === 0)("as root, in a folder closed to others", () => {
  test("the database lives in a folder of its own, to which the data folder links", async () => {
    chmodSync(dataDir, 0o700);
    const holders = await Promise.all([hold("command"), hold("command")]);
    const first = await open();
    await query(first.connection, REMEMBER);
    await Promise.all([first.close(), ...holders.map((holder) => holder.close())]);
    const place = realpathSync(pgData());
    expect(place.startsWith(dataDir)).toBe(false);

    const second = await open();
    expect(await query(second.connection, RECALL)).toEqual([{ answer: 42 }]);
    await second.close();
    rmSync(dirname(place), { recursive: true });
  });
});

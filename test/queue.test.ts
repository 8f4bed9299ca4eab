import { afterEach, beforeEach, describe, expect, it } from "vitest";
import pino from "pino";
import { ConflictError } from "../src/errors.ts";
import pg from "pg";
import { startQueue, type QueueTask, type TaskRequest, type WorkQueue } from "../src/queue.ts";
import { createTestDatabase } from "./support/database.ts";
import { until } from "./support/until.ts";

let database: { url: string; drop(): Promise<void> };
let queues: WorkQueue[];

beforeEach(async () => {
  database = await createTestDatabase();
  queues = [];
});

afterEach(async () => {
  await Promise.all(queues.map((queue) => queue.stop()));
  await database.drop();
});

async function start(work: QueueTask["work"], more: Partial<QueueTask> = {}): Promise<WorkQueue> {
  const queue = await startQueue({
    databaseUrl: database.url,
    timeZone: "Asia/Bangkok",
    logger: pino({ level: "silent" }),
    tasks: [{ name: "sync", retries: 2, atOnce: 2, schedules: [], work, ...more }],
  });
  queues.push(queue);
  return queue;
}

/** The states of all that was ever asked for. */
async function states(): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query("SELECT state FROM pgboss.job");
  await client.end();
  return rows.map((row) => row.state);
}

const request = (key: string): TaskRequest => ({ key, requestedBy: "test", options: { from: "2026-11-01" } });

describe("the work queue", () => {
  it("hands a task what it was asked for", async () => {
    const done: TaskRequest[] = [];
    const queue = await start(async (asked) => void done.push(asked));
    expect(await queue.send("sync", request("alpha"))).toBe(true);
    await until("the work is done", () => done.length === 1);
    expect(done).toEqual([request("alpha")]);
  });

  it("does one thing once, however many replicas are asked for it", async () => {
    let underWay = 0;
    let most = 0;
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const done: string[] = [];
    const work: QueueTask["work"] = async ({ key }) => {
      most = Math.max(most, ++underWay);
      await finished;
      underWay--;
      done.push(key);
    };
    const [first, second] = [await start(work), await start(work)];
    const answers = await Promise.all(
      [first, second, first, second].map((queue) => queue.send("sync", request("alpha"))),
    );
    expect(answers.filter(Boolean)).toHaveLength(1);
    await until("it is under way", () => underWay === 1);
    expect(await second.send("sync", request("alpha"))).toBe(false);
    finish();
    await until("it is done", () => done.length === 1);
    await until("it may be asked for again", () => first.send("sync", request("alpha")));
    await until("it is done again", () => done.length === 2);
    expect(most).toBe(1);
  });

  it("does different things side by side", async () => {
    const started = new Set<string>();
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const work: QueueTask["work"] = async ({ key }) => {
      started.add(key);
      await finished;
    };
    const queue = await start(work);
    await queue.send("sync", request("alpha"));
    await queue.send("sync", request("beta"));
    await until("both are under way", () => started.size === 2);
    finish();
  });

  it("does not try again what somebody else is doing already", async () => {
    let tries = 0;
    const queue = await start(async () => {
      tries++;
      throw new ConflictError("a sync is under way already");
    });
    await queue.send("sync", request("alpha"));
    await until("it was tried", () => tries === 1);
    // What failed and waits for its next try would refuse this.
    await until("it may be asked for again", () => queue.send("sync", request("alpha")));
  });

  it("does at once what somebody asks for while the same waits to be tried again", async () => {
    const started: TaskRequest[] = [];
    const queue = await start(async (asked) => {
      started.push(asked);
      if (started.length === 1) throw new Error("away");
    });
    await queue.send("sync", request("alpha"));
    await until("the first attempt has failed", async () => (await states()).includes("retry"));
    const again = { key: "alpha", requestedBy: "somebody", options: {} };
    expect(await queue.send("sync", again)).toBe(true);
    await until("it is done", () => started.length === 2);
    expect(started[1]).toEqual(again);
  });

  it("stops what is under way when the process ends, and does it at the next start", async () => {
    const aborted: string[] = [];
    const first = await start(
      (_asked, signal) =>
        new Promise<void>((_resolve, reject) => {
          aborted.push("started");
          signal.addEventListener("abort", () => {
            aborted.push("aborted");
            reject(new Error("stopped"));
          });
        }),
    );
    await first.send("sync", request("alpha"));
    await until("it is under way", () => aborted.length === 1);
    await first.stop();
    queues = [];
    expect(aborted).toEqual(["started", "aborted"]);
    const done: string[] = [];
    const second = await start(async ({ key }) => void done.push(key));
    await second.send("sync", request("alpha"));
    await until("it is done", () => done.length === 1);
  });

  it("keeps the schedules of the configuration, and forgets those of an older one", async () => {
    await start(async () => undefined, {
      schedules: [
        { key: "alpha", cron: "*/10 * * * *" },
        { key: "beta", cron: "0 4 * * *" },
      ],
    });
    await start(async () => undefined, { schedules: [{ key: "beta", cron: "0 5 * * *" }] });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query("SELECT key, cron, timezone FROM pgboss.schedule ORDER BY key");
    await client.end();
    expect(rows).toEqual([{ key: "beta", cron: "0 5 * * *", timezone: "Asia/Bangkok" }]);
  });
});
